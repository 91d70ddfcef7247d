"""The exercises to draw the curves of the paper's Figure 1 (c), and to judge a difference."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bnlib.exercises.checking import Exercise, Finding, Slip

EPS = 1e-5
PERCENTILES = (15, 50, 85)

# Percentiles of a unit over the steps


def _bands(
    z: NDArray,
    gamma: NDArray,
    beta: NDArray,
    running_mean: NDArray,
    running_var: NDArray,
    unit: int,
    *,
    statistics: Callable = lambda z, mean, var: (z.mean(1, keepdims=True), z.var(1, keepdims=True)),
    spread: Callable = lambda var: np.sqrt(var + EPS),
    x_hat: Callable = lambda z, mean, spread: (z - mean) / spread,
    scale: Callable = lambda x, gamma, beta: gamma[:, None] * x + beta[:, None],
    activation: Callable = lambda y: y,
    values: Callable = lambda y, unit: y[:, :, unit],
    summary: Callable = lambda values: np.percentile(values, PERCENTILES, axis=1).T,
    layout: Callable = lambda bands: bands,
) -> NDArray:
    """Compute the percentiles of what enters the sigmoid, in steps that a slip may replace."""
    mean, var = statistics(z, running_mean[:, None], running_var[:, None])
    y = activation(scale(x_hat(z, mean, spread(var)), gamma, beta))
    return layout(summary(values(y, unit)))


BAND_SLIPS = (
    # Where in the network
    Slip(
        "before BN",
        "What enters the sigmoid has been normalized, scaled and shifted; z is what enters BN.",
        {"x_hat": lambda z, mean, spread: z, "scale": lambda x, gamma, beta: x},
    ),
    Slip(
        "after the sigmoid",
        "Figure 1 shows the inputs of the sigmoid, not its outputs.",
        {"activation": lambda y: 1 / (1 + np.exp(-y))},
    ),
    Slip(
        "x̂, without γ and β",
        "The sigmoid gets y = γ x̂ + β.",
        {"scale": lambda x, gamma, beta: x},
    ),
    Slip(
        "γ and β of the last look for all looks",
        "They are learned: each look has its own.",
        {"scale": lambda x, gamma, beta: gamma[-1] * x + beta[-1]},
    ),
    # Whose statistics
    Slip(
        "normalized by the running averages",
        "The claim is about training, where BN uses the mean and the variance of its batch. The "
        "averages lag behind the weights, and make the curves move.",
        {"statistics": lambda z, mean, var: (mean, var)},
    ),
    Slip(
        "one mean and one variance for the whole layer",
        "Each unit has its own, over the examples of the batch.",
        {
            "statistics": lambda z, mean, var: (
                z.mean((1, 2), keepdims=True),
                z.var((1, 2), keepdims=True),
            )
        },
    ),
    Slip(
        "one mean and one variance for all looks",
        "Each look is a batch of its own; over all of them the curves would move with z.",
        {
            "statistics": lambda z, mean, var: (
                z.mean((0, 1), keepdims=True),
                z.var((0, 1), keepdims=True),
            )
        },
    ),
    Slip(
        "statistics of each example",
        "Mean and variance of a unit run over the examples, axis 1 of z.",
        {"statistics": lambda z, mean, var: (z.mean(2, keepdims=True), z.var(2, keepdims=True))},
    ),
    Slip(
        "the unbiased variance",
        "In training mode BN divides by the number of examples.",
        {
            "statistics": lambda z, mean, var: (
                z.mean(1, keepdims=True),
                z.var(1, keepdims=True, ddof=1),
            )
        },
    ),
    Slip(
        "divided by the variance",
        "x̂ is divided by the root of σ² + ε.",
        {"spread": lambda var: var + EPS},
    ),
    Slip("ε is missing", "x̂ = (z − μ) / √(σ² + ε), with ε = 1e-5.", {"spread": np.sqrt}),
    # Which values
    Slip(
        "over the units of one example",
        "A curve is of one unit, and the percentiles are over the examples.",
        {"values": lambda y, unit: y[:, unit, :]},
    ),
    Slip(
        "all units together",
        "A curve is of one unit; pooled, their differences look like a spread.",
        {"values": lambda y, unit: y.reshape(len(y), -1)},
    ),
    Slip(
        "the unit counted from 1",
        "Here it is counted from 0.",
        {"values": lambda y, u: y[:, :, u - 1]},
    ),
    # How they are summed up
    Slip(
        "0.15 is no 15th percentile",
        "np.percentile wants per cent; shares are for np.quantile.",
        {"summary": lambda v: np.percentile(v, (0.15, 0.5, 0.85), axis=1).T},
    ),
    Slip(
        "the quartiles",
        "The paper shows the 15th, the 50th and the 85th percentile.",
        {"summary": lambda v: np.percentile(v, (25, 50, 75), axis=1).T},
    ),
    Slip(
        "the mean for the 50th percentile",
        "That is the median; they differ where the distribution is skewed.",
        {
            "summary": lambda v: np.stack(
                [np.percentile(v, 15, axis=1), v.mean(1), np.percentile(v, 85, axis=1)], axis=1
            )
        },
    ),
    Slip(
        "mean and standard deviation",
        "Percentiles need no bell shape, and that is why the paper has them.",
        {"summary": lambda v: v.mean(1)[:, None] + np.outer(v.std(1), (-1, 0, 1))},
    ),
    Slip(
        "a row for each percentile",
        "A row is a look, a column a percentile: shape (looks, 3).",
        {"layout": np.transpose},
    ),
)


def _case(seed: int, looks: int, examples: int, units: int, unit: int) -> tuple:
    generator = np.random.default_rng(seed)
    z = np.round(generator.gamma(2, 1, (looks, examples, units)), 1)
    z += np.arange(looks)[:, None, None]  # what enters BN wanders
    gamma, beta, mean = (np.round(generator.normal(1, 0.5, (looks, units)), 1) for _ in range(3))
    return z, gamma, beta, mean, np.full((looks, units), 1.5), unit


BAND_CASES = (_case(0, 2, 4, 2, 1), _case(1, 4, 7, 5, 2), _case(2, 3, 20, 6, 4))

BANDS = Exercise(
    right=_bands,
    results=("bands",),
    stages=(BAND_CASES,),
    slips=BAND_SLIPS,
    praise="Right: these are the curves of Figure 1 (c).",
)


def check_bands(f: Callable) -> Finding:
    """Check a student's percentiles of a unit's input over the steps, and name the slip if any.

    Args:
        f: called as `f(z, gamma, beta, running_mean, running_var, unit)`, with z (looks, N, units)
            what enters BN, four arrays (looks, units), and the number of a unit, from 0; it
            returns the 15th, 50th and 85th percentile of what enters the sigmoid, (looks, 3).

    Returns: whether it is right, and what to do if not.
    """
    return BANDS.check(f)


# Is a difference proven?


def _difference(
    right_a: NDArray,
    right_b: NDArray,
    *,
    pairs: Callable = lambda a, b: a - b,
    axis: Callable = lambda: 1,
    variance: Callable = lambda a, b, d, axis: d.var(axis=axis, ddof=1),
    count: Callable = lambda a, b, axis: a.shape[axis],
    error: Callable = lambda variance, n: np.sqrt(variance / n),
    unit: Callable = lambda difference, error: (difference, error),
) -> tuple[NDArray, NDArray]:
    """Compute a difference and its standard error, in steps that a slip may replace."""
    d, along = pairs(right_a, right_b), axis()
    of_pairs = variance(right_a, right_b, d, along)
    return unit(d.mean(axis=along), error(of_pairs, count(right_a, right_b, along)))


DIFFERENCE_SLIPS = (
    Slip(
        "as if other images had been shown to each network",
        "Both saw the same images. Most images are right in both or wrong in both, and say nothing "
        "about the difference; take the variance of a − b.",
        {"variance": lambda a, b, d, axis: a.var(axis=axis, ddof=1) + b.var(axis=axis, ddof=1)},
    ),
    Slip(
        "the standard error of one network alone",
        "It is the difference that is judged.",
        {"variance": lambda a, b, d, axis: a.var(axis=axis, ddof=1)},
    ),
    Slip(
        "the standard deviation of the images",
        "A mean of n images varies less than an image, by the root of n.",
        {"error": lambda variance, n: np.sqrt(variance)},
    ),
    Slip(
        "no root",
        "The standard error is the root of s² / n.",
        {"error": lambda variance, n: variance / n},
    ),
    Slip(
        "divided by n, not by its root",
        "The standard error is s / √n.",
        {"error": lambda variance, n: np.sqrt(variance) / n},
    ),
    Slip(
        "n counts both networks",
        "Each image is one pair.",
        {"count": lambda a, b, axis: 2 * a.shape[axis]},
    ),
    Slip(
        "n counts the images of all seeds",
        "Each seed has its own difference, of its own images.",
        {"count": lambda a, b, axis: a.size},
    ),
    Slip(
        "n counts only the images on which they differ",
        "The others are images too, with a difference of 0.",
        {"count": lambda a, b, axis: (a != b).sum(axis=axis)},
    ),
    Slip(
        "s² divides by n",
        "Its mean is estimated from the same images: divide by n − 1, ddof=1 in NumPy.",
        {"variance": lambda a, b, d, axis: d.var(axis=axis)},
    ),
    Slip(
        "over the seeds",
        "A row is a seed; its images lie along axis 1.",
        {"axis": lambda: 0},
    ),
    Slip(
        "in per cent",
        "Both are shares, from 0 to 1.",
        {"unit": lambda difference, error: (100 * difference, 100 * error)},
    ),
    Slip(
        "one in per cent, one as a share",
        "Then 0.3 and 0.004 look far apart, and are the same size.",
        {"unit": lambda difference, error: (100 * difference, error)},
    ),
    Slip(
        "two standard errors",
        "Return one; the factor of 2 comes with the question.",
        {"unit": lambda difference, error: (difference, 2 * error)},
    ),
    Slip("b − a", "The difference is a − b.", {"pairs": lambda a, b: b - a}),
)


def _answers(*rows: str) -> NDArray:
    return np.array([[float(answer) for answer in row] for row in rows])


DIFFERENCE_CASES = (
    (_answers("1110", "1101"), _answers("1000", "1011")),
    (_answers("11110110", "11111111", "11010111"), _answers("11010100", "11111011", "01010011")),
    (
        _answers("111101111011", "110111111110", "111111110111", "101111101111"),
        _answers("110101110011", "110111011110", "111011110101", "111011101011"),
    ),
)

DIFFERENCE = Exercise(
    right=_difference,
    results=("difference", "error"),
    stages=(DIFFERENCE_CASES,),
    slips=DIFFERENCE_SLIPS,
    praise="Right: the difference of each seed, and how far chance alone may carry it.",
)


def check_difference(f: Callable) -> Finding:
    """Check a student's paired difference of accuracies, and name the slip if there is one.

    Args:
        f: called as `f(right_a, right_b)`, two arrays (seeds, images) of 1.0 where an image is
            right and 0.0 where not; it returns the difference of the accuracies and its standard
            error, each (seeds,), as shares.

    Returns: whether it is right, and what to do if not.
    """
    return DIFFERENCE.check(f)
