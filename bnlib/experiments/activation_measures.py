"""How well a layer tells images apart, and how many of its units still work (NumPy only)."""

import numpy as np
from numpy.typing import NDArray

from bnlib.experiments.signal_propagation import sigmoid


def activate(inputs: NDArray, activation: str) -> NDArray:
    """Return what "relu" or "sigmoid" makes of `inputs`, any shape, finite."""
    if activation == "relu":
        return np.maximum(inputs, 0)
    return sigmoid(np.clip(inputs, -60, 60))  # beyond, exp overflows, and nothing changes


def row_correlation(activations: NDArray) -> float:
    """Return the mean correlation, -1 to 1, of two rows of `activations` (N, C), over all pairs.

    A row is what the layer says to an image. At 1, it says the same to all. NaN if the units all
    give one value to an image: a constant row has no correlation.
    """
    rows = _unit_rows(activations)
    n = len(rows)
    return _over_pairs(rows) / (n * (n - 1))


def bands(activations: NDArray, digits: NDArray) -> float:
    """Return by how much two rows of one digit correlate more than two of different digits.

    Of noise it is near 0, whatever is added to a unit or subtracted from it.

    Args:
        activations: (N, C); no row may be constant.
        digits: of the rows, (N,), at least one of them twice.
    """
    rows = _unit_rows(activations)
    kinds, counts = np.unique(digits, return_counts=True)
    same = sum(_over_pairs(rows[digits == digit]) for digit in kinds)
    pairs, pairs_of_same = len(rows) * (len(rows) - 1), np.sum(counts * (counts - 1))
    different = (_over_pairs(rows) - same) / (pairs - pairs_of_same)
    return float(same / pairs_of_same - different)


def _unit_rows(activations: NDArray) -> NDArray:
    """Return rows whose products are their correlations; NaN for all if one of them is constant."""
    rows = activations.astype(np.float64)
    rows -= rows.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / (lengths if lengths.all() else np.nan)


def _over_pairs(rows: NDArray) -> float:
    """Sum the products of all ordered pairs of different rows; the rows are unit vectors (N, C).

    The squared length of their sum is N plus that, so no matrix (N, N) is needed.
    """
    return float(np.sum(rows.sum(axis=0) ** 2) - len(rows))


def dead_share(inputs: NDArray) -> float:
    """Return the share, 0 to 1, of the units of a ReLU layer that are dead on a batch.

    Such a unit gets `inputs` (N, C) of 0 or less for every image; it gives 0, and no gradient
    reaches its weights.
    """
    return float(np.all(inputs <= 0, axis=0).mean())


def straight_share(x: NDArray, activations: NDArray) -> float:
    """Return the share, 0 to 1, of the variance of `activations` that a straight map of `x` gives.

    That is R² of the best linear map with a constant, over all units together. At 1, a single
    linear layer could stand in for all layers up to this one.

    Args:
        x: inputs of the network (N, D).
        activations: of one of its layers (N, C), not all constant.
    """
    inputs = np.column_stack([x, np.ones(len(x))]).astype(np.float64)
    outputs = activations.astype(np.float64)
    rest = outputs - inputs @ np.linalg.lstsq(inputs, outputs, rcond=None)[0]
    return float(1 - rest.var(axis=0).sum() / outputs.var(axis=0).sum())
