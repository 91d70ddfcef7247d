"""Networks of which only a part learns: the weights, the output layer, γ of BN, β of BN."""

from __future__ import annotations

from typing import TypeVar

from torch import nn

from bnlib.experiments.networks import batch_norms

Network = TypeVar("Network", bound=nn.Module)


def let_learn(model: Network, learned: str) -> Network:
    """Freeze all parameters of `model` but some, and return it.

    Args:
        model: its layers of BN, and others; the last one puts out.
        learned: letters of what learns: "W" the weights and biases of all layers but those of BN,
            "O" those of the last layer, "γ" and "β" those of BN. "" is none, "Wγβ" is all.

    Raises:
        ValueError: another letter.
    """
    if unknown := {*learned} - {*"WOγβ"}:
        raise ValueError(f"expected letters out of W, O, γ and β, got {sorted(unknown)}")
    model.requires_grad_("W" in learned)
    if "O" in learned:
        [*model.children()][-1].requires_grad_(True)
    for bn in batch_norms(model):
        bn.weight.requires_grad_("γ" in learned)
        bn.bias.requires_grad_("β" in learned)
    return model
