"""`python3 run.py bench`: all measurements, one Markdown table each."""

from tests.bench import latency, numerics

print(numerics.table(), latency.table(), sep="\n\n")
