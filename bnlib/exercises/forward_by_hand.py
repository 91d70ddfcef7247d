"""The exercise to write batch normalization forward, and the one to break a weak test of it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bnlib.exercises.checking import (
    Exercise,
    Finding,
    Slip,
    exception_words,
    passes,
    refusal,
    refused_test,
    run,
)


def _shared_axes(x):
    return (0, *range(2, x.ndim))


def _mean(x, axes):
    return x.mean(axis=axes, keepdims=True)


def _biased_variance(x, mu, axes):
    return ((x - mu) ** 2).mean(axis=axes, keepdims=True)


def _normalize(x, mu, var, eps):
    return (x - mu) / np.sqrt(var + eps)


def _by_channel(parameter, x):
    return parameter.reshape(1, -1, *[1] * (x.ndim - 2))


def _by_example(parameter, x):
    return parameter.reshape(-1, *[1] * (x.ndim - 1))


def _scale_and_shift(x_hat, gamma, beta):
    return gamma * x_hat + beta


def _batch_norm(
    x: NDArray,
    gamma: NDArray,
    beta: NDArray,
    eps: float,
    *,
    axes: Callable = _shared_axes,
    mu: Callable = _mean,
    var: Callable = _biased_variance,
    x_hat: Callable = _normalize,
    place_gamma: Callable = _by_channel,
    place_beta: Callable = _by_channel,
    y: Callable = _scale_and_shift,
) -> NDArray:
    """Compute batch normalization, in steps that a slip may replace."""
    shared = axes(x)
    means = mu(x, shared)
    normalized = x_hat(x, means, var(x, means, shared), eps)
    return y(normalized, place_gamma(gamma, x), place_beta(beta, x))


def _all_but_first(x):
    return (*range(1, x.ndim),)


SLIPS = (
    # Which entries share a mean
    Slip(
        "statistics of each example",
        "That is layer normalization. In BN the examples of a batch share a mean, and each "
        "channel has its own: on a matrix that is axis 0.",
        {"axes": _all_but_first},
    ),
    Slip(
        "the statistics of the rows, subtracted from the columns",
        "A mean over axis 1 has the shape (N,), and NumPy lines it up with the last axis. BN takes "
        "the mean over axis 0.",
        {
            "mu": lambda x, axes: x.mean(axis=1),
            "var": lambda x, mu, axes: x.var(axis=1),
        },
    ),
    Slip(
        "one mean and one variance for the whole array",
        "Each channel has its own unit, so each gets its own mean and its own variance.",
        {"axes": lambda x: (*range(x.ndim),)},
    ),
    Slip(
        "statistics of each image",
        "That is instance normalization. In BN all images share the mean of a channel: it runs "
        "over the axes 0, 2 and 3.",
        {"axes": lambda x: (*range(2, x.ndim),) or (0,)},
    ),
    Slip(
        "statistics of each position",
        "A filter does the same everywhere, so all positions of a channel share a mean: it runs "
        "over the axes 0, 2 and 3, not over axis 0 alone.",
        {"axes": lambda x: (0,)},
    ),
    Slip(
        "statistics over the channels",
        "Axis 1 holds the channels, and each has a mean of its own: it runs over the axes 0, 2 "
        "and 3.",
        {"axes": lambda x: (1,) if x.ndim > 2 else (0,)},
    ),
    Slip(
        "statistics that lie along the width",
        "They have the shape (C,), and NumPy lines that up with the last axis. keepdims=True makes "
        "it (1, C, 1, 1).",
        {
            "mu": lambda x, axes: x.mean(axis=axes),
            "var": lambda x, mu, axes: x.var(axis=axes),
        },
    ),
    # Mean and variance
    Slip(
        "the mean is not subtracted",
        "BN moves each channel to mean 0 before it divides.",
        {"x_hat": lambda x, mu, var, eps: x / np.sqrt(var + eps)},
    ),
    Slip(
        "m - 1 in the variance",
        "BN normalizes with the biased variance, which divides by m. (The unbiased one is kept "
        "for later use.)",
        {"var": lambda x, mu, axes: x.var(axis=axes, ddof=1, keepdims=True)},
    ),
    Slip(
        "a sum of squares, not their mean",
        "The variance is the mean of the squared distances: the sum divided by m.",
        {"var": lambda x, mu, axes: ((x - mu) ** 2).sum(axis=axes, keepdims=True)},
    ),
    Slip(
        "the examples counted, not the entries",
        "m is the number of entries that share a mean, N * H * W for images.",
        {
            "mu": lambda x, axes: x.sum(axis=axes, keepdims=True) / len(x),
            "var": lambda x, mu, axes: ((x - mu) ** 2).sum(axis=axes, keepdims=True) / len(x),
        },
    ),
    Slip(
        "the mean of x squared for the variance",
        "The variance is the mean of (x - mu) squared: measure from the mean, not from 0.",
        {"var": lambda x, mu, axes: (x**2).mean(axis=axes, keepdims=True)},
    ),
    Slip(
        "the standard deviation where the variance belongs",
        "The root is taken once, of the variance plus eps.",
        {"var": lambda x, mu, axes: x.std(axis=axes, keepdims=True)},
    ),
    Slip(
        "the variance as mean of squares minus square of mean, in float32",
        "On paper that is the same. But the two are near 1e8 here, where neighbouring float32 "
        "numbers are 8 apart, and the variance drowns. Subtract the mean first.",
        {
            "var": lambda x, mu, axes: (x**2).mean(axis=axes, keepdims=True) - mu**2,
        },
    ),
    # Root and eps
    Slip(
        "eps outside the root",
        "It is added to the variance, and then the root is taken of both.",
        {"x_hat": lambda x, mu, var, eps: (x - mu) / (np.sqrt(var) + eps)},
    ),
    Slip(
        "eps forgotten",
        "It is added to the variance, so that a constant channel is not 0 / 0.",
        {"x_hat": lambda x, mu, var, eps: (x - mu) / np.sqrt(var)},
    ),
    Slip(
        "eps is always 1e-5",
        "It is an argument: use the one that is handed over.",
        {"x_hat": lambda x, mu, var, eps: (x - mu) / np.sqrt(var + 1e-5)},
    ),
    Slip(
        "the root forgotten",
        "BN divides by a standard deviation, the root of variance plus eps.",
        {"x_hat": lambda x, mu, var, eps: (x - mu) / (var + eps)},
    ),
    # gamma and beta
    Slip(
        "gamma forgotten",
        "The output is gamma * x_hat + beta.",
        {"y": lambda x_hat, gamma, beta: x_hat + beta},
    ),
    Slip(
        "beta forgotten",
        "The output is gamma * x_hat + beta.",
        {"y": lambda x_hat, gamma, beta: gamma * x_hat},
    ),
    Slip(
        "gamma and beta forgotten",
        "The output is gamma * x_hat + beta.",
        {"y": lambda x_hat, gamma, beta: x_hat},
    ),
    Slip(
        "gamma and beta exchanged",
        "gamma is the factor, beta the summand.",
        {"y": lambda x_hat, gamma, beta: beta * x_hat + gamma},
    ),
    Slip(
        "beta added before gamma multiplies",
        "The output is gamma * x_hat + beta, so beta is not scaled.",
        {"y": lambda x_hat, gamma, beta: gamma * (x_hat + beta)},
    ),
    Slip(
        "one gamma for each example",
        "There is one gamma for each channel, the same for all examples.",
        {"place_gamma": _by_example},
    ),
    Slip(
        "one beta for each example",
        "There is one beta for each channel, the same for all examples.",
        {"place_beta": _by_example},
    ),
    Slip(
        "gamma lies along the width",
        "It has the shape (C,), and NumPy lines that up with the last axis. As (1, C, 1, 1) it "
        "belongs to the channels.",
        {"place_gamma": lambda gamma, x: gamma},
    ),
    Slip(
        "beta lies along the width",
        "It has the shape (C,), and NumPy lines that up with the last axis. As (1, C, 1, 1) it "
        "belongs to the channels.",
        {"place_beta": lambda beta, x: beta},
    ),
)


def _float32(x, gamma, beta, eps):
    return *(np.array(a, np.float32) for a in (x, gamma, beta)), eps


# In the two smallest cases the variance is 9 and eps so large that it counts: the root is 5.
_COLUMN = np.array([[2.0], [8.0]])
# Elsewhere signs are mixed, and one channel is constant.
_MATRIX = np.array([[1.0, -40, 5], [2, -10, 5], [4, -30, 5], [9, -80, 5]])
_IMAGES = np.random.default_rng(0).normal(3, 2, (3, 2, 4, 5)).round(2) * [[[1]], [[-1]]]
_ON_MATRIX = (_MATRIX, np.array([2.0, -1, 3]), np.array([0.5, 1, -2]), 1e-5)
_ON_IMAGES = (_IMAGES, np.array([2.0, -1]), np.array([0.5, 1]), 1e-3)

MATRICES = (
    (_COLUMN, np.array([1.0]), np.array([0.0]), 16.0),
    (_COLUMN, np.array([2.0]), np.array([1.0]), 16.0),
    # As many examples as channels, so that nothing is refused that lies along the wrong axis.
    (np.array([[2.0, 10], [8, 30]]), np.array([1.0, 2]), np.array([0.0, 10]), 16.0),
    _ON_MATRIX,
)
IMAGES = (
    (np.array([[[[1.0, 3]]], [[[4, 12]]]]), np.array([1.0]), np.array([0.0]), 9.0),
    # As wide as there are channels, for the same reason.
    (
        np.array([[[[1.0, 3]], [[0, 6]]], [[[4, 12]], [[2, 20]]]]),
        np.array([1.0, 2]),
        np.array([0.0, 10]),
        9.0,
    ),
    _ON_IMAGES,
)
SINGLE_PRECISION = (
    _float32([[9999], [10001]], [1], [0], 1e-5),
    _float32(*_ON_MATRIX),
    _float32(*_ON_IMAGES),
)

EXERCISE = Exercise(
    right=_batch_norm,
    results=("y",),
    stages=(MATRICES, IMAGES, SINGLE_PRECISION),
    slips=SLIPS,
    praise="Right: matrices and images, float64 and float32, all as they should be.",
)


def check_batch_norm(f: Callable) -> Finding:
    """Check a batch normalization that a student wrote, and name the slip if there is one.

    Args:
        f: called as `f(x, gamma, beta, eps)`, with x of shape (N, C) or (N, C, H, W), gamma and
            beta of shape (C,), all float64 or all float32; it returns y, of x's shape and dtype.

    Returns: whether it is right, and what to do if not.
    """
    return EXERCISE.check(f)


# Break the checker


def weak_test(batch_norm: Callable) -> bool:
    """Look whether the output has mean 0 and standard deviation 1.

    Args:
        batch_norm: called as `batch_norm(x, gamma, beta, eps)` with x of shape (N, C).

    Returns: whether it passes.
    """
    x = np.random.default_rng(0).normal(3, 2, (100, 50))
    y = batch_norm(x, np.ones(50), np.zeros(50), 1e-5)
    return bool(abs(y.mean()) < 0.01 and abs(y.std() - 1) < 0.01)


def check_wrong_but_passing(f: Callable) -> Finding:
    """Check that a student's function is wrong, and that `weak_test` passes it all the same.

    Args:
        f: called as `f(x, gamma, beta, eps)` with x of shape (N, C).

    Returns: `right` if it passes and is wrong.
    """
    if words := refusal(f, EXERCISE.arguments):
        return Finding(False, words)
    wrong = EXERCISE.judge(f, MATRICES)
    if run(f, MATRICES[0]).is_stub:
        return Finding(False, wrong)
    if not wrong:
        return Finding(False, "Not yet: on matrices this is a right batch norm. Spoil it.")
    tested = run(weak_test, (f,))
    if tested.raised:
        return Finding(False, exception_words(tested.raised))
    if not tested.returned:
        return Finding(False, "Not yet: it is wrong, and the weak test has caught it.")
    overlooked = wrong.removeprefix("Not yet: ")
    return Finding(True, f"Right: it is wrong, and it passes. Overlooked: {overlooked}")


def check_test(test: Callable) -> Finding:
    """Check that a student's test passes what is right, and fails what `weak_test` lets through.

    Args:
        test: called as `test(f)`; returns whether f passes. An assertion that fails, or f raising
            an exception, counts as no.

    Returns: `right` if it passes what is right, and of the slips that `weak_test` passes, none.
    """
    right = (_batch_norm, _batch_norm_rounded_otherwise)
    stub = "Not written yet: your test returns neither True nor False."
    if words := refused_test(test, "f", right, stub, _TOO_STRICT):
        return Finding(False, words)
    slipping = {slip.name: EXERCISE.with_slips(slip) for slip in SLIPS}
    wrong = {name: f for name, f in slipping.items() if EXERCISE.judge(f, MATRICES)}
    hidden = {name: f for name, f in wrong.items() if passes(weak_test, f)}
    through = [name for name, f in hidden.items() if passes(test, f)]
    caught = f"{len(hidden) - len(through)} of the {len(hidden)} slips that pass the weak test"
    if through:
        names = "\n  ".join(through)
        return Finding(False, f"Not yet: your test catches {caught}. These still pass:\n  {names}")
    return Finding(True, f"Right: your test passes a right batch norm and catches {caught}.")


_TOO_STRICT = (
    "Not yet: your test fails a right batch norm.\n"
    "Does it leave room for rounding, and for eps in what it expects?"
)


def _batch_norm_rounded_otherwise(x, gamma, beta, eps):
    return _batch_norm(
        x, gamma, beta, eps, x_hat=lambda x, mu, var, eps: (x - mu) * (1 / np.sqrt(var + eps))
    )
