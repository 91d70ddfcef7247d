"""The exercises of lesson 03: to measure the shift of a layer's inputs, and to make one."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from bnlib.exercises.checking import Exercise, Finding, Run, Slip, exception_words, refusal, run

# The shift: a measure with one right value, so its slips are known by what they compute.


def _shift(
    inputs: NDArray,
    steps: NDArray,
    *,
    mean: Callable = lambda inputs: inputs.mean(axis=1),
    spread: Callable = lambda inputs: inputs.std(axis=1),
    length: Callable = np.abs,
    both: Callable = lambda of_mean, of_spread: of_mean + of_spread,
    unit: Callable = lambda sigma: sigma[:-1],
    total: Callable = lambda shares: shares.sum(axis=0),
    duration: Callable = lambda steps: steps[-1] - steps[0],
    hundreds: Callable = lambda duration: duration / 100,
) -> NDArray:
    """Compute the shift of each unit, in steps that a slip may replace."""
    mu, sigma = mean(inputs), spread(inputs)
    of_mean, of_spread = (length(np.diff(values, axis=0)) for values in (mu, sigma))
    return total(both(of_mean, of_spread) / unit(sigma)) / hundreds(duration(steps))


SLIPS = (
    # What is measured
    Slip(
        "mean and spread over the wrong axis",
        "The axes are looks, images, units: a unit's mean and spread run over the images, axis 1.",
        {"mean": lambda z: z.mean(axis=2), "spread": lambda z: z.std(axis=2)},
    ),
    Slip(
        "one mean and one spread for all units",
        "Each unit has its own: they run over the images alone, axis 1.",
        {
            "mean": lambda z: z.mean(axis=(1, 2))[:, None] + 0 * z[:, 0],
            "spread": lambda z: z.std(axis=(1, 2))[:, None] + 0 * z[:, 0],
        },
    ),
    Slip(
        "the variance for the spread",
        "The spread is the standard deviation, in the unit of the inputs themselves.",
        {"spread": lambda z: z.var(axis=1)},
    ),
    Slip(
        "N - 1 in the spread",
        "The images of the fixed batch are all that we look at, so it divides by N.",
        {"spread": lambda z: z.std(axis=1, ddof=1)},
    ),
    # How far it is
    Slip(
        "signed distances",
        "A mean that goes up and comes down again has travelled: take the absolute value of each "
        "distance before you add.",
        {"length": lambda distance: distance},
    ),
    Slip(
        "the distance of the mean alone",
        "The formula adds what mean and spread travel.",
        {"both": lambda of_mean, of_spread: of_mean},
    ),
    Slip(
        "the distance of the spread alone",
        "The formula adds what mean and spread travel.",
        {"both": lambda of_mean, of_spread: of_spread},
    ),
    Slip(
        "the straight line in the plane of mean and spread",
        "The formula adds the two distances; it takes no root of their squares.",
        {"both": np.hypot},
    ),
    # In what unit
    Slip(
        "not divided by the spread",
        "This is the distance in units of the input. The formula asks for it in spreads.",
        {"unit": lambda sigma: np.ones_like(sigma[:-1])},
    ),
    Slip(
        "divided by the spread at the later look",
        "The formula has sigma_k below the distance from look k to look k + 1.",
        {"unit": lambda sigma: sigma[1:]},
    ),
    Slip(
        "always divided by the first spread",
        "Each distance is divided by the spread of its own look, which changes as well.",
        {"unit": lambda sigma: sigma[:1]},
    ),
    # Over what time
    Slip(
        "the mean over the looks instead of their sum",
        "The distances add up; what is divided by is the time, t_K - t_0.",
        {"total": lambda shares: shares.mean(axis=0)},
    ),
    Slip(
        "divided by the number of looks",
        "The looks are not equally far apart: the time is t_K - t_0 steps.",
        {"duration": len},
    ),
    Slip(
        "divided by the last step",
        "The first look need not be at step 0: the time is t_K - t_0.",
        {"duration": lambda steps: steps[-1]},
    ),
    Slip(
        "per step",
        "The formula gives it per 100 steps.",
        {"hundreds": lambda duration: duration},
    ),
)

CASES = (
    (np.array([[[0.0], [2]], [[3.0], [5]], [[1.0], [5]]]), np.array([10.0, 20, 60])),
    # As many images as units, so that nothing is refused that lies along the wrong axis.
    (
        np.array(
            [
                [[0.0, 1, -2], [2.0, 5, 0], [4.0, 3, 5]],
                [[1.0, 2, 0], [5.0, 5, 1], [3.0, 8, 2]],
                [[0.5, 9, 7], [2.5, 6, 4], [0.0, 3, 4]],
                [[2.0, 4, 1], [6.0, 6, 9], [1.0, 5, 5]],
            ]
        ),
        np.array([2.0, 3, 7, 27]),
    ),
)

SHIFT = Exercise(
    right=_shift,
    results=("shift",),
    stages=(CASES,),
    slips=SLIPS,
    praise="Right: these are the numbers of the library, unit by unit.",
)


def check_shift(f: Callable) -> Finding:
    """Check a measure of the shift that a student wrote, and name the slip if there is one.

    Args:
        f: called as `f(inputs, steps)`, with inputs of shape (looks, N, units) and steps of shape
            (looks,); it returns the shift of each unit, (units,).

    Returns:
        Whether it is right, and what to do if not.
    """
    return SHIFT.check(f)


# The noise: random, so what is known of a right function is how its results must be distributed.

CALLS, N, UNITS = 60, 6, 20
LOW, HIGH = 0.5, 2.0  # of the factor
REACH = 1.0  # of the summand
ROUNDING = 1e-6
ARGUMENTS = ("y", "training", "rng")
DISTRIBUTED = {  # of 1200 draws: how far their mean, and their ends, may be from what is expected
    "mean": 0.08,
    "ends": 0.1,
}


def check_noise(f: Callable) -> Finding:
    """Check the noise after BN that a student wrote, and name the slip if there is one.

    Args:
        f: called as `f(y, training, rng)`, with the outputs y (N, C) of BN, the mode, and a NumPy
            generator. In training mode it returns a y + b, with a uniform in [0.5, 2] and b uniform
            in [-1, 1], drawn anew for each unit at each call; in evaluation mode it returns y.

    Returns:
        Whether it is right, and what to do if not.
    """
    words = refusal(f, ARGUMENTS)
    if not words:
        words = next(filter(None, _what_is_wrong(f)), "")
    return Finding(
        not words, words or "Right: new noise for each unit at each step, and only then."
    )


def _what_is_wrong(f: Callable) -> Iterator[str]:
    """Look for one thing after the other, the first that can go wrong first."""
    y = np.random.default_rng(0).normal(size=(N, UNITS))
    rng = np.random.default_rng(1)
    runs = [run(f, (y, True, rng)) for _ in range(CALLS)]
    yield _malformed(runs[0], y)
    yield from (_malformed(later, y) for later in runs)
    z = np.stack([later.returned for later in runs])  # (calls, N, units)
    summand, factor, residual = _lines(y, z)
    yield _not_noise_of_a_unit(y, z, factor, summand, residual)
    yield _not_drawn_anew(factor, summand)
    yield _not_distributed(factor, summand)
    answer = run(f, (y, False, rng))
    yield _malformed(answer, y)
    yield _not_still(y, answer.returned)


def _malformed(call: Run, y: NDArray) -> str:
    if call.is_stub:
        return "Not written yet. Your function is to return z."
    if call.raised:
        return exception_words(call.raised)
    if call.changed:
        return _named(
            "y changed in place",
            "The caller still needs y. An operator such as *= writes into the array.",
        )
    z = call.returned
    if not isinstance(z, np.ndarray) or z.dtype.kind not in "fiu":
        return f"Not yet: z is no array of numbers but {type(z).__name__}."
    if z.shape != y.shape:
        return f"Not yet: z has the shape {z.shape}, not {y.shape}."
    if not np.isfinite(z).all():
        return "Not yet: some entries of z are NaN or infinite."
    return ""


def _lines(y: NDArray, z: NDArray) -> tuple[NDArray, NDArray, NDArray]:
    """Fit z = factor y + summand for each call and unit; return summand, factor, what is left."""
    centred = y - y.mean(axis=0)
    factor = (centred * z).sum(axis=1) / (centred**2).sum(axis=0)  # (calls, units)
    summand = z.mean(axis=1) - factor * y.mean(axis=0)
    return summand, factor, z - (factor[:, None] * y + summand[:, None])


def _not_noise_of_a_unit(
    y: NDArray, z: NDArray, factor: NDArray, summand: NDArray, residual: NDArray
) -> str:
    if np.abs(z - y).max() < ROUNDING:
        return _named("no noise in training mode", "In training mode it returns a y + b.")
    if np.abs(residual).max() > ROUNDING:
        return _named(
            "noise of its own for each image",
            "a and b belong to a unit: all images of the batch share them, so both have the shape "
            "(C,).",
        )
    if np.ptp(factor, axis=1).max() < ROUNDING and np.ptp(summand, axis=1).max() < ROUNDING:
        return _named(
            "one draw for all units", "Each unit gets its own a and b, so both have the shape (C,)."
        )
    if np.abs(factor - 1).max() < ROUNDING:
        return _named("shifted, not scaled", "The factor a is missing: z = a y + b.")
    if np.abs(summand).max() < ROUNDING:
        return _named("scaled, not shifted", "The summand b is missing: z = a y + b.")
    for drawn, name in ((factor, "a"), (summand, "b")):
        if np.ptp(drawn, axis=1).max() < ROUNDING:
            return _named(
                f"one {name} for all units", f"Each unit gets its own {name}, of the shape (C,)."
            )
    return ""


def _not_drawn_anew(factor: NDArray, summand: NDArray) -> str:
    still = [np.ptp(drawn, axis=0).max() < ROUNDING for drawn in (factor, summand)]
    if any(still):
        what = "the noise is" if all(still) else ("a is" if still[0] else "b is")
        return _named(
            f"{what} drawn once",
            "Each call is another step of training and draws anew, from the rng that is handed "
            "over. A generator that is made inside begins with the same numbers at each call.",
        )
    return ""


def _not_distributed(factor: NDArray, summand: NDArray) -> str:
    together = np.corrcoef(factor.ravel(), summand.ravel())[0, 1]
    if abs(together) > 0.9:
        return _named("one draw for both", "Draw a and b independently of each other.")
    if not _is_uniform(factor, LOW, HIGH):
        return _named(
            "a has another distribution",
            f"It is uniform in [{LOW:g}, {HIGH:g}]; yours runs from {factor.min():.2f} to "
            f"{factor.max():.2f}, with mean {factor.mean():.2f}.",
        )
    if _is_uniform(summand / factor, -REACH, REACH):
        return _named("the summand is scaled, too", "z = a y + b, and not a (y + b).")
    if not _is_uniform(summand, -REACH, REACH):
        return _named(
            "b has another distribution",
            f"It is uniform in [{-REACH:g}, {REACH:g}]; yours runs from {summand.min():.2f} to "
            f"{summand.max():.2f}, with mean {summand.mean():.2f}.",
        )
    return ""


def _is_uniform(drawn: NDArray, low: float, high: float) -> bool:
    """Whether the values can be draws from [low, high]: ends, mean and standard deviation."""
    width = high - low
    inside = low - ROUNDING <= drawn.min() and drawn.max() <= high + ROUNDING
    reaches = np.ptp(drawn) > (1 - DISTRIBUTED["ends"]) * width
    centred = abs(drawn.mean() - (low + high) / 2) < DISTRIBUTED["mean"] * width
    return bool(inside and reaches and centred and abs(drawn.std() / width - 12**-0.5) < 0.03)


def _not_still(y: NDArray, z: NDArray) -> str:
    if np.abs(z - y).max() > ROUNDING:
        return _named(
            "noise in evaluation mode, too",
            "The network in use is to answer the same each time: in evaluation mode z is y.",
        )
    return ""


def _named(name: str, why: str) -> str:
    return f"Not yet: {name}.\n{why}"
