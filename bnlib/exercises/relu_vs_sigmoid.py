"""Lesson 05: a measure of dead units, and initial weights that keep a signal's size."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bnlib.exercises.checking import Exercise, Finding, Slip

# Dead units


def _dead(
    z: NDArray,
    *,
    off: Callable = lambda z: z <= 0,
    together: Callable = lambda off: off.all(axis=1),
    count: Callable = lambda dead: dead.mean(axis=1),
) -> NDArray:
    """Compute the share of dead units of each layer, in steps that a slip may replace."""
    return count(together(off(z)))


DEAD_SLIPS = (
    Slip(
        "any where all belongs",
        "A unit that is off for some images still works for the others. Dead is one that is off "
        "for all of them.",
        {"together": lambda off: off.any(axis=1)},
    ),
    Slip(
        "the wrong axis",
        "Asked are units, each over all images: axis 1 holds the images. You have asked images, "
        "each over all units.",
        {"together": lambda off: off.all(axis=2)},
    ),
    Slip(
        "< 0 where <= 0 belongs",
        "At 0 exactly, ReLU gives 0 and PyTorch takes the slope 0. That is no rare case: above a "
        "layer that is all dead, and with biases of 0, every input is 0 exactly.",
        {"off": lambda z: z < 0},
    ),
    Slip(
        "the sign turned round",
        "ReLU is off on the left: where its input is 0 or less.",
        {"off": lambda z: z >= 0},
    ),
    Slip(
        "the share of inputs that are off",
        "Half of a healthy layer's inputs are off, and none of its units is dead. First ask of "
        "each unit whether it is off for all images, then take the share of such units.",
        {"together": lambda off: off.mean(axis=1)},
    ),
    Slip(
        "judged by the mean input",
        "A unit whose mean input is negative may be on for a few images, and learn from those.",
        {"off": lambda z: z.mean(axis=1, keepdims=True) <= 0},
    ),
    Slip(
        "judged by one image",
        "The first image alone does not tell: the unit may be on for others.",
        {"together": lambda off: off[:, 0]},
    ),
    Slip(
        "the share of units that are alive",
        "Asked is the share of the dead ones, 1 minus that.",
        {"count": lambda dead: 1 - dead.mean(axis=1)},
    ),
    Slip(
        "a number of units where a share belongs",
        "Divide by the number of units in the layer.",
        {"count": lambda dead: 1.0 * dead.sum(axis=1)},
    ),
    Slip(
        "per cent",
        "A share goes from 0 to 1.",
        {"count": lambda dead: 100 * dead.mean(axis=1)},
    ),
)

_RNG = np.random.default_rng(5)
DEAD_CASES = (
    (np.array([[[-1.0, 2], [-3, -4], [-2, 1]]]),),
    (np.array([[[-1.0, 0, 5], [-2, 0, -1]], [[3.0, -1, 0], [2, 4, -1]]]),),
    # Many images, so that some units are off for nearly all of them; the last layer gets zeros.
    (_RNG.normal(-1, 1, (3, 6, 8)) * np.array([1, 0.7, 0])[:, None, None],),
    (_RNG.normal(-0.8, 1, (2, 5, 5)),),
)

DEAD = Exercise(
    right=_dead,
    results=("share",),
    stages=(DEAD_CASES,),
    slips=DEAD_SLIPS,
    praise="Right: a unit counts as dead only if no image at all switches it on.",
)


def check_dead_share(f: Callable) -> Finding:
    """Check a measure of dead units that a student wrote, and name the slip if there is one.

    Args:
        f: called as `f(z)`, with z the inputs of ReLU layers, (layers, images, units); it returns
            the share of dead units in each, (layers,).

    Returns: whether it is right, and what to do if not.
    """
    return DEAD.check(f)


# Initial weights


def _every_layer(sizes: NDArray, kept: float) -> NDArray:
    """Return the share that is kept before each linear layer: before the first there is no loss."""
    return np.where(np.arange(len(sizes) - 1) == 0, 1.0, kept)


def _stds(
    sizes: NDArray,
    kept: float,
    *,
    fan: Callable = lambda sizes: sizes[:-1],
    given: Callable = _every_layer,
    counted: Callable = lambda fan, share: 1 / (fan * share),
    std: Callable = np.sqrt,
) -> NDArray:
    """Compute the std of each layer's weights, in steps that a slip may replace."""
    return std(counted(fan(sizes), given(sizes, kept)))


STD_SLIPS = (
    Slip(
        "the units above counted (fan-out)",
        "A unit adds up what comes from the units below it, so their number counts, n_in.",
        {"fan": lambda sizes: sizes[1:]},
    ),
    Slip(
        "Glorot's mean of both numbers of units",
        "That is a compromise between the way forward and the way back. Here only the way forward "
        "is asked for: n_in.",
        {"fan": lambda sizes: (sizes[:-1] + sizes[1:]) / 2},
    ),
    Slip(
        "the variance where the standard deviation belongs",
        "1 / (n_in · share) is the variance of the weights; its root is asked for.",
        {"std": lambda variance: variance},
    ),
    Slip(
        "what the activation takes away is forgotten",
        "Above an activation only the share `kept` of the mean square is left: the weights have "
        "to make up for it.",
        {"given": lambda sizes, kept: np.ones(len(sizes) - 1)},
    ),
    Slip(
        "the activation counted in the first layer as well",
        "No activation stands before the first layer. (He et al. leave it in, for simplicity: in "
        "one layer a factor does no harm.)",
        {"given": lambda sizes, kept: np.full(len(sizes) - 1, kept)},
    ),
    Slip(
        "multiplied by the share that is kept",
        "What is lost has to be made up for: divide by it.",
        {"counted": lambda fan, share: share / fan},
    ),
    Slip(
        "the share that is kept outside of the root",
        "It is a share of the mean square, so it stands under the root, beside n_in.",
        {"counted": lambda fan, share: 1 / (fan * share**2)},
    ),
    Slip(
        "the share of ReLU, whatever is handed over",
        "Use `kept`: another activation keeps another share.",
        {"given": lambda sizes, kept: _every_layer(sizes, 0.5)},
    ),
    Slip(
        "the limit of a uniform distribution",
        "Numbers drawn evenly from -a to a have the standard deviation a / √3. Asked is the "
        "standard deviation itself.",
        {"std": lambda variance: np.sqrt(3 * variance)},
    ),
)

STD_CASES = (
    (np.array([4.0, 9, 16]), 0.25),
    (np.array([64.0, 100, 400, 25, 10]), 0.5),
    (np.array([10.0, 30, 20, 50]), 0.34),
)

STD = Exercise(
    right=_stds,
    results=("stds",),
    stages=(STD_CASES,),
    slips=STD_SLIPS,
    praise="Right: with these weights the mean square stays near 1 from layer to layer.",
)


def check_initial_stds(f: Callable) -> Finding:
    """Check the scale of initial weights that a student chose, and name the slip if there is one.

    Args:
        f: called as `f(sizes, kept)`, with sizes the numbers of units from the input to the
            output, (layers + 1,), and kept the share of the mean square that an activation keeps;
            it returns the standard deviations of the layers' weights, (layers,).

    Returns: whether it is right, and what to do if not.
    """
    return STD.check(f)
