"""The exercises to write the update of the running averages, and a safe evaluation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
    from torch import Tensor, nn


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


# An accuracy that leaves the network as it was

EVALUATE = ("model", "x", "y")


@dataclass(frozen=True)
class Evaluation:
    """What was seen of one call of a student's function, and of the network around it.

    Attributes:
        returned: what it returned, as a number, or None if it is none.
        right: the accuracy in evaluation mode.
        norms_trained: whether a BN layer was in training mode when it was called.
        dropout_trained: likewise for dropout.
        recorded: whether gradients were recorded.
        called: whether the network was called at all.
        moved: whether the running averages are other ones now.
        flags: of all modules, before and after.
    """

    returned: float | None
    right: float
    norms_trained: bool
    dropout_trained: bool
    recorded: bool
    called: bool
    moved: bool
    flags: tuple[list[bool], list[bool]]

    def returns(self, value: float) -> bool:
        """Whether this value was returned."""
        return self.returned is not None and abs(self.returned - value) < 1e-4


IMAGES = 40  # that a probe is asked about

EVALUATION_SIGNS = (
    Sign(
        "the network is never called",
        "The answers are the largest of the logits: model(x).argmax(1).",
        lambda e: not e[0].called,
    ),
    Sign(
        "the BN layers are in training mode while they are asked",
        "no_grad() is no help here: it stops gradients, and nothing else. Call model.eval() first.",
        lambda e: any(one.norms_trained for one in e),
    ),
    Sign(
        "dropout is still on",
        "BN is in evaluation mode, another layer is not. model.eval() reaches all of them.",
        lambda e: any(one.dropout_trained for one in e),
    ),
    Sign(
        "gradients are recorded",
        "Nobody needs them here, and they take time and memory: with torch.no_grad(): …",
        lambda e: any(one.recorded for one in e),
    ),
    Sign(
        "the running averages have moved",
        "An evaluation must not change what it measures.",
        lambda e: any(one.moved for one in e),
    ),
    Sign(
        "how many are right, not which share of them",
        "Divide by the number of images.",
        lambda e: all(one.returns(IMAGES * one.right) for one in e),
    ),
    Sign(
        "per cent, not a share from 0 to 1",
        "Leave the factor of 100 to the caller.",
        lambda e: all(one.returns(100 * one.right) for one in e),
    ),
    Sign(
        "the share of wrong answers",
        "Count where the answer and y are equal.",
        lambda e: all(one.returns(1 - one.right) for one in e),
    ),
    Sign(
        "what is returned is not the accuracy",
        "It is the mean of (model(x).argmax(1) == y), as a float.",
        lambda e: not all(one.returns(one.right) for one in e),
    ),
    Sign(
        "the network is left in evaluation mode",
        "Your caller was in the middle of a training, and goes on without batch statistics. "
        "Leave each mode as you found it.",
        lambda e: not any(e[0].flags[1]),
    ),
    Sign(
        "train() at the end, whatever the mode was before",
        "A network that came in evaluation mode now trains its running averages. Remember the "
        "mode, and bring that one back.",
        lambda e: all(e[2].flags[1]),
    ),
    Sign(
        "a frozen BN layer is thawed",
        "One BN layer was in evaluation mode, on purpose, while the network around it was in "
        "training mode. model.train(…) sets all flags alike; remember that of every module in "
        "model.modules().",
        lambda e: [one.flags[0] != one.flags[1] for one in e] == [False, True, False],
    ),
    Sign(
        "the modes are not as they were",
        "Remember the flag of every module in model.modules(), and bring it back.",
        lambda e: any(one.flags[0] != one.flags[1] for one in e),
    ),
)


def check_evaluate(f: Callable) -> Finding:
    """Check an evaluation that a student wrote, on three small networks, and name its slip.

    Args:
        f: called as `f(model, x, y)`, with images x (N, D) and classes y (N,); it returns the
            share of right answers in evaluation mode, and leaves `model` as it was.

    Returns: whether it is right, and what to do if not.
    """
    if words := refusal(f, EVALUATE):
        return Finding(False, words)
    seen = []
    for frozen in ("none", "one BN layer", "all"):
        model = _probe(frozen)
        evaluation, done = _observe(f, model)
        if done.is_stub:
            return Finding(False, "Not written yet. Your function is to return the accuracy.")
        if done.raised:
            return Finding(False, exception_words(done.raised))
        seen.append(evaluation)
    return first_sign(
        EVALUATION_SIGNS, seen, "Right: the true accuracy, and the network is as it was."
    )


def _probe(frozen: str) -> nn.Sequential:
    """Make a small network in training mode, with BN and dropout; `frozen` is in evaluation mode.

    Its running averages are far from those of any batch, so that the mode shows in the answers.
    """
    import torch
    from torch import nn

    generator = torch.Generator().manual_seed(1)
    norms = nn.BatchNorm1d(16), nn.BatchNorm1d(16)
    first = nn.Linear(8, 16), norms[0], nn.ReLU(), nn.Dropout(0.5)
    model = nn.Sequential(*first, nn.Linear(16, 16), norms[1], nn.ReLU(), nn.Linear(16, 4))
    for parameter in model.parameters():
        nn.init.normal_(parameter, generator=generator)
    for bn in norms:
        bn.running_mean = torch.randn(16, generator=generator)
        bn.running_var = 0.1 + 2 * torch.rand(16, generator=generator)
    if frozen == "one BN layer":
        norms[1].eval()
    return model.eval() if frozen == "all" else model


def _images() -> tuple[Tensor, Tensor]:
    import torch

    generator = torch.Generator().manual_seed(2)
    x = torch.randn(IMAGES, 8, generator=generator)
    return x, torch.randint(0, 4, (IMAGES,), generator=generator)


def _observe(f: Callable, model: nn.Sequential) -> tuple[Evaluation, Any]:
    """Return what is seen of a call of `f`, and the call itself."""
    import torch

    x, y = _images()
    flags = [module.training for module in model.modules()]
    with torch.no_grad():
        model.eval()
        right = (model(x).argmax(1) == y).float().mean().item()
    for module, flag in zip(model.modules(), flags, strict=True):
        module.training = flag
    averages = [buffer.clone() for buffer in model.buffers()]
    trained: dict[str, bool] = {}
    recorded = []

    def look(module: nn.Module, *_: Any) -> None:
        name = type(module).__name__
        trained[name] = trained.get(name, False) or module.training
        recorded.append(torch.is_grad_enabled())

    hooks = [module.register_forward_hook(look) for module in model]
    done = run(f, (model, x, y))
    for hook in hooks:
        hook.remove()
    evaluation = Evaluation(
        returned=_number(done.returned),
        right=right,
        norms_trained=trained.get("BatchNorm1d", False),
        dropout_trained=trained.get("Dropout", False),
        recorded=any(recorded),
        called=bool(recorded),
        moved=not all(map(torch.equal, averages, model.buffers())),
        flags=(flags, [module.training for module in model.modules()]),
    )
    return evaluation, done


def _number(returned: Any) -> float | None:
    """Return what was returned as a float; None if it is none. A tensor with one entry will do."""
    try:
        return float(returned.detach() if hasattr(returned, "detach") else returned)
    except (TypeError, ValueError, RuntimeError):
        return None
