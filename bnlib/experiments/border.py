"""A map of initial weights and learning rates, and how much of it a few trainings can tell.

Each cell is one network of six ReLU layers of 100 units, trained on the digits for 100 steps. It
is trained when it is asked for, and remembered.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

INITS: tuple[float | str, ...] = (1e-4, 1e-3, 0.01, 0.05, "he", 0.3, 3.0)
RATES = (0.001, 0.01, 0.03, 0.1, 0.5, 3.0, 10.0)
STEPS, MARK = 100, 0.8  # a network has learned if it has this share right after so many steps
CELLS = [*np.ndindex(len(INITS), len(RATES))]


class Place(NamedTuple):
    """A training: with BN or without, the row and the column of its cell, and the seed."""

    with_bn: bool
    row: int
    column: int
    seed: int


_known: dict[Place, float] = {}


def remember(accuracies: Mapping[Place, float]) -> None:
    """Take over accuracies, 0 to 1, of networks that have been trained already."""
    _known.update(accuracies)


def accuracies(places: Iterable[Place]) -> dict[Place, float]:
    """Return the accuracy of each of `places`, 0 to 1; those not known yet are trained at once."""
    places = [*places]
    for with_bn in (False, True):
        unknown = [p for p in places if p not in _known and p.with_bn == with_bn]
        for seed in {place.seed for place in unknown}:
            for _share in _training([place for place in unknown if place.seed == seed]):
                pass
    return {place: _known[place] for place in places}


def whole_map(with_bn: bool, seed: int) -> Iterator[tuple[float, NDArray[np.float64]]]:
    """Train what is left of a map, row by row, and show it as far as it is known.

    Yields: after each step the share that is done, 0 to 1, and the map, (inits, rates), 0 to 1,
        NaN where it is not known yet.
    """
    seen = np.full((len(INITS), len(RATES)), np.nan)
    for row in range(len(INITS)):
        places = [Place(with_bn, row, column, seed) for column in range(len(RATES))]
        if unknown := [place for place in places if place not in _known]:
            for share in _training(unknown):
                yield (row + 0.99 * share) / len(INITS), seen
        seen = seen.copy()
        seen[row] = [*accuracies(places).values()]
        yield (row + 1) / len(INITS), seen


def guessed(known: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the map that one would guess: each cell has what its nearest known neighbour has.

    Args:
        known: (rows, columns), NaN where nothing is known, but not everywhere; of several that are
            equally near, their mean counts.
    """
    places = np.argwhere(~np.isnan(known))
    values = known[~np.isnan(known)]
    guess = np.empty_like(known)
    for cell in np.ndindex(known.shape):
        distance = np.hypot(*(places - cell).T)
        guess[cell] = values[distance <= distance.min() + 1e-9].mean()
    return guess


def _training(places: list[Place]) -> Iterator[float]:
    """Train networks of one kind and one seed, and yield the share that is done, 0 to 1."""
    from torch.nn import BatchNorm1d

    from bnlib.experiments.sweeps import Sweep

    cases = [(INITS[place.row], RATES[place.column]) for place in places]
    norm = BatchNorm1d if places[0].with_bn else None
    sweep = Sweep(cases, [places[0].seed], norm=norm, steps=STEPS, watched=False)
    yield from sweep.train()
    _known.update(zip(places, sweep.after(STEPS)[:, 0].tolist(), strict=True))
