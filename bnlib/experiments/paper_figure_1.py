"""The first experiment of the BN paper, done again and recorded: MNIST, for lesson 12.

    python3 run.py record [FOLDER]

trains all networks anew and stores them, from the files of MNIST in FOLDER; without FOLDER from
those in the cache, which are downloaded if need be. The rest of this module reads the record, and
needs no torch.
"""

from __future__ import annotations

import hashlib
import io
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bnlib.experiments import mnist
from bnlib.experiments.data import shipped
from bnlib.experiments.runs import batch_norm, geometric_steps

if TYPE_CHECKING:
    from torch import Tensor, nn

FILE = "paper_figure_1.npz"
SHA256 = "ee672f91c36d13b246d1db08284a58492fae0afbbb9018c0d9c140e8314177ed"

# What the paper says
SIZES = (784, 100, 100, 100, 10)
BATCH_SIZE = 60
STEPS = 50_000
PERCENTILES = (15, 50, 85)

# What it does not say, and we had to choose
STD = 0.1  # of the initial weights
SEEDS = 3

PAPER = 0.1  # the rate at which our curves look like those of the paper
WITHOUT_BN, WITH_BN, ONCE = "without BN", "with BN", "normalized once"
TUNED = 1.0  # one at which both do better
RUNS = (  # network, rate
    (WITHOUT_BN, PAPER),
    (WITH_BN, PAPER),
    (ONCE, PAPER),
    (WITHOUT_BN, TUNED),
    (WITH_BN, TUNED),
)

# At which steps percentiles are taken, and at which the accuracy
BAND_LOOKS = sorted({*geometric_steps(1000, 28), 1500, *range(2000, STEPS + 1, 2000)})
LOOKS = sorted({*geometric_steps(5000, 90), *BAND_LOOKS, *range(1000, STEPS + 1, 1000)})

# Many initial weights and rates, for a shorter time: when does a network get there?
GRID_STDS = (0.05, 0.1, 0.2, 0.4, 0.8)
GRID_RATES = (0.1, 0.3, 1.0, 3.0, 10.0)
GRID_STEPS = 2000
GOAL = 0.9  # of the test images right

# The paper's images were binary: black where the ink is more than half
BINARY_RUNS = ((WITHOUT_BN, PAPER), (WITH_BN, PAPER))
BINARY_STEPS = 10_000


class Bands(NamedTuple):
    """Of which training percentiles are kept, and how they are taken."""

    network: str
    rate: float
    training: bool  # whether BN uses the statistics of the test images, or its running averages


COLLEAGUES = Bands(WITH_BN, PAPER, False)  # of whom the lesson tells
BANDS = (
    Bands(WITHOUT_BN, PAPER, True),
    Bands(WITH_BN, PAPER, True),
    COLLEAGUES,
    Bands(ONCE, PAPER, True),
    Bands(WITHOUT_BN, TUNED, True),
    Bands(WITH_BN, TUNED, True),
)
HUNDREDTHS = 100  # percentiles are stored as whole hundredths
FEW_UNITS = slice(None, None, 5)  # of which they are stored for the seeds after the first


@dataclass(frozen=True)
class Recorded:
    """The record; its first axis are RUNS where nothing else is said.

    Attributes:
        train_images: on how many the networks were trained.
        test_images: on how many they were tested.
        right: test images that are right, (runs, seeds, looks).
        train_right: training images that are right at the end, (runs, seeds).
        answers: which test images are right at the end, (runs, seeds, test images) bool.
        bands: which percentiles of the input of each unit of the last hidden layer, of the test
            images as one batch, seed 0: → (units, 3 percentiles, looks), in BAND_LOOKS.
        other_bands: the same for the seeds after 0, of FEW_UNITS: → (seeds, units, 3, looks).
        grid: test images that are right, without BN and with BN, from each of GRID_STDS and at each
            of GRID_RATES: (2, stds, rates, seeds, looks up to GRID_STEPS).
        binary: test images that are right if all images are binary, as those of the paper, for
            each of BINARY_RUNS: (2, seeds, looks up to BINARY_STEPS).
    """

    train_images: int
    test_images: int
    right: NDArray
    train_right: NDArray
    answers: NDArray
    bands: dict[Bands, NDArray]
    other_bands: dict[Bands, NDArray]
    grid: NDArray
    binary: NDArray

    def accuracy(self, network: str, rate: float = PAPER) -> NDArray:
        """Return the share of the test images that are right, (seeds, looks), 0 to 1."""
        return self.right[RUNS.index((network, rate))] / self.test_images

    def right_at_the_end(self, network: str, rate: float = PAPER) -> NDArray:
        """Return which test images are right after the last step, (seeds, test images) bool."""
        return self.answers[RUNS.index((network, rate))]

    def train_accuracy(self, network: str, rate: float = PAPER) -> NDArray:
        """Return the share of the training images that are right at the end, (seeds,), 0 to 1."""
        return self.train_right[RUNS.index((network, rate))] / self.train_images

    def of_seeds(self, bands: Bands) -> list[NDArray]:
        """Return the percentiles for each seed: (units, 3, looks), and FEW_UNITS of those."""
        return [self.bands[bands], *self.other_bands[bands]]

    def typical_unit(self) -> int:
        """Return the unit, from 0, whose median moves over a typical range without BN."""
        moves = np.ptp(self.bands[BANDS[0]][:, 1], axis=1)  # (units,)
        return int(np.abs(moves - np.median(moves)).argmin())


def load() -> Recorded:
    """Load the record that the project ships.

    Raises:
        FileNotFoundError: it is missing.
        ValueError: it is not the file that the project ships, but damaged or altered.
    """
    with np.load(io.BytesIO(shipped(FILE, SHA256)), allow_pickle=False) as arrays:
        test_images = int(arrays["test_images"])
        answers = np.unpackbits(arrays["answers"], axis=-1, count=test_images).astype(bool)
        return Recorded(
            train_images=int(arrays["train_images"]),
            test_images=test_images,
            right=arrays["right"],
            train_right=arrays["train_right"],
            answers=answers,
            bands=_unpacked(arrays["bands"]),
            other_bands=_unpacked(arrays["other_bands"]),
            grid=arrays["grid"],
            binary=arrays["binary"],
        )


def _unpacked(differences: NDArray) -> dict[Bands, NDArray]:
    """Return, for each of BANDS, the percentiles that `_packed` made small."""
    percentiles = np.cumsum(differences, axis=-1, dtype=np.int64) / HUNDREDTHS
    return dict(zip(BANDS, percentiles, strict=True))


def arrival(accuracy: NDArray, goal: float = GOAL) -> NDArray:
    """Return the first of three looks in a row at which the accuracy is `goal` or more.

    A single look may be luck: an accuracy goes up and down.

    Args:
        accuracy: at LOOKS, as far as they go, (..., looks), 0 to 1.
        goal: 0 to 1.

    Returns:
        (...), steps; NaN where it does not happen.
    """
    there = accuracy >= goal
    stays = there[..., :-2] & there[..., 1:-1] & there[..., 2:]
    looks = np.array(LOOKS[: stays.shape[-1]], float)
    return np.where(stays.any(axis=-1), looks[stays.argmax(axis=-1)], np.nan)


# Training


def norm_of(network: str) -> Callable[[int], nn.Module] | None:
    """Return what makes the norm of a network, as `norm=` of `networks.mlp` wants it."""
    from bnlib.experiments.shift import FirstBatchNorm

    return {WITHOUT_BN: None, WITH_BN: batch_norm, ONCE: FirstBatchNorm}[network]


class Trained(NamedTuple):
    """What is kept of one training."""

    right: NDArray  # (looks,): how many test images are
    train_right: int
    answers: NDArray  # (test images,) bool: which are at the end
    bands: list[NDArray]  # of each of the ways that were asked for, (units, 3, looks)


def train_one(
    images: mnist.Mnist,
    network: str,
    rate: float,
    seed: int,
    std: float = STD,
    steps: int = STEPS,
    ways: Sequence[bool] = (),
) -> Trained:
    """Train one network on batches of 60, and look at it after those of LOOKS up to `steps`.

    Args:
        images: to train and to test on.
        network: WITHOUT_BN, WITH_BN or ONCE.
        rate: the learning rate.
        seed: of the weights and of the batches.
        std: of the initial weights.
        steps: of training.
        ways: to take percentiles, as `training` of Bands.
    """
    import torch

    from bnlib.experiments.networks import mlp
    from bnlib.experiments.recorder import hidden_inputs
    from bnlib.experiments.training import DivergedError, train

    x, y, x_test, y_test = map(torch.as_tensor, images)
    sizes = [x.shape[1], *SIZES[1:]]
    model = mlp(sizes, norm=norm_of(network), init=std, seed=seed)
    training = train(model, x, y, steps=steps, batch_size=BATCH_SIZE, lr=rate, seed=seed)
    right: list[int] = []
    bands: list[list[NDArray]] = [[] for _ in ways]
    looks = [look for look in LOOKS if look <= steps]
    for step, look in zip([0, *looks], looks, strict=False):
        with suppress(DivergedError, StopIteration):  # what is left of it is looked at
            for _ in range(look - step):
                next(training)
        right.append(int(_right(model, x_test, y_test).sum()))
        if look in BAND_LOOKS:
            for way, of_way in zip(ways, bands, strict=True):
                inputs = hidden_inputs(model, x_test, training=way)[-1]
                of_way.append(np.percentile(inputs, PERCENTILES, axis=0).T)
    return Trained(
        np.array(right),
        int(_right(model, x, y).sum()),
        _right(model, x_test, y_test),
        [np.stack(of_way, axis=-1) for of_way in bands],
    )


def binary(images: mnist.Mnist) -> mnist.Mnist:
    """Return the images with each pixel 0 or 1."""
    x, x_test = ((of > 0.5).astype(np.float32) for of in (images.x_train, images.x_test))
    return images._replace(x_train=x, x_test=x_test)


def _right(model: nn.Module, x: Tensor, y: Tensor) -> NDArray:
    """Return which examples `model` classifies correctly in evaluation mode, (N,) bool."""
    import torch

    from bnlib.experiments.training import mode

    with torch.no_grad(), mode(model, training=False):
        return (model(x).argmax(dim=1) == y).numpy()


# Recording


class Task(NamedTuple):
    """One training of the record."""

    network: str
    rate: float
    seed: int
    std: float
    steps: int
    binary: bool = False  # whether its images are


def record(path: Path, folder: Path, workers: int | None = None) -> str:
    """Train all networks, store the record at `path`, and return the file's SHA-256.

    Args:
        path: of the file.
        folder: with the files of MNIST.
        workers: how many trainings go on at a time; as many as there are processors if None. The
            numbers do not depend on it.
    """
    images, seeds = mnist.load(folder), range(SEEDS)
    axes = (WITHOUT_BN, WITH_BN), GRID_STDS, GRID_RATES, seeds
    whole = [Task(*run, seed, STD, STEPS) for run in RUNS for seed in seeds]
    black = [Task(*run, seed, STD, BINARY_STEPS, True) for run in BINARY_RUNS for seed in seeds]
    cells = [Task(who, rate, seed, std, GRID_STEPS) for who, std, rate, seed in product(*axes)]
    tasks = [*whole, *black, *cells]
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        trained = _with_progress(pool.map(partial(_train, folder), tasks), len(tasks))
        full, of_black, of_cells = ([next(trained) for _ in of] for of in (whole, black, cells))
    shape = len(RUNS), SEEDS
    arrays: dict[str, Any] = {
        "train_images": len(images.y_train),
        "test_images": len(images.y_test),
        "right": _right_of(full).reshape(*shape, -1),
        "train_right": np.array([one.train_right for one in full], np.uint16).reshape(shape),
        "answers": np.packbits([one.answers for one in full], axis=-1).reshape(*shape, -1),
        "binary": _right_of(of_black).reshape(len(BINARY_RUNS), SEEDS, -1),
        "grid": _right_of(of_cells).reshape(*map(len, axes), -1),
    }
    arrays |= {**_bands_of(whole, full), **_settings()}
    np.savez_compressed(path, **arrays)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _right_of(trained: Sequence[Trained]) -> NDArray:
    return np.array([one.right for one in trained], np.uint16)


def _bands_of(tasks: Sequence[Task], trained: Sequence[Trained]) -> dict[str, NDArray]:
    """Return the percentiles of BANDS as the record holds them."""
    bands = {
        (Bands(task.network, task.rate, way), task.seed): of_way
        for task, one in zip(tasks, trained, strict=True)
        for way, of_way in zip(_ways(task), one.bands, strict=True)
    }
    others = [[bands[way, seed][FEW_UNITS] for seed in range(1, SEEDS)] for way in BANDS]
    return {"bands": _packed([bands[way, 0] for way in BANDS]), "other_bands": _packed(others)}


def _settings() -> dict[str, Any]:
    settings = {"sizes": SIZES, "batch_size": BATCH_SIZE, "steps": STEPS, "std": STD}
    settings |= {"rates": [rate for _, rate in RUNS], "looks": LOOKS, "band_looks": BAND_LOOKS}
    settings |= {"grid_stds": GRID_STDS, "grid_rates": GRID_RATES}
    return settings | {"binary_steps": BINARY_STEPS}


def _packed(percentiles: Sequence[Any]) -> NDArray:
    """Return percentiles (..., looks) in hundredths, as differences from look to look.

    Those are small numbers, and take half the space.
    """
    hundredths = np.round(HUNDREDTHS * np.array(percentiles)).astype(np.int16)
    return np.diff(hundredths, axis=-1, prepend=np.int16(0))


def _ways(task: Task) -> list[bool]:
    """Return the ways in which percentiles of a training are kept."""
    if task.steps != STEPS:
        return []
    return [way for network, rate, way in BANDS if (network, rate) == (task.network, task.rate)]


_images_of = cache(mnist.load)  # once in each process


def _train(folder: Path, task: Task) -> Trained:
    import torch

    torch.set_num_threads(1)
    images = binary(_images_of(folder)) if task.binary else _images_of(folder)
    network, rate, seed, std, steps, _ = task
    return train_one(images, network, rate, seed, std, steps, _ways(task))


def _with_progress(done: Iterable[Trained], count: int) -> Iterator[Trained]:
    for number, trained in enumerate(done, start=1):
        print(f"\r{number} of {count} trainings", end="", flush=True)
        yield trained
    print()


def main(arguments: Sequence[str]) -> None:
    """Record from the files of MNIST in the folder that is named, or from those in the cache."""
    folder = Path(arguments[0]).resolve() if arguments else mnist.download()
    path = Path(__file__).resolve().parents[2] / "data" / FILE
    print(
        f"{path}\nSHA-256: {record(path, folder)}\nLesson 12 shows this record once its SHA-256 "
        f"stands in {Path(__file__).name}."
    )


if __name__ == "__main__":
    main(sys.argv[1:])
