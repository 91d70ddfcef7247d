"""What recording adds to a training, in one run: the same training with and without a Recorder.

Budget: at most 15 %. `python -m tests.bench.recording` prints the table.
"""

import statistics
import time

import torch

from bnlib.data import load_digits
from bnlib.experiments import BN_OR_NOT
from bnlib.models import mlp
from bnlib.recorder import Recorder, geometric_steps
from bnlib.training import train

STEPS, LOOKS, ROUNDS = 1000, 60, 5


def seconds(options: dict, looks: int) -> float:
    """Time of one training of lesson 02's network that is looked at `looks` times, at most."""
    x, y, x_test, y_test = map(torch.tensor, load_digits())
    model = mlp([64, 100, 100, 100, 10], **options)
    chosen = geometric_steps(STEPS, looks) if looks else []
    recorder = Recorder(model, x[:200], x_test, y_test, chosen)
    start = time.perf_counter()
    for step, _ in enumerate(train(model, x, y, steps=STEPS, batch_size=60, lr=0.5), 1):
        recorder.look(step)
    return time.perf_counter() - start


def table() -> str:
    """Seconds without and with recording, and the overhead, as a Markdown table."""
    torch.set_num_threads(1)
    lines = [
        f"| {STEPS} steps, {LOOKS} looks | bare, s | recorded, s | overhead (≤ 15 %) |",
        "|---|---|---|---|",
    ]
    for name, options in BN_OR_NOT.items():
        pairs = [(seconds(options, 0), seconds(options, LOOKS)) for _ in range(ROUNDS)]
        bare, recorded = map(statistics.median, zip(*pairs, strict=True))
        overhead = statistics.median(r / b - 1 for b, r in pairs)
        lines.append(f"| {name} | {bare:.2f} | {recorded:.2f} | {overhead:.0%} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
