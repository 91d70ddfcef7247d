"""Lesson 00: the first function a student writes here, and what can go wrong in it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bnlib.exercises.checking import Exercise, Finding, Slip, refusal


def _spread(
    activations: NDArray,
    *,
    each: Callable = lambda a: a.std(axis=0),
    together: Callable = lambda spreads: spreads.mean(keepdims=True),
) -> NDArray:
    """Compute the spread over the batch, in steps that a slip may replace."""
    return together(each(activations))


SLIPS = (
    Slip(
        "the spread over the units of each image",
        "The question is whether images differ: for each unit, take the spread down its column, "
        "axis 0.",
        {"each": lambda a: a.std(axis=1)},
    ),
    Slip(
        "one spread of the whole array",
        "Units that differ from each other would count as if images did. Take the spread of each "
        "column, and then the mean.",
        {"each": lambda a: np.atleast_1d(a.std())},
    ),
    Slip(
        "the variance",
        "The standard deviation is its root, and has the unit of the activations.",
        {"each": lambda a: a.var(axis=0)},
    ),
    Slip(
        "divided by N - 1",
        "These are all the images that we look at, no sample of them: divide by N, as std() does.",
        {"each": lambda a: a.std(axis=0, ddof=1)},
    ),
    Slip(
        "one spread for each unit",
        "The layer is to get one number: take the mean over the units.",
        {"together": lambda spreads: spreads},
    ),
    Slip(
        "the largest of the spreads",
        "One lively unit would hide a hundred silent ones. Take the mean over the units.",
        {"together": lambda spreads: spreads.max(keepdims=True)},
    ),
    Slip(
        "the sum of the spreads",
        "It grows with the number of units. Take the mean over them.",
        {"together": lambda spreads: spreads.sum(keepdims=True)},
    ),
)
CASES = (
    (np.array([[0.0, 5.0], [2.0, 5.0]]),),
    (np.array([[0.1, 0.9, 0.4], [0.3, 0.2, 0.4], [0.8, 0.7, 0.4], [0.2, 0.1, 0.5]]),),
)
EXERCISE = Exercise(
    right=_spread,
    results=("spread",),
    stages=(CASES,),
    slips=SLIPS,
    praise="Right: 0 if all images get the same answer, and it ignores how units differ.",
)


def check_spread(f: Callable) -> Finding:
    """Check a measure of how much a layer tells images apart, and name the slip if there is one.

    Args:
        f: called as `f(activations)` with an array (N, C), N images and C units; it returns a
            number: the standard deviation over the images, averaged over the units.

    Returns:
        Whether it is right, and what to do if not.
    """
    if words := refusal(f, EXERCISE.arguments):
        return Finding(False, words)
    return EXERCISE.check(lambda activations: _as_array(f(activations)))


def _as_array(returned):
    """Return a number as an array (1,), which is what an Exercise compares."""
    return np.atleast_1d(returned) if isinstance(returned, (int, float, np.number)) else returned
