"""How well a layer tells the images of a batch apart, and how many of its units still work (NumPy
only).
"""

import numpy as np
from numpy.typing import NDArray

from bnlib.experiments.signal_propagation import sigmoid


def activate(inputs: NDArray, activation: str) -> NDArray:
    """What "relu" or "sigmoid" makes of `inputs`, any shape, finite."""
    if activation == "relu":
        return np.maximum(inputs, 0)
    return sigmoid(np.clip(inputs, -60, 60))  # beyond, exp overflows, and nothing changes


def row_correlation(activations: NDArray) -> float:
    """Mean correlation, -1 to 1, between the rows of `activations` (N, C), one row for each image,
    over all pairs of two images. At 1, the layer says the same to every image. NaN if the units all
    give one value to an image: a constant row has no correlation.
    """
    rows = activations.astype(np.float64)
    rows -= rows.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    if not lengths.all():
        return np.nan
    # The squared length of the sum of N unit vectors is N plus the correlation of each pair.
    n = len(rows)
    return float((np.sum((rows / lengths).sum(axis=0) ** 2) - n) / (n * (n - 1)))


def dead_share(inputs: NDArray) -> float:
    """Share, 0 to 1, of the units of a ReLU layer whose input is 0 or less for every image of the
    batch: `inputs` (N, C). Such a unit gives 0, and no gradient reaches its weights.
    """
    return float(np.all(inputs <= 0, axis=0).mean())
