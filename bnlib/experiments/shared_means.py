"""Which values of an image batch share a mean with a chosen one, under each norm (NumPy only)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Place = tuple[int, int, int, int]


def company(norm: str, chosen: Place, channels: int, groups: int = 1) -> tuple[slice | int, ...]:
    """Return an index of all values that share a mean with the chosen one: `x[index]` has them.

    Args:
        norm: "BN", "LN", "GN" or "IN".
        chosen: the place (n, c, h, w) of a value in a batch (N, C, H, W).
        channels: C.
        groups: of GN, a divisor of C.

    Raises:
        ValueError: there is no such norm, or C is not divisible by `groups`.
    """
    n, c, _, _ = chosen
    if channels % groups:
        raise ValueError(f"expected groups to divide the {channels} channels, got {groups}")
    size = channels // groups
    first = c // size * size  # of the channels of its group
    indices: dict[str, tuple[slice | int, ...]] = {
        "BN": (slice(None), c),
        "LN": (n,),
        "GN": (n, slice(first, first + size)),
        "IN": (n, c),
    }
    if norm not in indices:
        raise ValueError(f"expected a norm out of {[*indices]}, got {norm!r}")
    return indices[norm]


def normalized(x: NDArray, chosen: Place, others: tuple, eps: float = 1e-5) -> float:
    """Return the chosen value, less the mean of its company, over their standard deviation.

    Args:
        x: (N, C, H, W).
        chosen: a place in it.
        others: the index of its company.
        eps: added to their variance.
    """
    return float((x[chosen] - x[others].mean()) / np.sqrt(x[others].var() + eps))


def marked(shape: Place, others: tuple) -> NDArray[np.bool_]:
    """Return an array of `shape` that is True for the company, which `others` is the index of."""
    values = np.zeros(shape, bool)
    values[others] = True
    return values
