"""Lesson 00: the first functions a student writes here, and what can go wrong in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bnlib.exercises.checking import (
    Exercise,
    Finding,
    Sign,
    Slip,
    exception_words,
    first_sign,
    refusal,
    run,
)
from bnlib.experiments.signal_propagation import propagate, spread, ten_of_each_digit

# Measure the spread


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


# A repair of your own

ENOUGH = 95  # of 100 images; right ways get 98 or more, from stacks of five seeds


@dataclass(frozen=True)
class Repair:
    """What was seen of a student's repair of the activations of a layer without BN.

    Attributes:
        before: the activations (N, C).
        after: what the student made of them, (N, C).
        right: how many of 100 images a last layer gets right that has learnt from them.
        names: what the student's function calls, as far as Python tells.
    """

    before: NDArray
    after: NDArray
    right: int
    names: tuple[str, ...]

    def taken(self, axis: int) -> bool:
        """Whether the same has been subtracted all along an axis."""
        difference = self.before - self.after
        first = np.take(difference, [0], axis)
        return np.allclose(difference, first, rtol=0, atol=1e-3 * spread(self.before))

    def magnified(self) -> bool:
        """Whether each unit has only been multiplied."""
        factors = self.after / self.before
        return np.allclose(factors, factors[0], rtol=1e-7)


REPAIR_SIGNS = (
    Sign(
        "all images are alike now",
        "Nothing is left to learn from. Have you subtracted each image from itself?",
        lambda r: spread(r.after) == 0,
    ),
    Sign(
        "nothing has changed",
        "Return a new array, in which all that the images share is gone or small.",
        lambda r: np.array_equal(r.before, r.after),
    ),
    Sign(
        "each unit is only multiplied",
        "That magnifies what the images share as well. Subtract something first.",
        lambda r: r.magnified(),
    ),
    Sign(
        "one number is subtracted from all units",
        "Look at the stripes in step 1: each unit has a value of its own that all images share. "
        "Subtract a row of 100 numbers.",
        lambda r: r.taken(0) and r.taken(1),
    ),
    Sign(
        "each image gets a number of its own subtracted",
        "What the images share differs from unit to unit. Subtract the same row from all images.",
        lambda r: r.taken(1),
    ),
    Sign(
        "the right thing is subtracted, and nothing is magnified",
        "What is left is as small as before, about 0.00003, and at rate 1 a last layer takes too "
        "small steps for it. Multiply it, by 10,000 say.",
        lambda r: r.taken(0) and r.right < ENOUGH,
    ),
    Sign(
        "the images still share too much, or differ too little",
        "Print what your function returns, its smallest and its largest value in each column: they "
        "should be about as far from each other as from 0, and that should be about 1.",
        lambda r: r.right < ENOUGH,
    ),
    Sign(
        "it works, and it uses mean or std",
        "That is how BN does it. Can you do without them?",
        lambda r: bool({"mean", "std", "var", "average"}.intersection(r.names)),
    ),
)


def check_repair(f: Callable) -> Finding:
    """Check a repair of the activations of the sixth layer without BN, and name its slip.

    Args:
        f: called as `f(activations)` with an array (100, 100), images and units; it returns one of
            the same shape, from which a last layer is to learn at rate 1 in 100 steps.

    Returns:
        Whether it does, and what to do if not.
    """
    if words := refusal(f, ("activations",)):
        return Finding(False, words)
    images, digits = ten_of_each_digit()
    before = propagate(images, 6, batch_norm=False)[5]
    done = run(f, (before,))
    if done.is_stub:
        return Finding(False, "Not written yet. Your function is to return activations (100, 100).")
    if done.raised:
        return Finding(False, exception_words(done.raised))
    after = done.returned
    if not isinstance(after, np.ndarray) or after.shape != before.shape:
        return Finding(False, f"Not yet: return an array of the shape {before.shape}.")
    if not np.isfinite(after).all():
        return Finding(False, "Not yet: there are NaN or infinite numbers. Divided by 0?")
    right = _learn(after, digits)
    names = getattr(getattr(f, "__code__", None), "co_names", ())
    return first_sign(
        REPAIR_SIGNS,
        Repair(before, after, right, names),
        f"Right: from these the last layer learns {right} of 100 digits, in 100 steps at rate 1.",
    )


def _learn(a: NDArray, digits: NDArray, rate: float = 1, steps: int = 100) -> int:
    """Return how many of the digits (N,) softmax regression on activations (N, C) gets right."""
    w, wanted = np.zeros((a.shape[1], 10)), np.eye(10)[digits]
    with np.errstate(all="ignore"):
        for _ in range(steps):
            answers = np.exp(a @ w - (a @ w).max(axis=1, keepdims=True))
            answers /= answers.sum(axis=1, keepdims=True)
            w += rate * a.T @ (wanted - answers) / len(a)
        return int(np.sum((a @ w).argmax(axis=1) == digits))
