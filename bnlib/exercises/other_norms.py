"""The exercises to write layer normalization, both ways, and group normalization."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bnlib.exercises.checking import Exercise, Finding, Slip

# Layer normalization


def _last(x):
    return (x.ndim - 1,)


def _all_but_last(x):
    return (*range(x.ndim - 1),)


def _all_but_first(x):
    return (*range(1, x.ndim),)


def _variance(x, axes):
    return x.var(axis=axes, keepdims=True)


def _unbiased_variance(x, axes):
    return x.var(axis=axes, ddof=1, keepdims=True)


def _root(var, eps):
    return np.sqrt(var + eps)


def _backward(dy, gamma, x_hat, sigma, axes):
    g = gamma * dy
    through_sigma = x_hat * (g * x_hat).mean(axis=axes, keepdims=True)
    return (g - g.mean(axis=axes, keepdims=True) - through_sigma) / sigma


def _gamma_outside(dy, gamma, x_hat, sigma, axes):
    return gamma * _backward(dy, 1, x_hat, sigma, axes)


def _without_the_mean(dy, gamma, x_hat, sigma, axes):
    g = gamma * dy
    return (g - x_hat * (g * x_hat).mean(axis=axes, keepdims=True)) / sigma


def _without_the_spread(dy, gamma, x_hat, sigma, axes):
    g = gamma * dy
    return (g - g.mean(axis=axes, keepdims=True)) / sigma


def _layer_norm(
    x: NDArray,
    gamma: NDArray,
    beta: NDArray,
    eps: float,
    dy: NDArray,
    *,
    axes: Callable = _last,
    var: Callable = _variance,
    sigma: Callable = _root,
    y: Callable = lambda x_hat, gamma, beta: gamma * x_hat + beta,
    dx: Callable = _backward,
    summed: Callable = _all_but_last,
    dgamma: Callable = lambda dy, x_hat, gamma: dy * x_hat,
    total: Callable = np.sum,
) -> tuple[NDArray, ...]:
    """Compute layer normalization and its gradients, in steps that a slip may replace."""
    shared = axes(x)
    root = sigma(var(x, shared), eps)
    x_hat = (x - x.mean(axis=shared, keepdims=True)) / root
    over = summed(x)
    return (
        y(x_hat, gamma, beta),
        dx(dy, gamma, x_hat, root, shared),
        total(dgamma(dy, x_hat, gamma), axis=over),
        total(dy, axis=over),
    )


# The same in both norms.
EPS_OUTSIDE = Slip(
    "eps outside the root",
    "It is added to the variance, and then the root is taken of both.",
    {"sigma": lambda var, eps: np.sqrt(var) + eps},
)
PARAMETERS_FORGOTTEN = Slip(
    "gamma and beta forgotten",
    "The output is gamma * x_hat + beta.",
    {"y": lambda x_hat, gamma, beta: x_hat},
)
PARAMETERS_EXCHANGED = Slip(
    "gamma and beta exchanged",
    "gamma is the factor, beta the summand.",
    {"y": lambda x_hat, gamma, beta: beta * x_hat + gamma},
)

LAYER_SLIPS = (
    # Which values share a mean
    Slip(
        "statistics of each column, over the batch",
        "That is batch normalization. In LN the D values of one example share a mean, so it runs "
        "over the last axis.",
        {"axes": _all_but_last},
    ),
    Slip(
        "statistics over the positions of a sequence, too",
        "Each position is normalized by itself, or padding would get in again: the last axis "
        "alone.",
        {"axes": _all_but_first},
    ),
    Slip(
        "one mean and one variance for the whole array",
        "Each example has a mean and a variance of its own.",
        {"axes": lambda x: (*range(x.ndim),)},
    ),
    Slip(
        "statistics over axis 1",
        "In a matrix that is the last axis, and in a sequence (N, T, D) it holds the positions. "
        "Count from behind: axis -1.",
        {"axes": lambda x: (1,)},
    ),
    # Mean and variance, root and eps
    Slip(
        "D - 1 in the variance",
        "LN divides by D, as BN divides by m. torch.var divides by D - 1 unless told otherwise.",
        {"var": _unbiased_variance},
    ),
    Slip(
        "the mean is not subtracted in the variance",
        "The variance is the mean of (x - mu) squared. (With x squared, and without a mean in "
        "x_hat either, it would be RMSNorm.)",
        {"var": lambda x, axes: (x**2).mean(axis=axes, keepdims=True)},
    ),
    EPS_OUTSIDE,
    Slip(
        "eps forgotten",
        "It is added to the variance, so that an example whose values are all alike is not 0 / 0.",
        {"sigma": lambda var, eps: np.sqrt(var)},
    ),
    Slip(
        "the root forgotten",
        "LN divides by a standard deviation, the root of variance plus eps.",
        {"sigma": lambda var, eps: var + eps},
    ),
    # gamma and beta
    Slip(
        "one gamma and one beta for each example",
        "They belong to the D nodes, and have the shape (D,): NumPy lines that up with the last "
        "axis by itself.",
        {
            "y": lambda x_hat, gamma, beta: (
                gamma.reshape(-1, *[1] * (x_hat.ndim - 1)) * x_hat
                + beta.reshape(-1, *[1] * (x_hat.ndim - 1))
            )
        },
    ),
    PARAMETERS_FORGOTTEN,
    PARAMETERS_EXCHANGED,
    # Backward
    Slip(
        "gamma in front of the bracket",
        "In BN all values of a mean have one gamma. Along a row it varies, so it belongs inside: "
        "g = gamma * dy first, then the means of g.",
        {"dx": _gamma_outside},
    ),
    Slip(
        "gamma is missing from dx",
        "What arrives at x_hat is gamma * dy.",
        {"dx": lambda dy, gamma, x_hat, sigma, axes: _backward(dy, 1, x_hat, sigma, axes)},
    ),
    Slip(
        "the path through the mean is missing",
        "x also moves the mean of its row: subtract the mean of g.",
        {"dx": _without_the_mean},
    ),
    Slip(
        "the path through the variance is missing",
        "x also moves the variance of its row: subtract x_hat times the mean of g * x_hat.",
        {"dx": _without_the_spread},
    ),
    Slip(
        "the paths through mean and variance are missing",
        "Both are made of x. Constants they are in BN's evaluation mode; LN has no such mode.",
        {"dx": lambda dy, gamma, x_hat, sigma, axes: gamma * dy / sigma},
    ),
    Slip(
        "the gradients of gamma and beta are summed along the rows",
        "A gamma is shared by all examples and positions: sum over all axes but the last.",
        {"summed": _last},
    ),
    Slip(
        "the gradients of gamma and beta are summed over the examples alone",
        "All positions of a sequence share them, too: sum over all axes but the last.",
        {"summed": lambda x: (0,)},
    ),
    Slip(
        "means where the gradients of gamma and beta are sums",
        "All examples use the same gamma, so their gradients add up.",
        {"total": np.mean},
    ),
    Slip(
        "x_hat is missing from dgamma",
        "y = gamma * x_hat + beta, so dgamma is the sum of dy * x_hat.",
        {"dgamma": lambda dy, x_hat, gamma: dy},
    ),
    Slip(
        "gamma in its own gradient",
        "y = gamma * x_hat + beta, so dgamma is the sum of dy * x_hat, with dy as it comes.",
        {"dgamma": lambda dy, x_hat, gamma: gamma * dy * x_hat},
    ),
)


def _case(x, gamma, beta, eps, seed=0):
    """Return the arguments of one case, with a dy of x's shape."""
    dy = np.random.default_rng(seed).integers(-4, 5, np.shape(x)).astype(float)
    return np.array(x, float), np.array(gamma, float), np.array(beta, float), eps, dy


def _float32(*arguments):
    return tuple(np.float32(a) if isinstance(a, np.ndarray) else a for a in arguments)


_SQUARE = _case([[1.0, 3, 8], [40, -20, 10], [5, 5, 11]], [2, -1, 3], [0.5, 1, -2], 4.0, 1)
_MATRIX = _case([[1.0, 3, 8, -5], [7, 7, 7, 7]], [2, -1, 3, 0.5], [0.5, 1, -2, 0], 1e-3, 2)
_DRAWN = np.random.default_rng(5).normal(3, 2, (2, 3, 3, 5)).round(2)
LAYER_STAGES = (
    # As many examples as nodes, so that nothing is refused that lies along the wrong axis.
    (_SQUARE, _MATRIX),
    (
        _case(_DRAWN[0, :, :, :3], [2, -1, 3], [0.5, 1, -2], 0.5, 3),
        _case(_DRAWN[0], [2, -1, 3, 0.5, 1], [0.5, 1, -2, 0, 3], 1e-3, 4),
        _case(_DRAWN[1, :2], [2, -1, 3, 0.5, 1], [0.5, 1, -2, 0, 3], 1e-5, 6),
    ),
    (_float32(*_SQUARE), _float32(*_MATRIX)),
)
LAYER_NORM = Exercise(
    right=_layer_norm,
    results=("y", "dx", "dgamma", "dbeta"),
    stages=LAYER_STAGES,
    slips=LAYER_SLIPS,
    praise="Right: matrices and sequences, forward and backward, float64 and float32.",
)


def check_layer_norm(f: Callable) -> Finding:
    """Check a layer normalization that a student wrote, and name the slip if there is one.

    Args:
        f: called as `f(x, gamma, beta, eps, dy)`, with x and dy of shape (N, D) or (N, T, D),
            gamma and beta of shape (D,), all float64 or all float32; it returns y, dx, dgamma and
            dbeta, in that dtype.

    Returns: whether it is right, and what to do if not.
    """
    return LAYER_NORM.check(f)


# Group normalization


def _neighbours(x, groups):
    """Return x as (N, G, C / G, H, W): which values of (N, C, H, W) form a group."""
    n, c, h, w = x.shape
    return x.reshape(n, groups, c // groups, h, w)


def _back(grouped, shape):
    return grouped.reshape(shape)


def _by_stride(x, groups):
    n, c, h, w = x.shape
    return x.reshape(n, c // groups, groups, h, w).swapaxes(1, 2)


def _by_channel(parameter, shape, groups):
    return parameter.reshape(1, -1, 1, 1)


def _group_norm(
    x: NDArray,
    gamma: NDArray,
    beta: NDArray,
    groups: int,
    eps: float,
    *,
    split: Callable = _neighbours,
    join: Callable = _back,
    axes: Callable = lambda: (2, 3, 4),
    var: Callable = _variance,
    sigma: Callable = _root,
    place: Callable = _by_channel,
    y: Callable = lambda x_hat, gamma, beta: gamma * x_hat + beta,
) -> NDArray:
    """Compute group normalization, in steps that a slip may replace."""
    grouped, shared = split(x, groups), axes()
    root = sigma(var(grouped, shared), eps)
    x_hat = join((grouped - grouped.mean(axis=shared, keepdims=True)) / root, x.shape)
    return y(x_hat, place(gamma, x.shape, groups), place(beta, x.shape, groups))


GROUP_SLIPS = (
    # Which values share a mean
    Slip(
        "the channels of a group are not neighbours",
        "With reshape(N, C // G, G, …) a group takes every G-th channel. Neighbours share a group: "
        "reshape(N, G, C // G, …).",
        {"split": _by_stride, "join": lambda grouped, shape: grouped.swapaxes(1, 2).reshape(shape)},
    ),
    Slip(
        "groups is taken for the channels of a group",
        "It is the number of groups; a group has C / groups channels.",
        {"split": lambda x, groups: _neighbours(x, x.shape[1] // groups)},
    ),
    Slip(
        "statistics over the batch, too",
        "No image may look at another one: the mean has the shape (N, groups), and not (groups,).",
        {"axes": lambda: (0, 2, 3, 4)},
    ),
    Slip(
        "spatial positions left out",
        "All positions of a group's channels share a mean: it runs over (C / G, H, W), not over "
        "the channels alone.",
        {"axes": lambda: (2,)},
    ),
    Slip(
        "statistics of each channel",
        "That is instance normalization. All channels of a group share a mean.",
        {"axes": lambda: (3, 4)},
    ),
    Slip(
        "the groups are ignored",
        "That is layer normalization: one mean for the whole image. Each group has its own.",
        {"axes": lambda: (1, 2, 3, 4)},
    ),
    Slip(
        "batch normalization",
        "It takes a channel in all images. GN takes a group of channels in one image.",
        {"axes": lambda: (0, 3, 4)},
    ),
    # Mean and variance, root and eps
    Slip(
        "m - 1 in the variance",
        "GN divides by m, the number of values in the group. torch.var divides by m - 1 unless "
        "told otherwise.",
        {"var": _unbiased_variance},
    ),
    EPS_OUTSIDE,
    Slip(
        "eps forgotten",
        "It is added to the variance, so that a group whose values are all alike is not 0 / 0.",
        {"sigma": lambda var, eps: np.sqrt(var)},
    ),
    Slip(
        "the root forgotten",
        "GN divides by a standard deviation, the root of variance plus eps.",
        {"sigma": lambda var, eps: var + eps},
    ),
    # gamma and beta
    Slip(
        "one gamma and one beta for each group",
        "The statistics belong to a group; gamma and beta belong to the channels, as in BN.",
        {
            "place": lambda parameter, shape, groups: np.repeat(
                parameter[:groups], shape[1] // groups
            ).reshape(1, -1, 1, 1)
        },
    ),
    Slip(
        "gamma and beta lie along the width",
        "They have the shape (C,), and NumPy lines that up with the last axis. As (1, C, 1, 1) "
        "they belong to the channels.",
        {"place": lambda parameter, shape, groups: parameter},
    ),
    Slip(
        "one gamma and one beta for each image",
        "There is one for each channel, the same for all images.",
        {"place": lambda parameter, shape, groups: parameter.reshape(-1, 1, 1, 1)},
    ),
    PARAMETERS_FORGOTTEN,
    PARAMETERS_EXCHANGED,
)


def _images(n, c, h, w, groups, eps, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(3, 2, (n, c, h, w)).round(2) + 2 * np.arange(c).reshape(c, 1, 1)
    return x, rng.integers(1, 5, c) * 0.5, rng.integers(-3, 4, c) * 1.0, groups, eps


# One image of two channels in one group, by hand: the variance is 9, and the root of it and eps 5.
_BY_HAND = (np.array([[[[2.0]], [[8.0]]]]), np.array([1.0, 2]), np.array([0.0, 1]), 1, 16.0)
GROUP_STAGES = (
    (
        _BY_HAND,
        # As many images as channels, and as wide, so that nothing is refused by its shape alone.
        _images(6, 6, 2, 6, 2, 0.5, 1),
        _images(2, 6, 3, 2, 3, 1e-3, 2),
        (np.full((2, 4, 2, 3), 7.0), *_images(2, 4, 2, 3, 2, 1e-3, 3)[1:]),
    ),
    (_float32(*_images(2, 6, 3, 2, 3, 1e-3, 2)),),
)
GROUP_NORM = Exercise(
    right=_group_norm,
    results=("y",),
    stages=GROUP_STAGES,
    slips=GROUP_SLIPS,
    praise="Right: neighbours in a group, all positions, no other image.",
)


def check_group_norm(f: Callable) -> Finding:
    """Check a group normalization that a student wrote, and name the slip if there is one.

    Args:
        f: called as `f(x, gamma, beta, groups, eps)`, with x of shape (N, C, H, W), gamma and beta
            of shape (C,), all float64 or all float32, and `groups` a divisor of C; it returns y,
            of x's shape and dtype.

    Returns: whether it is right, and what to do if not.
    """
    return GROUP_NORM.check(f)
