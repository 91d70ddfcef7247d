"""Where batch normalization helps ReLU networks and sigmoid networks: maps recorded beforehand.

At each depth and each scale of the initial weights, a network without BN and one with BN were
trained at many rates and from three seeds: 6624 trainings, more than a reader can wait for.

    python -m bnlib.experiments.gain_map

trains them all again, in half an hour, and stores what came out in data/gain_map.npz. To read that
file, no torch is needed.
"""

from __future__ import annotations

import hashlib
import io
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnlib.experiments.data import load_digits, shipped
from bnlib.experiments.runs import batch_norm

FILE = "gain_map.npz"
SHA256 = "6914e8ee10248672ff36e3323c013d595bf0cb164ab83b5a8359f071146e8ab0"

NORMS = (None, batch_norm)
SEEDS, STEPS = 3, 100


@dataclass(frozen=True)
class Grid:
    """The cells of a map, and the rates that were tried in each.

    Attributes:
        depths: numbers of hidden layers, of 100 units each.
        stds: of all initial weights; those by He et al. are 0.14 for 100 units.
        rates: of plain gradient descent.
    """

    depths: tuple[int, ...]
    stds: tuple[float, ...]
    rates: tuple[float, ...]


DEPTHS = (2, 3, 4, 6, 8, 12, 16, 24)
GRIDS = {
    "relu": Grid(
        DEPTHS,
        (0.03, 0.07, 0.1, 0.14, 0.2, 0.3),
        # Deep networks with large weights and without BN learn at the lowest only.
        (
            *(1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4),
            *(1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0, 3.0),
        ),
    ),
    "sigmoid": Grid(
        DEPTHS,
        (0.07, 0.14, 0.3, 0.5, 0.7, 1.0),
        (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0),
    ),
}


@dataclass(frozen=True)
class GainMap:
    """What was recorded of networks of one activation.

    Attributes:
        grid: the cells and the rates.
        right: how many test images each network has right after its training, in evaluation mode,
            (2, depths, stds, rates, seeds), without BN first.
        images: how many there are.
    """

    grid: Grid
    right: NDArray[np.uint16]
    images: int

    def best_rates(self) -> NDArray[np.float64]:
        """Return the rate at which a network does best, by its mean over the seeds.

        Returns: (2, depths, stds).
        """
        return np.array(self.grid.rates)[self.right.mean(axis=-1).argmax(axis=-1)]

    def best(self) -> NDArray[np.float64]:
        """Return the accuracy, 0 to 1, of each network at its own best rate.

        Returns: (2, depths, stds, seeds), without BN first.
        """
        best = self.right.mean(axis=-1).argmax(axis=-1)  # (2, depths, stds)
        chosen = np.take_along_axis(self.right, best[..., None, None], axis=-2)
        return chosen[..., 0, :] / self.images

    def at_std(self, std: float | None = None) -> NDArray[np.float64]:
        """Return the accuracy at one scale of the weights, its mean over the seeds.

        Args:
            std: of the initial weights; None chooses the best for each depth.

        Returns: 0 to 1, (2, depths), without BN first.
        """
        accuracy = self.best().mean(axis=-1)
        return accuracy.max(axis=-1) if std is None else accuracy[..., self.grid.stds.index(std)]

    def at_rate(self, rate: float) -> NDArray[np.float64]:
        """Return the accuracy, 0 to 1, of each network at one of the rates.

        Returns: (2, depths, stds, seeds), without BN first.
        """
        return self.right[..., self.grid.rates.index(rate), :] / self.images

    def gains(self) -> NDArray[np.float64]:
        """Return what BN gains at the best rates, in percentage points, (depths, stds, seeds)."""
        without_bn, with_bn = self.best()
        return 100 * (with_bn - without_bn)


def load(activation: str = "relu") -> GainMap:
    """Load a recorded map.

    Args:
        activation: of its networks, "relu" or "sigmoid".

    Raises:
        FileNotFoundError: the file is missing.
        ValueError: it is not the one that the project ships.
    """
    with np.load(io.BytesIO(shipped(FILE, SHA256)), allow_pickle=False) as arrays:
        return GainMap(GRIDS[activation], arrays[activation], int(arrays["images"]))


def right_after_training(
    with_bn: bool,
    depth: int,
    std: float,
    lr: float,
    seed: int,
    *,
    steps: int = STEPS,
    activation: str = "relu",
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
        activation: "relu" or "sigmoid".
        width: units of a hidden layer.
        place: of BN, "before" or "after" the activation.
    """
    import torch  # only to train: a map that is read needs none

    from bnlib.experiments.networks import mlp
    from bnlib.experiments.training import DivergedError, accuracy, train

    x, y, x_test, y_test = map(torch.tensor, load_digits())
    sizes, norm = [x.shape[1], *[width] * depth, 10], NORMS[with_bn]
    model = mlp(sizes, activation=activation, norm=norm, place=place, init=std, seed=seed)
    with suppress(DivergedError):
        for _loss in train(model, x, y, steps=steps, batch_size=60, lr=lr, seed=seed):
            pass
    return round(accuracy(model, x_test, y_test) * len(y_test))


def record(path: Path) -> str:
    """Train all networks of the maps, store them at `path`, and return the file's SHA-256."""
    arrays: dict[str, Any] = {}
    for activation, grid in GRIDS.items():
        arrays[activation] = _right(activation, grid)
        arrays |= {f"{activation}_{name}": np.array(v) for name, v in asdict(grid).items()}
    np.savez(path, images=len(load_digits().y_test), steps=STEPS, **arrays)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _right(activation: str, grid: Grid) -> NDArray[np.uint16]:
    sizes = map(len, (NORMS, grid.depths, grid.stds, grid.rates))
    right = np.zeros((*sizes, SEEDS), np.uint16)
    for cell in np.ndindex(right.shape):
        norm, d, s, r, seed = cell
        setting = bool(norm), grid.depths[d], grid.stds[s], grid.rates[r], seed
        right[cell] = right_after_training(*setting, activation=activation)
        if not any(cell[2:]):
            print(f"{activation}, BN {bool(norm)}, from {grid.depths[d]} layers on", flush=True)
    return right


if __name__ == "__main__":
    print(record(Path(__file__).resolve().parents[2] / "data" / FILE))
