"""Folding BN into a neighbouring layer, for use: the same outputs from one layer less (torch)."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from time import perf_counter
from typing import cast

import torch
from torch import Tensor, nn

from bnlib.experiments.networks import BATCH_NORMS
from bnlib.torch_bn import BatchNorm

Weighted = nn.Linear | nn.Conv2d


@torch.no_grad()
def fold(layer: Weighted, bn: BatchNorm) -> Weighted:
    """Fold BN into the layer before it.

        scale = γ / sqrt(running_var + ε)
        W' = scale * W        b' = scale * (b - running_mean) + β

    Args:
        layer: linear or convolutional, of any stride, padding, dilation and groups.
        bn: in evaluation mode; it gets the output of `layer`, and nothing stands between them.

    Returns:
        a new layer, with a bias: `layer` and `bn` stay as they are.

    Raises:
        TypeError: `layer` is of another kind.
        ValueError: `bn` cannot be folded into it; the text says why.
    """
    weight, bias = _weights(layer)
    scale, shift = _scale_and_shift(bn)
    if len(scale) != len(weight):
        raise ValueError(
            f"BN has {len(scale)} channels and the layer {len(weight)}: this BN belongs elsewhere"
        )
    return _with(layer, weight * _along(scale, weight, 0), scale * bias + shift)


@torch.no_grad()
def fold_into_next(bn: BatchNorm, layer: Weighted) -> Weighted:
    """Fold BN into the layer after it.

        W' = W * scale, each input channel by its own        b' = b + sum of W * shift

    Args:
        bn: in evaluation mode; `layer` gets its output, and nothing stands between them.
        layer: linear or convolutional; not padded with zeros.

    Returns:
        a new layer, with a bias: `layer` and `bn` stay as they are.

    Raises:
        TypeError: `layer` is of another kind.
        ValueError: `bn` cannot be folded into it; the text says why.
    """
    weight, bias = _weights(layer)
    scale, shift = _scale_and_shift(bn)
    groups = 1
    if isinstance(layer, nn.Conv2d):
        groups = layer.groups
        if layer.padding_mode == "zeros" and layer.padding not in ((0, 0), "valid"):
            raise ValueError(
                "the layer after BN pads with zeros: at the border it sees 0, where no BN has "
                "been, and one bias for the whole map cannot be right both there and inside"
            )
    if len(scale) != groups * weight.shape[1]:
        raise ValueError(
            f"BN has {len(scale)} channels and the layer takes {groups * weight.shape[1]}: "
            "this BN belongs elsewhere"
        )
    # A unit of group g sees the input channels of group g alone.
    per_group = len(weight) // groups
    scales = scale.view(groups, -1).repeat_interleave(per_group, dim=0)  # (out, in / groups)
    shifts = shift.view(groups, -1).repeat_interleave(per_group, dim=0)
    filled = weight.flatten(2).sum(2) if weight.dim() > 2 else weight  # of one input channel
    return _with(layer, weight * _along(scales, weight, 0, 1), bias + (filled * shifts).sum(1))


def folded(model: nn.Sequential) -> nn.Sequential:
    """Fold every BN of a network into the layer right before it, or else right after it.

    Args:
        model: in evaluation mode; it stays as it is.

    Returns:
        a new network without BN, in evaluation mode, with the same outputs up to rounding.

    Raises:
        ValueError: a BN layer has no neighbour that can take it; the text says which and why.
    """
    layers = [deepcopy(layer) for layer in model]
    place = 0
    while place < len(layers):
        if isinstance(layers[place], BATCH_NORMS):
            start = max(place - 1, 0)
            layers[start : place + 2] = _fold_one(layers, place)
            place = start
        else:
            place += 1
    return nn.Sequential(*layers).eval()


@torch.inference_mode()
def seconds(models: Sequence[nn.Module], x: Tensor, rounds: int = 30) -> list[list[float]]:
    """Measure how long each of some models takes for x, in turns, so that none has a quiet hour.

    Returns:
        for each model the seconds of one pass, the mean of ten, in every round.
    """
    found: list[list[float]] = [[] for _ in models]
    for _ in range(rounds):
        for times, model in zip(found, models, strict=True):
            start = perf_counter()
            for _ in range(10):
                model(x)
            times.append((perf_counter() - start) / 10)
    return found


def _fold_one(layers: list[nn.Module], place: int) -> list[nn.Module]:
    """Return what takes the place of the BN at `place` and of its two neighbours."""
    bn = cast(BatchNorm, layers[place])
    before = layers[place - 1] if place else None
    after = layers[place + 1] if place + 1 < len(layers) else None
    if isinstance(before, Weighted):
        return [fold(before, bn), *([after] if after else [])]
    if isinstance(after, Weighted):
        return [*([before] if before else []), fold_into_next(bn, after)]
    names = [type(layer).__name__ if layer else "nothing" for layer in (before, after)]
    raise ValueError(
        f"layer {place}, {type(bn).__name__}, stands between {names[0]} and {names[1]}: folding "
        "needs a linear or convolutional layer right before BN or right after it, since only "
        "there are two maps W x + b in a row, which are one"
    )


def _weights(layer: nn.Module) -> tuple[Tensor, Tensor]:
    """Return weight (out, in / groups, ...) and bias (out,) of a layer, zeros if it has none."""
    if not isinstance(layer, Weighted):
        raise TypeError(
            f"expected a Linear or a Conv2d to fold BN into, got {type(layer).__name__}"
        )
    weight = layer.weight
    return weight, weight.new_zeros(len(weight)) if layer.bias is None else layer.bias


def _scale_and_shift(bn: BatchNorm) -> tuple[Tensor, Tensor]:
    """Return scale and shift (C,) with which BN in evaluation mode is scale * x + shift."""
    if not isinstance(bn, BATCH_NORMS):
        raise TypeError(f"expected a layer of BN to fold, got {type(bn).__name__}")
    if bn.running_var is None:
        raise ValueError("this BN has no running averages: it takes the statistics of every batch")
    if bn.training:
        raise ValueError("BN is in training mode: what it does depends on the batch; call eval()")
    scale = torch.rsqrt(bn.running_var + bn.eps)
    if bn.weight is not None:
        scale = scale * bn.weight
    shift = -bn.running_mean * scale
    return scale, shift if bn.bias is None else shift + bn.bias


def _along(values: Tensor, weight: Tensor, *axes: int) -> Tensor:
    """Shape `values` so that they go along these axes of `weight`, and all others are 1."""
    return values.view([n if axis in axes else 1 for axis, n in enumerate(weight.shape)])


def _with(layer: Weighted, weight: Tensor, bias: Tensor) -> Weighted:
    """Return a copy of `layer` with these weights."""
    new = deepcopy(layer)
    new.weight, new.bias = nn.Parameter(weight), nn.Parameter(bias)
    return new
