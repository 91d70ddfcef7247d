"""Networks that differ in their weights alone, trained at once (torch).

On networks as small as ours most of a step is spent on calls, not on arithmetic. So K networks are
laid side by side and share the calls: the channels of the first, then those of the second, and so
on. torch's convolutions and norms can work in groups of channels; for linear layers we do it here.
We measured, on two cores: of the time of three networks, one after the other, three side by side
take half or less on batches of two, and three quarters on batches of 64. Where each network has a
rate of its own, or none has a norm but BN, see `stacked`.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn

from bnlib.experiments.training import mode, train


class SideBySide(nn.Module):
    """K networks as one, each of which reads its own channels.

    None takes notice of the others.

    Args:
        models: K of them, alike in their layers: linear, convolutions, `torch.nn.GroupNorm`,
            PyTorch's BN, and what has no parameters; they stay as they are.

    Raises:
        ValueError: they are not alike, or have a layer of another kind.
    """

    def __init__(self, models: Sequence[nn.Sequential]):
        super().__init__()
        if len({str(model) for model in models}) != 1:
            raise ValueError("expected one network or more, all of the same shape")
        self.count = len(models)
        self.layers = nn.Sequential(*(_joined(layers) for layers in zip(*models, strict=True)))

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (N, classes, K) for inputs (N, K * C, ...), C channels for each network."""
        return self.layers(x).unflatten(1, (self.count, -1)).transpose(1, 2)

    @torch.no_grad()
    def accuracies(self, x: Tensor, y: Tensor) -> list[float]:
        """Return the share of inputs (N, C, ...), 0 to 1, that each network gets right.

        In evaluation mode; the mode of each layer is kept.
        """
        with mode(self, training=False):
            answers = self(torch.cat([x] * self.count, dim=1)).argmax(dim=1)  # (N, K)
        return (answers == y[:, None]).double().mean(dim=0).tolist()


class _Linear(nn.Module):
    """Linear layers side by side, (N, K * in) to (N, K * out)."""

    def __init__(self, layers: Sequence[Any]):
        super().__init__()
        self.weight = _joined_parameters([layer.weight.T[None] for layer in layers])  # (K, in, out)
        self.bias = None
        if layers[0].bias is not None:
            self.bias = _joined_parameters([layer.bias for layer in layers])

    def forward(self, x: Tensor) -> Tensor:
        parts = x.view(len(x), len(self.weight), -1).transpose(0, 1)  # (K, N, in)
        z = torch.bmm(parts, self.weight).transpose(0, 1).flatten(1)
        return z if self.bias is None else z + self.bias


def _joined(layers: Sequence[nn.Module]) -> nn.Module:
    """Return one layer that does what K layers do, side by side."""
    if type(layers[0]) is nn.Linear:
        return _Linear(layers)
    joined = deepcopy(layers[0])
    if isinstance(joined, nn.Conv2d):
        joined.groups *= len(layers)
    elif isinstance(joined, nn.GroupNorm):
        joined.num_groups *= len(layers)
        joined.num_channels *= len(layers)
    elif isinstance(joined, (nn.BatchNorm1d, nn.BatchNorm2d)):
        for name in ("running_mean", "running_var"):
            setattr(joined, name, torch.cat([getattr(layer, name) for layer in layers]))
    elif [*joined.parameters()]:
        raise ValueError(f"expected layers that can lie side by side, got {joined}")
    for name, _ in layers[0].named_parameters(recurse=False):
        setattr(joined, name, _joined_parameters([getattr(layer, name) for layer in layers]))
    return joined


def _joined_parameters(parts: Sequence[Tensor]) -> nn.Parameter:
    return nn.Parameter(torch.cat([part.detach() for part in parts]))


def trained_together(
    models: Sequence[nn.Sequential], x: Tensor, y: Tensor, *, lr: float, **settings
) -> SideBySide:
    """Train networks side by side, each on random batches of its own.

    Args:
        models: as for `SideBySide`; K of them. The batches of each depend on its place alone.
        x: inputs (N, C, ...).
        y: classes (N,), int64.
        lr: the learning rate of each.
        settings: the others of `training.train`.

    Raises:
        DivergedError: one of them has.
    """
    places = range(len(models))
    orders = [torch.randperm(len(x), generator=torch.Generator().manual_seed(k)) for k in places]
    inputs = torch.cat([x[order] for order in orders], dim=1)
    classes = torch.stack([y[order] for order in orders], dim=1)  # (N, K)
    together = SideBySide(models)
    # The loss is the mean over the networks, so that the gradient of each is a K-th of its own.
    list(train(together, inputs, classes, lr=lr * len(models), **settings))
    return together
