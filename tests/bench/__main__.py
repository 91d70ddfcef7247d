"""`python3 run.py bench`: all measurements, one Markdown table each."""

from tests.bench import latency, numerics, recording

print(numerics.table(), recording.table(), latency.table(), sep="\n\n")
