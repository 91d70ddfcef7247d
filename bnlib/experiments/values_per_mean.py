"""How many values share a mean in each norm of a network (torch)."""

from __future__ import annotations

from math import prod

import torch
from torch import Tensor, nn

from bnlib.experiments.networks import BATCH_NORMS
from bnlib.experiments.training import mode


def values_per_mean(model: nn.Module, x: Tensor) -> list[int]:
    """Return how many values share a mean in each norm, from the input to the output.

    Args:
        model: its norms are BN, GroupNorm or LayerNorm; it stays as it is.
        x: a batch, as the model takes it.
    """
    found: list[int] = []

    def count(norm: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        n, c, *space = inputs[0].shape
        if isinstance(norm, nn.LayerNorm):
            found.append(prod(norm.normalized_shape))
        elif isinstance(norm, nn.GroupNorm):
            found.append(c // norm.num_groups * prod(space))
        else:
            found.append(n * prod(space))

    kinds = (*BATCH_NORMS, nn.GroupNorm, nn.LayerNorm)
    hooks = [
        layer.register_forward_pre_hook(count)
        for layer in model.modules()
        if isinstance(layer, kinds)
    ]
    with torch.no_grad(), mode(model, training=False):
        model(x)
    for hook in hooks:
        hook.remove()
    return found
