"""The data of the lessons: small images of handwritten digits, shipped with the project."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SHA256 = "b2dab7b501728c22e9119ad76740b2e17c77a231e42d1e592380d90886f1a05e"


class Digits(NamedTuple):
    """Images as rows of 64 pixels in [0, 1], with their digits 0 to 9."""

    x_train: NDArray[np.float32]  # (1442, 64)
    y_train: NDArray[np.int64]  # (1442,)
    x_test: NDArray[np.float32]  # (355, 64)
    y_test: NDArray[np.int64]  # (355,)


def load_digits() -> Digits:
    """Load the UCI handwritten digits: 1797 grey images of 8 x 8 pixels, 0 is paper, 1 is ink.

    Of each digit's images every fifth one is for testing, so that both parts hold the digits in
    the same proportions. The order of the file is kept; no random numbers are involved.

    Returns:
        `x_train` (1442, 64) and `x_test` (355, 64), float32 in [0, 1], a multiple of 1/16;
        `y_train` (1442,) and `y_test` (355,), int64. `x.reshape(-1, 1, 8, 8)` makes images.

    Raises:
        FileNotFoundError: digits.npz is missing.
        ValueError: digits.npz is not the file that the project ships, but damaged or altered.

    Source: Alpaydin & Kaynak (1998), UCI Machine Learning Repository; see data/README.md.
    """
    with np.load(io.BytesIO(shipped("digits.npz", SHA256)), allow_pickle=False) as arrays:
        x = arrays["images"].reshape(-1, 64).astype(np.float32) / 16
        y = arrays["labels"].astype(np.int64)
    test = np.zeros(len(y), bool)
    for digit in range(10):
        test[np.flatnonzero(y == digit)[4::5]] = True
    return Digits(x[~test], y[~test], x[test], y[test])


def shipped(name: str, sha256: str) -> bytes:
    """Return a file of data/ as it is shipped: it lies in bnlib if that is installed.

    Raises:
        FileNotFoundError: it is missing.
        ValueError: its SHA-256 is another one.
    """
    package = Path(__file__).resolve().parents[1]
    installed = package / name
    path = installed if installed.exists() else package.parent / "data" / name
    remedy = f"Restore it with `git checkout -- data/{name}`, or install the project again."
    if not path.exists():
        raise FileNotFoundError(f"A file is missing: there is no {path}. {remedy}")
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ValueError(f"{path} is damaged or altered: its SHA-256 is not {sha256}. {remedy}")
    return content


def skewed_batches(batches: int = 10, batch_size: int = 400, seed: int = 0) -> NDArray[np.float32]:
    """Draw batches of one made-up feature, shape (`batches`, `batch_size`), float32.

    All come from one gamma distribution, shifted to mean 3, with variance 3 and skewness 1.4: not
    centred, not of variance 1, not symmetric, so that one sees what batch normalization changes and
    what not.
    """
    draws = np.random.default_rng(seed).gamma(2, np.sqrt(1.5), (batches, batch_size))
    return (draws + 3 - np.sqrt(6)).astype(np.float32)


def batches_around(example: int, n: int, batch_size: int, draws: int) -> NDArray[np.int64]:
    """Draw batches that all hold one example: it comes first, its batch-mates are random.

    Args:
        example: its number.
        n: how many examples there are.
        batch_size: how many are in a batch.
        draws: how many batches.

    Returns:
        (draws, batch_size) int64, numbers from 0 to n - 1. A row depends on `example`, `n`
        and its place alone, and a smaller `batch_size` keeps the first of its numbers.
    """
    others = np.delete(np.arange(n), example)
    mates = [
        np.random.default_rng(draw).permutation(others)[: batch_size - 1] for draw in range(draws)
    ]
    return np.column_stack([np.full(draws, example), mates])
