"""The exercises to recalibrate a network, and to freeze its BN layers, all four numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bnlib.exercises.checking import (
    Finding,
    Sign,
    exception_words,
    first_sign,
    refusal,
    run,
)

if TYPE_CHECKING:
    from torch import Tensor, nn

FEATURES, UNITS, IMAGES, BATCHES = 6, 5, 20, 4

# Recalibrate


@dataclass(frozen=True)
class Recalibration:
    """What was seen of one call of a student's `recalibrate`.

    Attributes:
        like: of each way to compute the running averages whether it gives what came.
        weights_moved: whether a weight that is not of BN is another one now.
        scales_moved: likewise for γ and β.
        recorded: whether gradients were recorded.
    dropping: whether dropout was on in one of the forward passes.
        momenta: of the BN layers, afterwards.
        evaluating: whether all modules are in evaluation mode afterwards.
    """

    like: Mapping[str, bool]
    weights_moved: bool
    scales_moved: bool
    recorded: bool
    dropping: bool
    momenta: list[float | None]
    evaluating: bool


# Ways to get running averages: whether they start afresh, the momentum, and which batches count.
WAYS: dict[str, tuple[bool, float | None, slice]] = {
    "right": (True, None, slice(None)),
    "the momentum stays": (True, 0.1, slice(None)),
    "the old ones stay": (False, None, slice(None)),
    "both stay": (False, 0.1, slice(None)),
    "the last batch": (True, None, slice(-1, None)),
    "the first batch": (True, None, slice(1)),
    "as they were": (False, None, slice(0)),
    "afresh and empty": (True, None, slice(0)),
}
UNMOVED = "as they were", "afresh and empty"

RECALIBRATION_SIGNS = (
    Sign(
        "the weights have changed",
        "No loss, no backward, no optimizer: a forward pass in training mode is all it takes.",
        lambda r: r.weights_moved,
    ),
    Sign(
        "γ and β have changed",
        "They were learned, and they stay. bn.reset_running_stats() leaves them alone; "
        "bn.reset_parameters() does not.",
        lambda r: r.scales_moved,
    ),
    Sign(
        "the network was in evaluation mode",
        "There BN reads its running averages and does not move them. Call bn.train() for each BN "
        "layer before the batches.",
        lambda r: any(r.like[name] for name in UNMOVED),
    ),
    Sign(
        "the old averages are still in it, and the momentum is still 0.1",
        "Start afresh with bn.reset_running_stats(), and set bn.momentum = None, so that all "
        "batches count alike.",
        lambda r: r.like["both stay"],
    ),
    Sign(
        "the momentum is still 0.1",
        "Then the start values 0 and 1 are still in the averages, with a weight of 0.9 for each "
        "batch. With bn.momentum = None all batches count alike.",
        lambda r: r.like["the momentum stays"],
    ),
    Sign(
        "the old averages are still in it",
        "bn.momentum = None goes on counting from the batches seen before. Start afresh with "
        "bn.reset_running_stats().",
        lambda r: r.like["the old ones stay"],
    ),
    Sign(
        "only the last batch counts",
        "A momentum of 1 forgets all earlier batches, and so does a reset inside the loop.",
        lambda r: r.like["the last batch"],
    ),
    Sign(
        "only the first batch counts",
        "Show the network all of them. Does your loop return too early?",
        lambda r: r.like["the first batch"],
    ),
    Sign(
        "the averages are not those of all batches",
        "Afresh, momentum None, training mode, and then model(batch) once for each batch.",
        lambda r: not r.like["right"],
    ),
    Sign(
        "dropout was on",
        "In use it is off, and then the averages do not fit what it leaves out. Call model.eval() "
        "first, and bn.train() for the BN layers alone. (torch's update_bn has this slip, too.)",
        lambda r: r.dropping,
    ),
    Sign(
        "gradients are recorded",
        "Nobody needs them here, and they take time and memory: with torch.no_grad(): …",
        lambda r: r.recorded,
    ),
    Sign(
        "the network is left in training mode",
        "Its next answer would depend on the batch, and move the averages. End with model.eval().",
        lambda r: not r.evaluating,
    ),
    Sign(
        "the momentum is left at None",
        "A later training would average over all its batches and never forget the first ones. "
        "Give every layer its momentum back.",
        lambda r: None in r.momenta,
    ),
)


def check_recalibrate(f: Callable) -> Finding:
    """Check a recalibration that a student wrote, on a small network, and name its slip.

    Args:
        f: called as `f(model, batches)`, with a list of batches (N, D) of equal size; afterwards
            the running averages of `model` are those of the batches, all alike, and it is in
            evaluation mode. What it returns plays no part.

    Returns: whether it is right, and what to do if not.
    """
    import torch

    if words := refusal(f, ("model", "batches")):
        return Finding(False, words)
    model, batches = _probe(), _batches()
    before, flags = _state(model), [module.training for module in model.modules()]
    passes: list[tuple[bool, bool]] = []  # whether gradients are recorded, and dropout is on
    hook = model.register_forward_hook(
        lambda *_: passes.append((torch.is_grad_enabled(), model[2].training))
    )
    done = run(f, (model, batches))
    hook.remove()
    if done.raised and not done.is_stub:
        return Finding(False, exception_words(done.raised))
    untouched = [module.training for module in model.modules()] == flags and not passes
    if done.is_stub and untouched and _agree(before, _state(model)):
        return Finding(False, "Not written yet. Your function is to move the running averages.")
    return first_sign(
        RECALIBRATION_SIGNS,
        _seen_recalibration(model, batches, before, passes),
        "Right: the averages of all batches, and nothing else has changed.",
    )


def _seen_recalibration(
    model: nn.Sequential,
    batches: list[Tensor],
    before: dict[str, Tensor],
    passes: list[tuple[bool, bool]],
) -> Recalibration:
    from bnlib.experiments.networks import batch_norms

    after = _state(model)
    like = {}
    for name, way in WAYS.items():
        other = _averaged(_probe(), batches, *way)
        like[name] = _agree(_state(other), after, ("running_mean", "running_var"))
    moved = {name for name, value in before.items() if not _close(value, after[name])}
    norms = {f"{i}.{name}" for i in ("1", "3.1") for name in ("weight", "bias")}
    weights = {name for name in moved if name.endswith((".weight", ".bias"))} - norms
    return Recalibration(
        like=like,
        weights_moved=bool(weights),
        scales_moved=bool(moved & norms),
        recorded=any(recorded for recorded, _ in passes),
        dropping=any(dropping for _, dropping in passes),
        momenta=[bn.momentum for bn in batch_norms(model)],
        evaluating=not any(module.training for module in model.modules()),
    )


def _averaged(
    model: nn.Sequential, batches: list[Tensor], afresh: bool, momentum: float | None, which: slice
) -> nn.Sequential:
    """Move the running averages of `model` in one of WAYS."""
    import torch

    from bnlib.experiments.networks import batch_norms

    for bn in batch_norms(model):
        if afresh:
            bn.reset_running_stats()
        bn.momentum = momentum
    with torch.no_grad():
        for batch in batches[which]:
            model.train()(batch)
    return model


# Freeze


@dataclass(frozen=True)
class Frozen:
    """What was seen of a network after a call of a student's `train_frozen`.

    Attributes:
        norms_trained: of each BN layer, whether it is in training mode.
        scales_learn: of γ and β of each BN layer, whether they require a gradient.
        still: whether momentum 0 keeps the averages of a layer in training mode as they are.
        others_trained: of all modules that are neither BN nor hold one, their modes.
        weights_learn: of all parameters that are not of BN, whether they require a gradient.
        changed: whether one of the four numbers has another value now.
    """

    norms_trained: list[bool]
    scales_learn: list[bool]
    still: bool
    others_trained: list[bool]
    weights_learn: list[bool]
    changed: bool


FREEZE_SIGNS = (
    Sign(
        "the numbers of BN have changed",
        "Frozen means that they stay: no reset, no zero, no one.",
        lambda z: z.changed,
    ),
    Sign(
        "the averages stand still, but batch statistics are in use",
        "Momentum 0 stops the update. A BN layer in training mode still normalizes with the "
        "batch; bn.eval() makes it use its averages.",
        lambda z: z.still and any(z.norms_trained),
    ),
    Sign(
        "only γ and β are frozen",
        "requires_grad_(False) stops gradients, and the running averages are not learned by "
        "gradients. Call bn.eval() as well.",
        lambda z: all(z.norms_trained) and not any(z.scales_learn),
    ),
    Sign(
        "all BN layers are in training mode",
        "If you called bn.eval(), then model.train() came after it and undid it: first the whole "
        "network, then its BN layers.",
        lambda z: all(z.norms_trained),
    ),
    Sign(
        "a BN layer inside a block is missed",
        "model.children() and a loop over a Sequential see the outermost layers only; "
        "model.modules() and batch_norms(model) see all.",
        lambda z: any(z.norms_trained) or any(z.scales_learn) and not all(z.scales_learn),
    ),
    Sign(
        "the whole network is in evaluation mode",
        "Then dropout is off as well. Call model.train() first, and bn.eval() on the BN layers.",
        lambda z: not all(z.others_trained),
    ),
    Sign(
        "the other layers are frozen too",
        "Only BN stands still; the weights are what is to be trained.",
        lambda z: not all(z.weights_learn),
    ),
    Sign(
        "γ and β are still learned",
        "bn.eval() holds two of the four numbers. For the other two, bn.requires_grad_(False).",
        lambda z: any(z.scales_learn),
    ),
)


def check_freeze(f: Callable) -> Finding:
    """Check how a student freezes BN, on two small networks, and name the slip.

    Args:
        f: called as `f(model)` in place of `model.train()`: all but the BN layers are to train,
            and all four numbers of each BN layer are to stay. What it returns plays no part.

    Returns: whether it is right, and what to do if not.
    """
    if words := refusal(f, ("model",)):
        return Finding(False, words)
    for training in (False, True):  # after an evaluation, and in the middle of a training
        model = _probe().train(training)
        before, looked = _state(model), _seen_frozen(model, _state(model))
        done = run(f, (model,))
        if done.raised and not done.is_stub:
            return Finding(False, exception_words(done.raised))
        seen = _seen_frozen(model, before)
        if done.is_stub and not training and seen == looked:
            return Finding(False, "Not written yet. Your function is to set modes and gradients.")
        finding = first_sign(FREEZE_SIGNS, seen, "Right: all four numbers stay, the rest trains.")
        if not finding.right:
            break
    return finding


def _seen_frozen(model: nn.Sequential, before: dict[str, Tensor]) -> Frozen:
    from bnlib.experiments.networks import batch_norms

    norms = batch_norms(model)
    holders = {model, model[3], *norms}
    scales = {id(parameter) for bn in norms for parameter in bn.parameters()}
    others = [module for module in model.modules() if module not in holders]
    weights = [parameter for parameter in model.parameters() if id(parameter) not in scales]
    return Frozen(
        norms_trained=[bn.training for bn in norms],
        scales_learn=[parameter.requires_grad for bn in norms for parameter in bn.parameters()],
        still=all(bn.momentum == 0 for bn in norms),
        others_trained=[module.training for module in others],
        weights_learn=[parameter.requires_grad for parameter in weights],
        changed=not _agree(before, _state(model)),
    )


# The small network


def _probe() -> nn.Sequential:
    """Make a network with a BN layer of its own and one in a block, after three batches of data."""
    import torch
    from torch import nn

    generator = torch.Generator().manual_seed(1)
    block = nn.Sequential(nn.Linear(UNITS, UNITS), nn.BatchNorm1d(UNITS), nn.ReLU())
    model = nn.Sequential(nn.Linear(FEATURES, UNITS), nn.BatchNorm1d(UNITS), nn.Dropout(0.0),
                          block, nn.Linear(UNITS, 3))  # fmt: skip
    for parameter in model.parameters():
        nn.init.normal_(parameter, generator=generator)
    with torch.no_grad():
        for _ in range(3):
            model(2 * torch.randn(IMAGES, FEATURES, generator=generator) - 1)
    return model.eval()


def _batches() -> list[Tensor]:
    import torch

    draws = torch.randn(BATCHES, IMAGES, FEATURES, generator=torch.Generator().manual_seed(2))
    return [draw * (1 + k) + k for k, draw in enumerate(draws)]  # no two batches are alike


def _state(model: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in model.state_dict().items()}


def _agree(
    one: Mapping[str, Tensor],
    other: Mapping[str, Tensor],
    names: tuple[str, ...] = ("weight", "bias", "running_mean", "running_var"),
) -> bool:
    """Whether the tensors whose names end like these have the same numbers."""
    return all(_close(value, other[name]) for name, value in one.items() if name.endswith(names))


def _close(one: Any, other: Any) -> bool:
    """Whether two tensors are equal, up to the rounding of other right ways to average."""
    import torch

    return torch.allclose(one.double(), other.double(), rtol=1e-4, atol=1e-5)
