"""Where batch normalization helps a ReLU network: a map that was recorded beforehand.

At each depth and each scale of the initial weights, a network without BN and one with BN were
trained at fifteen rates and from three seeds: 4320 trainings, more than a reader can wait for.

    python -m bnlib.experiments.gain_map

trains them all again, in a quarter of an hour, and stores what came out in data/gain_map.npz. To
read that file, no torch is needed.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnlib.experiments.data import load_digits, shipped
from bnlib.experiments.runs import batch_norm

FILE = "gain_map.npz"
SHA256 = "b8871b4bb2e5ddf17ab021c554026ee848fb83d4414378d63a4eb79dd6d1e855"

NORMS = (None, batch_norm)
DEPTHS = (2, 3, 4, 6, 8, 12, 16, 24)  # hidden layers, of 100 units each
STDS = (0.03, 0.07, 0.1, 0.14, 0.2, 0.3)  # of all initial weights; He et al. give 0.14
# The lowest are for deep networks with large weights and without BN: they learn at no other.
RATES = (
    *(1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4),
    *(1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0, 3.0),
)
SEEDS = 3
STEPS = 100


@dataclass(frozen=True)
class GainMap:
    """What was recorded.

    Attributes:
        right: how many test images each network has right after its training, in evaluation mode,
            (2, depths, stds, rates, seeds), without BN first.
        images: how many there are.
    """

    right: NDArray[np.uint16]
    images: int

    def best_rates(self) -> NDArray[np.float64]:
        """Return the rate at which a network does best, by its mean over the seeds.

        Returns: (2, depths, stds).
        """
        return np.array(RATES)[self.right.mean(axis=-1).argmax(axis=-1)]

    def best(self) -> NDArray[np.float64]:
        """Return the accuracy, 0 to 1, of each network at its own best rate.

        Returns: (2, depths, stds, seeds), without BN first.
        """
        best = self.right.mean(axis=-1).argmax(axis=-1)  # (2, depths, stds)
        chosen = np.take_along_axis(self.right, best[..., None, None], axis=-2)
        return chosen[..., 0, :] / self.images

    def at_rate(self, rate: float) -> NDArray[np.float64]:
        """Return the accuracy, 0 to 1, of each network at one of the rates.

        Returns: (2, depths, stds, seeds), without BN first.
        """
        return self.right[..., RATES.index(rate), :] / self.images

    def gains(self) -> NDArray[np.float64]:
        """Return what BN gains at the best rates, in percentage points, (depths, stds, seeds)."""
        without_bn, with_bn = self.best()
        return 100 * (with_bn - without_bn)


def load() -> GainMap:
    """Load the recorded map.

    Raises:
        FileNotFoundError: the file is missing.
        ValueError: it is not the one that the project ships.
    """
    with np.load(io.BytesIO(shipped(FILE, SHA256)), allow_pickle=False) as arrays:
        return GainMap(arrays["right"], int(arrays["images"]))


def right_after_training(
    with_bn: bool,
    depth: int,
    std: float,
    lr: float,
    seed: int,
    *,
    steps: int = STEPS,
    width: int = 100,
    place: str = "before",
) -> int:
    """Train one network, and return how many test images it has right in evaluation mode.

    One whose loss is no finite number any more is judged as its last good step left it.

    Args:
        with_bn: whether it has BN.
        depth: number of hidden layers.
        std: of the initial weights.
        lr: the learning rate.
        seed: of the weights and of the batches.
        steps: of plain gradient descent, in batches of 60.
        width: units of a hidden layer.
        place: of BN, "before" or "after" the activation.
    """
    import torch  # only to train: a map that is read needs none

    from bnlib.experiments.networks import mlp
    from bnlib.experiments.training import DivergedError, accuracy, train

    x, y, x_test, y_test = map(torch.tensor, load_digits())
    sizes, norm = [x.shape[1], *[width] * depth, 10], NORMS[with_bn]
    model = mlp(sizes, activation="relu", norm=norm, place=place, init=std, seed=seed)
    with suppress(DivergedError):
        for _loss in train(model, x, y, steps=steps, batch_size=60, lr=lr, seed=seed):
            pass
    return round(accuracy(model, x_test, y_test) * len(y_test))


def best_accuracy(
    with_bn: bool, depth: int, std: float, rates: Sequence[float], **options
) -> float:
    """Train at each of `rates`, from each of the seeds, and return the best rate's mean accuracy.

    Args:
        with_bn: whether the networks have BN.
        depth: number of hidden layers.
        std: of the initial weights.
        rates: to choose from.
        options: the others of `right_after_training`.

    Returns: 0 to 1.
    """
    of_rates = [
        np.mean([right_after_training(with_bn, depth, std, lr, s, **options) for s in range(SEEDS)])
        for lr in rates
    ]
    return float(max(of_rates) / len(load_digits().y_test))


def record(path: Path) -> str:
    """Train all networks of the map, store it at `path`, and return the file's SHA-256."""
    right = np.zeros((2, len(DEPTHS), len(STDS), len(RATES), SEEDS), np.uint16)
    for d, depth in enumerate(DEPTHS):
        for norm, s, r, seed in np.ndindex(2, *right.shape[2:]):
            right[norm, d, s, r, seed] = right_after_training(
                bool(norm), depth, STDS[s], RATES[r], seed
            )
        print(f"{depth} layers: done", flush=True)
    settings: dict[str, Any] = {"depths": DEPTHS, "stds": STDS, "rates": RATES, "steps": STEPS}
    np.savez(path, right=right, images=len(load_digits().y_test), **settings)
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    print(record(Path(__file__).resolve().parents[2] / "data" / FILE))
