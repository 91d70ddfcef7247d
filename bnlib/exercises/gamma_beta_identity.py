"""The exercises of lesson 04: to set γ and β, and to spare γ and β the weight decay."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bnlib.exercises.checking import WIDTH, Exercise, Finding, Slip, exception_words, refusal, run

if TYPE_CHECKING:
    from torch import nn

# γ and β with which BN in evaluation mode returns a x + b


def _line(
    running_mean: NDArray,
    running_var: NDArray,
    eps: float,
    a: float,
    b: float,
    *,
    scale: Callable = lambda var, eps: np.sqrt(var + eps),
    times: Callable = lambda scale, a: a * scale,
    shift: Callable = lambda mean, gamma, a: a * mean,
    plus: Callable = lambda shift, b: shift + b,
    pair: Callable = lambda gamma, beta: (gamma, beta),
) -> tuple[NDArray, NDArray]:
    """Compute γ and β, in steps that a slip may replace."""
    gamma = times(scale(running_var, eps), a)
    return pair(gamma, plus(shift(running_mean, gamma, a), b))


SLIPS = (
    # γ
    Slip(
        "eps forgotten",
        "BN divides by the root of the variance plus eps, so γ has to give back just that.",
        {"scale": lambda var, eps: np.sqrt(var)},
    ),
    Slip(
        "the variance where its root belongs",
        "BN divides by a standard deviation. γ multiplies, and has the unit of x, not of x².",
        {"scale": lambda var, eps: var + eps},
    ),
    Slip(
        "the variance where its root belongs, and eps forgotten",
        "BN divides by the root of the variance plus eps.",
        {"scale": lambda var, eps: var},
    ),
    Slip(
        "eps outside the root",
        "It is added to the variance, before the root is taken.",
        {"scale": lambda var, eps: np.sqrt(var) + eps},
    ),
    Slip(
        "γ upside down",
        "BN has divided by the root already; to undo that, γ multiplies by it.",
        {"scale": lambda var, eps: 1 / np.sqrt(var + eps)},
    ),
    Slip(
        "γ without the spread",
        "With γ = a the spread of the output is a, and not a times that of x.",
        {"scale": lambda var, eps: np.ones_like(var)},
    ),
    Slip(
        "γ without a",
        "This γ gives x back. The output is to change by a where x changes by 1.",
        {"times": lambda scale, a: scale},
    ),
    # β
    Slip(
        "β without the mean",
        "BN has subtracted the mean, so where x is the mean, β alone is the output: a mean + b.",
        {"shift": lambda mean, gamma, a: np.zeros_like(mean)},
    ),
    Slip(
        "the sign of the mean",
        "BN has subtracted the mean, so it has to be added again.",
        {"shift": lambda mean, gamma, a: -a * mean},
    ),
    Slip(
        "β without a",
        "Where x is the mean, the output is to be a mean + b, and it is β.",
        {"shift": lambda mean, gamma, a: mean},
    ),
    Slip(
        "β multiplied by γ",
        "y = γ x̂ + β: β is added after γ has multiplied, so γ is not in it.",
        {"shift": lambda mean, gamma, a: gamma * mean},
    ),
    Slip(
        "β without b",
        "The output is to be a x + b: β adds b, too.",
        {"plus": lambda shift, b: shift},
    ),
    # The pair
    Slip(
        "γ and β exchanged",
        "The pair is (gamma, beta).",
        {"pair": lambda gamma, beta: (beta, gamma)},
    ),
)

CASES = (
    (np.array([5.0]), np.array([9.0]), 7.0, 2.0, 1.0),
    (np.array([2.0, -3, 0.5]), np.array([15.0, 0.75, 3.2]), 1e-1, 1.7, -0.6),
    (np.array([2.0, -3, 0.5]), np.array([15.0, 0.75, 3.2]), 1e-3, 0.3, 4.1),
)

EXERCISE = Exercise(
    right=_line,
    results=("gamma", "beta"),
    stages=(CASES,),
    slips=SLIPS,
    praise="Right: in evaluation mode, BN with this γ and this β returns a x + b.",
)


def check_line(f: Callable) -> Finding:
    """Check γ and β with which BN in evaluation mode returns a x + b, and name the slip.

    Args:
        f: called as `f(running_mean, running_var, eps, a, b)`, with arrays of shape (C,) and two
            numbers; it returns the pair (gamma, beta), both of shape (C,).

    Returns:
        Whether it is right, and what to do if not.
    """
    return EXERCISE.check(f)


# Groups of parameters for an optimizer

DECAY = 0.01
UNSTATED = "a group without its weight_decay"
WHY = {
    "γ decays": "PyTorch calls γ of a BN layer its weight. Decay pulls it to 0, and with γ = 0 a "
    "unit says nothing about its input.",
    "β decays": "PyTorch calls β of a BN layer its bias.",
    "biases decay": "The bias of a linear or a convolutional layer is to be spared as well.",
    "weights do not decay": "Only γ, β and biases are spared; the weights keep their decay.",
    "a parameter is missing": "The optimizer moves what it is given; what stands in no group stays "
    "as it is for ever. model.modules() and model.parameters() reach what is nested, "
    "model.children() does not.",
    "a parameter twice": "Every parameter belongs to one group; PyTorch refuses the second.",
    "a stranger": "A group holds parameters of the model, and nothing else.",
    UNSTATED: "What a group does not say, the optimizer decides by its own default, which for "
    "AdamW is 0.01. Say 0 where you mean 0.",
    "another decay": "It is an argument: use the one that is handed over.",
}
FORM = "a list of dictionaries, each with 'params' (a list of parameters) and 'weight_decay'"


def check_groups(f: Callable) -> Finding:
    """Check groups of parameters that spare γ, β and biases the weight decay; name the slips.

    Args:
        f: called as `f(model, weight_decay)`; it returns groups as the optimizers of torch take
            them, dictionaries with "params" and "weight_decay".

    Returns:
        Whether they are right, and what to do if not.
    """
    if words := refusal(f, ("model", "weight_decay")):
        return Finding(False, words)
    for name, model in _models().items():
        done = run(f, (model, DECAY))
        if done.is_stub:
            return Finding(False, "Not written yet. Your function is to return groups.")
        if done.raised:
            return Finding(False, f"{exception_words(done.raised)}\n  with {name}")
        returned = done.returned
        groups = _as_groups(returned)
        if groups is None:
            return Finding(False, f"Not yet: what came is not {FORM}.\n  with {name}")
        if slips := _slips(model, groups):
            return Finding(False, f"{_said(slips)}\n  with {name}")
    return Finding(True, "Right: the weights decay; γ, β and biases are spared, nested ones too.")


def _models() -> dict[str, nn.Module]:
    """Make the models to try, by what they are called."""
    from torch import nn

    from bnlib.torch_bn import BatchNorm

    block = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU())
    return {
        "Linear, BatchNorm1d, Linear": nn.Sequential(
            nn.Linear(3, 4, bias=False), nn.BatchNorm1d(4), nn.Linear(4, 2)
        ),
        "a block of Conv2d and BatchNorm2d inside another": nn.Sequential(
            nn.Sequential(block), nn.Flatten(), nn.Linear(16, 5), BatchNorm(5), nn.Linear(5, 2)
        ),
    }


def _as_groups(returned: Any) -> list[tuple[list, Any]] | None:
    """Return the parameters and the decay of each group; None if these are no groups."""
    if not isinstance(returned, (list, tuple)):
        return None
    groups = []
    for group in returned:
        if not isinstance(group, dict) or "params" not in group:
            return None
        try:
            groups.append((list(group["params"]), group.get("weight_decay")))
        except TypeError:
            return None
    return groups


def _slips(model: nn.Module, groups: list[tuple[list, Any]]) -> list[str]:
    """Return what is wrong with groups, the names of slips."""
    kinds = _kinds(model)
    found = Counter(id(parameter) for parameters, _ in groups for parameter in parameters)
    wrong = {
        "a stranger": bool(found.keys() - kinds.keys()),
        "a parameter twice": any(count > 1 for count in found.values()),
        "a parameter is missing": bool(kinds.keys() - found.keys()),
    }
    for parameters, decay in groups:
        for kind in {kinds[id(p)] for p in parameters if id(p) in kinds}:
            if decay is None:
                wrong[UNSTATED] = True
            elif kind == "weights":
                wrong["weights do not decay"] = decay == 0
                wrong["another decay"] = decay not in (0, DECAY)
            elif decay != 0:
                wrong[f"{kind} decays" if kind in "γβ" else f"{kind} decay"] = True
    return [name for name in WHY if wrong.get(name)]


def _kinds(model: nn.Module) -> dict[int, str]:
    """Return what each parameter is, by its id."""
    kinds = {}
    for layer in model.modules():
        normalizes = hasattr(layer, "running_mean")
        for name, parameter in layer.named_parameters(recurse=False):
            in_bn, elsewhere = {"weight": ("γ", "weights"), "bias": ("β", "biases")}[name]
            kinds[id(parameter)] = in_bn if normalizes else elsewhere
    return kinds


def _said(slips: list[str]) -> str:
    return "\n".join(f"Not yet: {name}.\n{fill(WHY[name], WIDTH)}" for name in slips)
