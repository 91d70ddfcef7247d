"""The exercises to write the backward pass, and to write a gradient check that can fail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from textwrap import fill
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bnlib.exercises.checking import (
    WIDTH,
    Exercise,
    Finding,
    Slip,
    passes,
    refused_test,
)


def _backward(
    dy: NDArray,
    x: NDArray,
    gamma: NDArray,
    eps: float,
    *,
    var: Callable = lambda x: x.var(axis=0),
    sigma: Callable = lambda var, eps: np.sqrt(var + eps),
    dx_hat: Callable = lambda dy, gamma: gamma * dy,
    through_mu: Callable = lambda dx_hat: dx_hat.mean(axis=0),
    through_var: Callable = lambda dx_hat, x_hat, sigma: x_hat * (dx_hat * x_hat).mean(axis=0),
    dx: Callable = lambda dx_hat, paths, sigma: (dx_hat - paths) / sigma,
    dgamma: Callable = lambda dy, gamma, x_hat, x: (dy * x_hat).sum(axis=0),
    dbeta: Callable = lambda dy, gamma: dy.sum(axis=0),
    order: Callable = lambda dx, dgamma, dbeta: (dx, dgamma, dbeta),
) -> tuple[NDArray, NDArray, NDArray]:
    """Compute the three gradients, in steps that a slip may replace."""
    root = sigma(var(x), eps)
    x_hat = (x - x.mean(axis=0)) / root
    d = dx_hat(dy, gamma)
    paths = through_mu(d) + through_var(d, x_hat, root)
    return order(dx(d, paths, root), dgamma(dy, gamma, x_hat, x), dbeta(dy, gamma))


def _nothing(dx_hat, *others):
    return 0 * dx_hat


SLIPS = (
    # The paths
    Slip(
        "the path through mu is missing",
        "x also moves the mean, and the mean all outputs: subtract the mean of dx_hat.",
        {"through_mu": _nothing},
    ),
    Slip(
        "the path through sigma^2 is missing",
        "x also moves the variance, and the variance all outputs: subtract x_hat times the mean "
        "of dx_hat * x_hat.",
        {"through_var": _nothing},
    ),
    Slip(
        "the paths through mu and sigma^2 are missing",
        "mu and sigma^2 are taken as constants. That is right in evaluation mode, and only there.",
        {"through_mu": _nothing, "through_var": _nothing},
    ),
    Slip(
        "m - 1 in the means of the two paths",
        "The forward pass divides by m, and so does its derivative.",
        {
            "through_mu": lambda dx_hat: dx_hat.sum(axis=0) / (len(dx_hat) - 1),
            "through_var": lambda dx_hat, x_hat, sigma: (
                x_hat * (dx_hat * x_hat).sum(axis=0) / (len(x_hat) - 1)
            ),
        },
    ),
    Slip(
        "sums where the two paths need means",
        "Each x has only a share of 1 / m in mu and in sigma^2.",
        {
            "through_mu": lambda dx_hat: dx_hat.sum(axis=0),
            "through_var": lambda dx_hat, x_hat, sigma: x_hat * (dx_hat * x_hat).sum(axis=0),
        },
    ),
    Slip(
        "a sum where the path through mu needs a mean",
        "Each x has only a share of 1 / m in mu.",
        {"through_mu": lambda dx_hat: dx_hat.sum(axis=0)},
    ),
    Slip(
        "a sum where the path through sigma^2 needs a mean",
        "Each x has only a share of 1 / m in sigma^2.",
        {"through_var": lambda dx_hat, x_hat, sigma: x_hat * (dx_hat * x_hat).sum(axis=0)},
    ),
    Slip(
        "the sign of the path through mu",
        "A larger mean makes every x_hat smaller, so this path is subtracted.",
        {"through_mu": lambda dx_hat: -dx_hat.mean(axis=0)},
    ),
    Slip(
        "the sign of the path through sigma^2",
        "A larger variance pulls every x_hat toward 0, so this path is subtracted.",
        {"through_var": lambda dx_hat, x_hat, sigma: -x_hat * (dx_hat * x_hat).mean(axis=0)},
    ),
    Slip(
        "the path through sigma^2 is twice too large",
        "The derivative of a power of -1/2 brings down a factor of -1/2.",
        {"through_var": lambda dx_hat, x_hat, sigma: 2 * x_hat * (dx_hat * x_hat).mean(axis=0)},
    ),
    Slip(
        "the path through sigma^2 is half as large as it should be",
        "The derivative of the squares (x - mu)^2 brings down a factor of 2.",
        {"through_var": lambda dx_hat, x_hat, sigma: x_hat * (dx_hat * x_hat).mean(axis=0) / 2},
    ),
    Slip(
        "the exponent of the path through sigma^2",
        "The derivative of a power of -1/2 has the power -3/2.",
        {
            "through_var": lambda dx_hat, x_hat, sigma: (
                x_hat * sigma**2 * (dx_hat * x_hat).mean(axis=0)
            )
        },
    ),
    Slip(
        "x_hat is missing from the path through sigma^2",
        "A larger variance moves an output the more, the farther it is from 0: the mean of "
        "dx_hat * x_hat is multiplied by x_hat.",
        {"through_var": lambda dx_hat, x_hat, sigma: (dx_hat * x_hat).mean(axis=0)},
    ),
    # What the forward pass has computed
    Slip(
        "m - 1 in the variance",
        "The forward pass normalizes with the biased variance, which divides by m.",
        {"var": lambda x: x.var(axis=0, ddof=1)},
    ),
    Slip(
        "eps outside the root",
        "It is added to the variance, and then the root is taken of both.",
        {"sigma": lambda var, eps: np.sqrt(var) + eps},
    ),
    Slip(
        "eps forgotten",
        "The forward pass has added it to the variance.",
        {"sigma": lambda var, eps: np.sqrt(var)},
    ),
    Slip(
        "eps is always 1e-5",
        "It is an argument: use the one that is handed over.",
        {"sigma": lambda var, eps: np.sqrt(var + 1e-5)},
    ),
    # dx
    Slip(
        "gamma forgotten in dx",
        "y = gamma * x_hat + beta, so what arrives at x_hat is gamma * dy.",
        {"dx_hat": lambda dy, gamma: dy},
    ),
    Slip(
        "dx is not divided by the standard deviation",
        "x_hat = (x - mu) / sqrt(sigma^2 + eps): the slope is one over the root.",
        {"dx": lambda dx_hat, paths, sigma: dx_hat - paths},
    ),
    Slip(
        "dx is divided by the variance",
        "x_hat = (x - mu) / sqrt(sigma^2 + eps): the slope is one over the root.",
        {"dx": lambda dx_hat, paths, sigma: (dx_hat - paths) / sigma**2},
    ),
    # dgamma and dbeta
    Slip(
        "dgamma with x instead of x_hat",
        "In y = gamma * x_hat + beta, gamma multiplies x_hat.",
        {"dgamma": lambda dy, gamma, x_hat, x: (dy * x).sum(axis=0)},
    ),
    Slip(
        "dgamma with x - mu instead of x_hat",
        "In y = gamma * x_hat + beta, gamma multiplies x_hat, divided by the root already.",
        {"dgamma": lambda dy, gamma, x_hat, x: (dy * (x - x.mean(axis=0))).sum(axis=0)},
    ),
    Slip(
        "dgamma without x_hat",
        "In y = gamma * x_hat + beta, gamma multiplies x_hat.",
        {"dgamma": lambda dy, gamma, x_hat, x: dy.sum(axis=0)},
    ),
    Slip(
        "gamma in dgamma",
        "dgamma is the sum of dy * x_hat; the factor gamma is on the way to x only.",
        {"dgamma": lambda dy, gamma, x_hat, x: (gamma * dy * x_hat).sum(axis=0)},
    ),
    Slip(
        "gamma in dbeta",
        "dbeta is the sum of dy; the factor gamma is on the way to x only.",
        {"dbeta": lambda dy, gamma: (gamma * dy).sum(axis=0)},
    ),
    Slip(
        "a mean for dgamma",
        "gamma acts on every example, and the gradients of all examples add up.",
        {"dgamma": lambda dy, gamma, x_hat, x: (dy * x_hat).mean(axis=0)},
    ),
    Slip(
        "a mean for dbeta",
        "beta acts on every example, and the gradients of all examples add up.",
        {"dbeta": lambda dy, gamma: dy.mean(axis=0)},
    ),
    Slip(
        "dgamma summed over the channels",
        "Each channel has its gamma, and the sum runs over the examples: axis 0.",
        {"dgamma": lambda dy, gamma, x_hat, x: (dy * x_hat).sum(axis=1)},
    ),
    Slip(
        "dbeta summed over the channels",
        "Each channel has its beta, and the sum runs over the examples: axis 0.",
        {"dbeta": lambda dy, gamma: dy.sum(axis=1)},
    ),
    Slip(
        "dgamma and dbeta exchanged",
        "The order is dx, dgamma, dbeta.",
        {"order": lambda dx, dgamma, dbeta: (dx, dbeta, dgamma)},
    ),
)


def _float32(dy, x, gamma, eps):
    return *(np.array(a, np.float32) for a in (dy, x, gamma)), eps


# In the two smallest cases the variance is 9 and eps so large that it counts: the root is 5.
# Elsewhere signs are mixed, and one channel is constant. No eps is small: in that channel dx is
# dy / sqrt(eps), and would hide the others.
_DY, _X = np.array([[1.0], [3.0]]), np.array([[2.0], [8.0]])
_GENERAL = (
    np.array([[-1.0, -2, -1], [0, 3, -2], [1, 1, 1], [-2, 2, -3]]),
    np.array([[1.0, -4, 5], [2, -1, 5], [4, -3, 5], [9, -8, 5]]),
    np.array([2.0, -1, 3]),
    0.25,
)
CASES = (
    (_DY, _X, np.array([1.0]), 16.0),
    (_DY, _X, np.array([2.0]), 16.0),
    (np.array([[1.0, 2], [3, -1]]), np.array([[2.0, 10], [8, 30]]), np.array([1.0, 2]), 16.0),
    _GENERAL,
)

EXERCISE = Exercise(
    right=_backward,
    results=("dx", "dgamma", "dbeta"),
    stages=(CASES, (_float32(*_GENERAL),)),
    slips=SLIPS,
    praise="Right: dx, dgamma and dbeta, in float64 and float32, all as they should be.",
)


def check_backward(f: Callable) -> Finding:
    """Check a backward pass that a student wrote, and name the slip if there is one.

    Args:
        f: called as `f(dy, x, gamma, eps)`, with dy and x of shape (N, C) and gamma of shape (C,),
            all float64 or all float32; it returns dx (N, C), dgamma (C,) and dbeta (C,).

    Returns: whether it is right, and what to do if not.
    """
    return EXERCISE.check(f)


# A gradient check that can fail


class BlindSpot(NamedTuple):
    """What a gradient check may overlook, and the slips that show it by passing all together."""

    name: str
    why: str
    slips: Sequence[str]


BLIND_SPOTS = (
    BlindSpot(
        "the slopes dy are alike",
        "Then the loss does not change when the spread does, and the path through sigma^2 carries "
        "nothing. Take random slopes.",
        ("the path through sigma^2 is missing", "the sign of the path through sigma^2"),
    ),
    BlindSpot(
        "the tolerance is too wide",
        "In float64, with h = 1e-5, central differences come within about 1e-8. A relative error "
        "above 1e-7 is a mistake; and a small batch makes m - 1 differ more from m.",
        ("m - 1 in the means of the two paths",),
    ),
    BlindSpot(
        "gamma is 1",
        "Then nobody sees where it is forgotten, or multiplied once too often.",
        ("gamma forgotten in dx", "gamma in dgamma"),
    ),
    BlindSpot(
        "eps does not count",
        "Beside a variance of 1 an eps of 1e-5 is hard to see. Hand over 0.5, and use it in the "
        "loss too.",
        ("eps is always 1e-5",),
    ),
    BlindSpot(
        "dgamma and dbeta are not looked at",
        "The backward pass returns three gradients. Nudge gamma and beta as you nudge x.",
        ("a mean for dgamma", "a mean for dbeta"),
    ),
)


def check_gradient_check(test: Callable) -> Finding:
    """Check that a student's gradient check passes what is right and catches every known slip.

    Args:
        test: called as `test(backward)`, where `backward(dy, x, gamma, eps)` returns dx, dgamma,
            dbeta; returns whether it passes. An exception counts as no.

    Returns: `right` if it passes what is right and catches all slips of `SLIPS`.
    """
    right = (_backward, _backward_rounded_otherwise)
    stub = "Not written yet: your check returns neither True nor False."
    if words := refused_test(test, "backward", right, stub, _TOO_STRICT):
        return Finding(False, words)
    through = [slip.name for slip in SLIPS if passes(test, EXERCISE.with_slips(slip))]
    caught = f"{len(SLIPS) - len(through)} of {len(SLIPS)} wrong backward passes"
    if through:
        return Finding(False, f"Not yet: your check catches {caught}.\n{_overlooked(through)}")
    return Finding(True, f"Right: your check passes a right backward pass and catches {caught}.")


_TOO_STRICT = (
    "Not yet: your check fails a right backward pass.\n"
    "Does the loss use the eps that it hands over, and divide by m in the variance? Are the\n"
    "differences central, and is there room for 1e-8?"
)


def _overlooked(through: Sequence[str]) -> str:
    """Say why these slips pass: the blind spots that explain them, or else their names."""
    spots = [spot for spot in BLIND_SPOTS if {*spot.slips} <= {*through}]
    if len(through) == len(SLIPS):
        return "It says yes to everything. What does it compare with the gradients?"
    if spots:
        return "\n".join(f"{spot.name}.\n{fill(spot.why, WIDTH)}" for spot in spots)
    return "These still pass:\n  " + "\n  ".join(through)


def _backward_rounded_otherwise(dy, x, gamma, eps):
    return _backward(
        dy, x, gamma, eps, dx=lambda dx_hat, paths, sigma: dx_hat * (1 / sigma) - paths / sigma
    )
