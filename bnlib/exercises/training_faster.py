"""The exercises to write dropout, to write ghost batches, and to plan a fair comparison."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

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

# Dropout

SHARE, IMAGES, UNITS = 0.2, 300, 200  # with so many entries a share is known to 0.01


@dataclass(frozen=True)
class Dropped:
    """What was seen of a student's dropout, on activations that are all positive.

    Attributes:
        form: what is wrong with the form of the result, or nothing.
        changed: whether the activations were changed in place.
        factors: result over activations, in training, (IMAGES, UNITS).
        again: likewise, of a second call with the same generator.
        repeated: likewise, of a first call with a new generator of the same seed.
        evaluating: result over activations, in evaluation mode, (IMAGES, UNITS).
    """

    form: str
    changed: bool
    factors: NDArray
    again: NDArray
    repeated: NDArray
    evaluating: NDArray

    @property
    def zeros(self) -> float:
        """Return the share of the activations that is dropped in training."""
        return float(np.mean(self.factors == 0))

    def kept(self, factor: float) -> bool:
        """Whether what is kept in training is multiplied by `factor`."""
        kept = self.factors[self.factors != 0]
        return len(kept) > 0 and bool(np.allclose(kept, factor, rtol=1e-4))

    def evaluated(self, factor: float) -> bool:
        """Whether evaluation mode multiplies by `factor`."""
        return bool(np.allclose(self.evaluating, factor, rtol=1e-4))


DROPOUT_SIGNS = (
    Sign(
        "x changed in place",
        "The caller still needs its activations. x * mask makes a new array; x *= mask does not.",
        lambda d: d.changed,
    ),
    Sign(
        "the result has not the form of x",
        "Return an array of the shape and the dtype of x, in both modes.",
        lambda d: bool(d.form),
    ),
    Sign(
        "it drops in evaluation mode, too",
        "Then answers are left to chance. With training=False, x comes back as it is.",
        lambda d: bool((d.evaluating == 0).any()),
    ),
    Sign(
        "scaled in evaluation mode instead of in training",
        "That is dropout as it was first published: train without a factor, then multiply by "
        "1 − p. Inverted dropout, which libraries use, scales in training, so that evaluation "
        "mode costs nothing: divide what is kept by 1 − p.",
        lambda d: d.kept(1) and d.evaluated(1 - SHARE),
    ),
    Sign(
        "scaled in evaluation mode",
        "With inverted dropout the mean is right in training already. With training=False, x "
        "comes back as it is.",
        lambda d: not d.evaluated(1),
    ),
    Sign(
        "nothing is dropped in training",
        "Draw a number from 0 to 1 for each entry, and set to 0 where it is below p.",
        lambda d: d.zeros == 0,
    ),
    Sign(
        "the whole batch shares one mask",
        "A unit is dropped for all images or for none. Draw a number for each entry: "
        "rng.random(x.shape).",
        lambda d: bool(((d.factors == 0) == (d.factors == 0)[:1]).all()),
    ),
    Sign(
        "all units of an image share one number",
        "An image is dropped whole or not at all. Draw a number for each entry: "
        "rng.random(x.shape).",
        lambda d: bool(((d.factors == 0) == (d.factors == 0)[:, :1]).all()),
    ),
    Sign(
        "p is taken for the share that is kept",
        "Here, as in PyTorch, p is the share that is dropped: keep where rng.random(x.shape) >= p.",
        lambda d: abs(d.zeros - (1 - SHARE)) < 0.02,
    ),
    Sign(
        "another share than p is dropped",
        "Keep where a number from 0 to 1, drawn evenly, is p or more.",
        lambda d: abs(d.zeros - SHARE) > 0.02,
    ),
    Sign(
        "not scaled",
        "A share p of the sum is missing, and the next layer, in evaluation mode, sees larger "
        "values than it has learned. Divide what is kept by 1 − p.",
        lambda d: d.kept(1),
    ),
    Sign(
        "divided by p",
        "What is kept is the share 1 − p of all: divide by that.",
        lambda d: d.kept(1 / SHARE),
    ),
    Sign(
        "multiplied by 1 − p",
        "The wrong way round: a part is missing, so what is kept has to grow. Divide by 1 − p.",
        lambda d: d.kept(1 - SHARE),
    ),
    Sign(
        "what is kept has the wrong factor",
        "It is one factor for all, 1 / (1 − p), so that the mean of each unit stays.",
        lambda d: not d.kept(1 / (1 - SHARE)),
    ),
    Sign(
        "every call has the same mask",
        "Don't make a new generator from a seed inside; use the rng that is handed over. The same "
        "mask in each step is a smaller network, not dropout.",
        lambda d: np.array_equal(d.factors == 0, d.again == 0),
    ),
    Sign(
        "the mask is not drawn from rng",
        "With the same generator the result has to be the same, or nobody can repeat your run.",
        lambda d: not np.array_equal(d.factors, d.repeated),
    ),
)


def check_dropout(f: Callable) -> Finding:
    """Check inverted dropout that a student wrote, in both modes, and name its slip.

    Args:
        f: called as `f(x, p, training, rng)` with activations (N, C), the share to drop, the mode
            and a NumPy generator; returns an array like x.

    Returns: whether it is right, and what to do if not.
    """
    if words := refusal(f, ("x", "p", "training", "rng")):
        return Finding(False, words)
    x = 1 + np.random.default_rng(0).random((IMAGES, UNITS))
    first, later = np.random.default_rng(1), np.random.default_rng(1)
    runs = [run(f, (x.copy(), SHARE, *rest)) for rest in (
        (True, first), (True, first), (True, later), (False, np.random.default_rng(2))
    )]  # fmt: skip
    if runs[0].is_stub and runs[3].is_stub:
        return Finding(False, "Not written yet. Your function is to return an array like x.")
    for done in runs:
        if done.raised:
            return Finding(False, exception_words(done.raised))
    forms = [_misshapen(done.returned, x) for done in runs]
    results = [np.ones_like(x) if any(forms) else done.returned / x for done in runs]
    seen = Dropped(next(filter(None, forms), ""), any(0 in done.changed for done in runs), *results)
    return first_sign(
        DROPOUT_SIGNS, seen, "Right: new zeros in each step, the mean as it was, and off in use."
    )


def _misshapen(returned: Any, x: NDArray) -> str:
    if not isinstance(returned, np.ndarray):
        return "it is no NumPy array"
    return "" if returned.shape == x.shape and returned.dtype == x.dtype else "another shape"


# Ghost batches


def _mean_over(*axes: int) -> Callable[[NDArray], NDArray]:
    return lambda groups: groups.mean(axis=axes, keepdims=True)


def _var_over(*axes: int, ddof: int = 0) -> Callable[[NDArray], NDArray]:
    return lambda groups: groups.var(axis=axes, ddof=ddof, keepdims=True)


OF_GROUPS = _mean_over(1), _var_over(1)


def _ghost_batch_norm(
    x: NDArray,
    size: int,
    *,
    grouped: Callable = lambda x, size: x.reshape(-1, size, x.shape[1]),
    mean: Callable = OF_GROUPS[0],
    var: Callable = OF_GROUPS[1],
    root: Callable = lambda var: np.sqrt(var + 1e-5),
    back: Callable = lambda groups, x: groups.reshape(x.shape),
) -> NDArray:
    groups = grouped(x, size)  # (groups, size, features)
    return back((groups - mean(groups)) / root(var(groups)), x)


GHOST_SLIPS = (
    Slip(
        "the whole batch is one group",
        "That is BN. Each group of `size` images has a mean and a variance of its own.",
        {"mean": _mean_over(0, 1), "var": _var_over(0, 1)},
    ),
    Slip(
        "the variance is that of the whole batch",
        "The mean is that of the group, and so must be the variance.",
        {"var": _var_over(0, 1)},
    ),
    Slip(
        "the mean is that of the whole batch",
        "The variance is that of the group, and so must be the mean.",
        {"mean": _mean_over(0, 1)},
    ),
    Slip(
        "the images of a group do not stand together",
        "A group is `size` images in a row, the first `size` of them to begin with. "
        "x.reshape(-1, size, C) cuts them so, and its axis 1 are the images of a group; "
        "x.reshape(size, -1, C), or a mean over axis 0, deals them out like cards.",
        {
            "grouped": lambda x, size: x.reshape(size, -1, x.shape[1]).swapaxes(0, 1),
            "back": lambda groups, x: groups.swapaxes(0, 1).reshape(x.shape),
        },
    ),
    Slip(
        "the statistics are taken over the features",
        "Each feature has its own mean, over the images of the group: axis 1 of (groups, size, C).",
        {"mean": _mean_over(2), "var": _var_over(2)},
    ),
    Slip(
        "one mean and one variance for all features of a group",
        "Each feature has its own: take them over the images of the group only.",
        {"mean": _mean_over(1, 2), "var": _var_over(1, 2)},
    ),
    Slip(
        "the unbiased variance",
        "To normalize, divide by the number of images in the group, as x.var(axis) does.",
        {"var": _var_over(1, ddof=1)},
    ),
    Slip("ε is missing", "Divide by √(σ² + ε), with ε = 1e-5.", {"root": np.sqrt}),
    Slip(
        "ε outside the root",
        "Divide by √(σ² + ε), not by √σ² + ε.",
        {"root": lambda var: np.sqrt(var) + 1e-5},
    ),
    Slip(
        "the variance in place of its root",
        "Divide by √(σ² + ε): the root is missing.",
        {"root": lambda var: var + 1e-5},
    ),
    Slip(
        "not centred",
        "Subtract the mean of the group first.",
        {"mean": np.zeros_like},
    ),
)


def _ghost_cases() -> list[list[tuple]]:
    rng = np.random.default_rng(0)
    small = np.array([[1.0, 4], [3, 8], [10, 0], [30, 1]])
    large = rng.normal(2, 3, (12, 5)) * np.arange(1, 6)
    return [[(small, 2)], [(large, 3), (large, 6)], [(large.astype(np.float32), 4)]]


GHOSTS = Exercise(
    right=_ghost_batch_norm,
    results=("x_hat",),
    stages=_ghost_cases(),
    slips=GHOST_SLIPS,
    praise="Right: each group is normalized by itself.",
)


def check_ghost_batch_norm(f: Callable) -> Finding:
    """Check BN with ghost batches that a student wrote, and name its slip.

    Args:
        f: called as `f(x, size)` with a batch (N, C), N a multiple of `size`; returns x̂ of the
            shape of x, without γ and β, with ε = 1e-5.

    Returns: whether it is right, and what to do if not.
    """
    return GHOSTS.check(f)


# A fair comparison

NETWORKS = ("without BN", "with BN")
BUDGET, SEEDS, WIDEST = 30, 3, 5.0


@dataclass(frozen=True)
class Trained:
    """What came of a plan.

    Attributes:
        rates: of each network, sorted.
        accuracies: of each network, the mean over the seeds at each rate, 0 to 1.
    """

    rates: Mapping[str, Sequence[float]]
    accuracies: Mapping[str, NDArray]

    def best(self, name: str) -> int:
        """Return the place of the best rate of a network."""
        return int(np.argmax(self.accuracies[name]))

    def at_an_end(self, name: str) -> bool:
        """Whether the best rate of a network is the lowest or the highest that was tried."""
        return self.best(name) in (0, len(self.rates[name]) - 1)

    def steps_beside_best(self, name: str) -> float:
        """Return the larger of the factors between the best rate and its two neighbours."""
        rates, best = self.rates[name], self.best(name)
        around = rates[max(best - 1, 0) : best + 2]
        return max(b / a for a, b in zip(around, around[1:], strict=False))


def _signs(name: str) -> tuple[Sign, Sign]:
    """Return the signs that the rates of one of the networks were not well chosen."""
    return (
        Sign(
            f"the best rate {name} is at an end of your range",
            "Beyond it there may be a better one, and this network would be judged below its "
            "worth. Go on in that direction until the accuracy falls again.",
            lambda trained: trained.at_an_end(name),
        ),
        Sign(
            f"the steps between the rates {name} are too wide around the best one",
            "With a factor of more than 5 the peak may lie between two of your rates. Leave out "
            "rates that are far off, and put them there.",
            lambda trained: trained.steps_beside_best(name) > WIDEST * 1.001,
        ),
    )


TRAINED_SIGNS = (*_signs(NETWORKS[0]), *_signs(NETWORKS[1]))


def check_plan(plan: Mapping[str, Any]) -> Finding:
    """Check a plan to compare two networks in 30 trainings; if it can be carried out, do so.

    Args:
        plan: "without BN" and "with BN" → the learning rates to try; "seeds" → from how many seeds
            each. The networks are those of lesson 09, but of ten layers, after 100 steps.

    Returns: what the comparison gave, or what is wrong with it.
    """
    if words := _cannot_be_carried_out(plan):
        return Finding(False, words)
    trained = _carried_out(plan)
    words = "; ".join(
        f"{name} {trained.accuracies[name].max():.0%} at rate "
        f"{trained.rates[name][trained.best(name)]:g}"
        for name in NETWORKS
    )
    return first_sign(
        TRAINED_SIGNS, trained, f"A fair comparison. Each at its own best rate: {words}."
    )


def _cannot_be_carried_out(plan: Any) -> str:
    """Return what is wrong with a plan before anything is trained, or nothing."""
    if not isinstance(plan, Mapping) or {*plan} != {*NETWORKS, "seeds"}:
        return 'Not yet: a plan is a dict with the keys "without BN", "with BN" and "seeds".'
    rates, seeds = {name: [*plan[name]] for name in NETWORKS}, plan["seeds"]
    if not any(rates.values()):
        return "Not written yet. Write the rates to try into the two lists."
    if not all(isinstance(r, (int, float)) and 0 < r < np.inf for v in rates.values() for r in v):
        return "Not yet: rates are positive numbers."
    if not isinstance(seeds, int) or seeds < 1:
        return "Not yet: seeds is how many, a whole number."
    if seeds < SEEDS:
        return (
            "Not yet: fewer than three seeds.\nTwo networks that differ in nothing but the seed "
            "are often a few points apart: you could\nnot tell what is BN and what is luck."
        )
    if min(len({*values}) for values in rates.values()) == 1:
        return (
            "Not yet: one rate only.\nThen you compare a network with a rate that suits it with "
            "one that got a rate of somebody\nelse. Each needs its own best rate."
        )
    if min(len({*values}) for values in rates.values()) < 3:
        return "Not yet: with fewer than three rates no best one has a neighbour on either side."
    count = seeds * sum(map(len, rates.values()))
    if count > BUDGET:
        return f"Not yet: that makes {count} trainings, and you have {BUDGET}."
    return ""


def _carried_out(plan: Mapping[str, Any]) -> Trained:
    from bnlib.experiments.runs import batch_norm
    from bnlib.experiments.sweeps import Sweep

    rates = {name: sorted({*map(float, plan[name])}) for name in NETWORKS}
    accuracies = {}
    for name, norm in zip(NETWORKS, (None, batch_norm), strict=True):
        cases = [("he", rate) for rate in rates[name]]
        sweep = Sweep(cases, range(plan["seeds"]), norm=norm, depth=10, watched=False).trained()
        accuracies[name] = sweep.after(sweep.steps).mean(axis=1)
    return Trained(rates, accuracies)
