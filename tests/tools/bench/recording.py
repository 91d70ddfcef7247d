"""What recording adds to a training, in one run: the same training with and without a Recorder.

Budget: at most 15 %. `python -m tests.tools.bench.recording` prints the table.
"""

import statistics
import time
from collections.abc import Iterator

import torch

from bnlib.experiments.data import load_digits
from bnlib.experiments.networks import mlp
from bnlib.experiments.recorder import Recorder
from bnlib.experiments.runs import geometric_steps
from bnlib.experiments.training import train
from bnlib.torch_bn import BatchNorm
from tests.tools.bench.table import Row, markdown

STEPS, SNAPSHOTS, ROUNDS = 1000, 60, 5
NORMS = {"without BN": None, "with BN": BatchNorm}


def seconds(norm: type[BatchNorm] | None, snapshots: int) -> float:
    """Time one training of lesson 03's network with `snapshots` of it, at most."""
    x, y, x_test, y_test = map(torch.tensor, load_digits())
    model = mlp([64, 100, 100, 100, 10], norm=norm)
    chosen = geometric_steps(STEPS, snapshots) if snapshots else []
    recorder = Recorder(model, x[:200], x_test, y_test, chosen)
    start = time.perf_counter()
    for step, _ in enumerate(train(model, x, y, steps=STEPS, batch_size=60, lr=0.5), 1):
        recorder.snapshot(step)
    return time.perf_counter() - start


def rows() -> Iterator[Row]:
    """A row for the network without BN, and one for that with BN."""
    torch.set_num_threads(1)
    for name, norm in NORMS.items():
        pairs = [(seconds(norm, 0), seconds(norm, SNAPSHOTS)) for _ in range(ROUNDS)]
        bare, recorded = map(statistics.median, zip(*pairs, strict=True))
        overhead = statistics.median(r / b - 1 for b, r in pairs)
        what = f"training with {SNAPSHOTS} snapshots in {STEPS} steps, {name}"
        figures = f"{recorded:.2f} s", f"bare {bare:.2f} s", f"+{overhead:.0%}"
        yield Row(what, *figures, "≤ +15 %", overhead <= 0.15)


if __name__ == "__main__":
    print(markdown(rows()))
