"""The exercise to write the update of the running averages."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bnlib.exercises.checking import Exercise, Finding, Slip


def _update(
    running: tuple[NDArray, NDArray],
    batch: NDArray,
    momentum: float,
    *,
    mean: Callable = lambda batch: batch.mean(axis=0),
    squares: Callable = lambda batch, mean, old_mean: ((batch - mean) ** 2).sum(axis=0),
    count: Callable = len,
    divisor: Callable = lambda m: m - 1,
    spread: Callable = lambda var: var,
    blend: Callable = lambda old, now, momentum: (1 - momentum) * old + momentum * now,
    pair: Callable = lambda new, old: new,
) -> tuple[NDArray, NDArray]:
    """Compute the new running averages, in steps that a slip may replace."""
    mu = mean(batch)
    var = spread(squares(batch, mu, running[0]) / divisor(count(batch)))
    new = (blend(running[0], mu, momentum), blend(running[1], var, momentum))
    return pair(new, running)


SLIPS = (
    # What is averaged
    Slip(
        "the biased variance stored",
        "The batch is a sample, and its variance is to describe all data: what is stored divides "
        "by m - 1.",
        {"divisor": lambda m: m},
    ),
    Slip(
        "m / (m - 1) upside down",
        "The unbiased variance is the larger one.",
        {"divisor": lambda m: m * m / (m - 1)},
    ),
    Slip(
        "m / (m - 1) twice",
        "With ddof=1, var has divided by m - 1 already.",
        {"divisor": lambda m: (m - 1) ** 2 / m},
    ),
    Slip(
        "the variance of the batch mean",
        "That is smaller by a factor of m. Stored is the variance of single values.",
        {"divisor": lambda m: m * (m - 1)},
    ),
    Slip(
        "a sum of squares for the variance",
        "What is stored is that sum divided by m - 1.",
        {"divisor": lambda m: 1},
    ),
    Slip(
        "the standard deviation where the variance belongs",
        "What is averaged is the variance; the root is taken in evaluation mode.",
        {"spread": np.sqrt},
    ),
    Slip(
        "the variance around the running mean",
        "The variance of a batch is measured from the mean of that batch.",
        {"squares": lambda batch, mean, old_mean: ((batch - old_mean) ** 2).sum(axis=0)},
    ),
    Slip(
        "statistics of each example",
        "Each channel has its statistics: they run over the examples, axis 0.",
        {
            "mean": lambda batch: batch.mean(axis=1),
            "squares": lambda batch, mean, old_mean: batch.var(axis=1) * batch.shape[1],
            "count": lambda batch: batch.shape[1],
        },
    ),
    Slip(
        "one mean and one variance for the whole batch",
        "Each channel has its own unit, so each gets its own mean and its own variance.",
        {
            "mean": lambda batch: batch.mean(),
            "squares": lambda batch, mean, old_mean: ((batch - mean) ** 2).sum(),
            "count": lambda batch: batch.size,
        },
    ),
    # How it is averaged
    Slip(
        "momentum the wrong way round",
        "Here it is the weight of the new value, as in PyTorch. (In Keras it is that of the old.)",
        {"blend": lambda old, now, momentum: momentum * old + (1 - momentum) * now},
    ),
    Slip(
        "momentum is always 0.1",
        "It is an argument: use the one that is handed over.",
        {"blend": lambda old, now, momentum: 0.9 * old + 0.1 * now},
    ),
    Slip(
        "the old values keep their full weight",
        "The two weights add up to 1, so the old value is multiplied by 1 - momentum.",
        {"blend": lambda old, now, momentum: old + momentum * now},
    ),
    Slip(
        "the old values are ignored",
        "An average over time keeps a share 1 - momentum of the old value.",
        {"blend": lambda old, now, momentum: momentum * now},
    ),
    Slip(
        "the batch replaces the running averages",
        "An average over time keeps a share 1 - momentum of the old value.",
        {"blend": lambda old, now, momentum: now + 0 * old},
    ),
    Slip(
        "a plain average of old and new",
        "The new value has the weight momentum, the old one 1 - momentum.",
        {"blend": lambda old, now, momentum: (old + now) / 2},
    ),
    Slip(
        "the running averages stay as they were",
        "That is evaluation mode. In training mode each batch moves them.",
        {"blend": lambda old, now, momentum: old},
    ),
    # The pair
    Slip(
        "the mean is not updated",
        "Each batch moves both averages.",
        {"pair": lambda new, old: (old[0], new[1])},
    ),
    Slip(
        "the variance is not updated",
        "Each batch moves both averages.",
        {"pair": lambda new, old: (new[0], old[1])},
    ),
    Slip(
        "mean and variance exchanged",
        "The pair is (mean, variance).",
        {"pair": lambda new, old: (new[1], new[0])},
    ),
)

CASES = (
    ((np.array([0.0]), np.array([1.0])), np.array([[2.0], [8.0]]), 0.1),
    # As many examples as channels, so that nothing is refused that lies along the wrong axis.
    (
        (np.array([1.0, 10]), np.array([2.0, 50])),
        np.array([[2.0, 10], [8, 30]]),
        0.25,
    ),
    (
        (np.array([1.0, -20, 5]), np.array([4.0, 500, 1])),
        np.array([[1.0, -40, 5], [2, -10, 5], [4, -30, 5], [9, -80, 5]]),
        0.3,
    ),
)

EXERCISE = Exercise(
    right=_update,
    results=("mean", "var"),
    stages=(CASES,),
    slips=SLIPS,
    praise="Right: both averages move as they do in PyTorch.",
)


def check_running(f: Callable) -> Finding:
    """Check an update of running averages that a student wrote, and name the slip if there is one.

    Args:
        f: called as `f(running, batch, momentum)`, with running a pair (mean, var) of arrays of
            shape (C,), batch of shape (N, C), and momentum the weight of the new value; it returns
            the new pair.

    Returns: whether it is right, and what to do if not.
    """
    return EXERCISE.check(f)
