"""What recording adds to a training, in one run: the same training with and without a Recorder.

Budget: at most 15 %. `python -m tests.bench.recording` prints the table.
"""

import statistics
import time
from collections.abc import Iterator

import torch

from bnlib.experiments.data import load_digits
from bnlib.experiments.comparison import BN_OR_NOT
from bnlib.experiments.networks import mlp
from bnlib.experiments.recorder import Recorder, geometric_steps
from bnlib.experiments.training import train
from tests.bench.table import Row, markdown

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


def rows() -> Iterator[Row]:
    """A row for the network without BN, and one for that with BN."""
    torch.set_num_threads(1)
    for name, options in BN_OR_NOT.items():
        pairs = [(seconds(options, 0), seconds(options, LOOKS)) for _ in range(ROUNDS)]
        bare, recorded = map(statistics.median, zip(*pairs, strict=True))
        overhead = statistics.median(r / b - 1 for b, r in pairs)
        what = f"training with {LOOKS} looks in {STEPS} steps, {name}"
        figures = f"{recorded:.2f} s", f"bare {bare:.2f} s", f"+{overhead:.0%}"
        yield Row(what, *figures, "≤ +15 %", overhead <= 0.15)


if __name__ == "__main__":
    print(markdown(rows()))
