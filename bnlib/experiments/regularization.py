"""What keeps a network from learning a few images by heart: dropout, and the noise of BN."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import batch_norm, cross_entropy

from bnlib.experiments.networks import ACTIVATIONS
from bnlib.experiments.training import SGD


class GhostBatchNorm(nn.BatchNorm1d):
    """BN that takes its statistics from groups of a large batch, not from all of it.

    The examples of a batch are cut, in their order, into groups of `size`; each is normalized by
    its own mean and variance, and moves the running averages by its share. In evaluation mode
    nothing differs from BN.

    Args:
        features: number of them, C.
        size: of a group, at least 2.

    Source: Hoffer, Hubara & Soudry (2017), Train longer, generalize better.
    """

    def __init__(self, features: int, size: int):
        if size < 2:
            raise ValueError(f"expected groups of 2 or more, got size={size}: one has variance 0")
        super().__init__(features)
        self.size = size

    def forward(self, x: Tensor) -> Tensor:
        """Normalize x (N, C).

        Raises:
            ValueError: in training mode, if N is not a multiple of the size of a group.
        """
        if not self.training:
            return super().forward(x)
        count, rest = divmod(len(x), self.size)
        if rest:
            raise ValueError(f"expected a multiple of {self.size} examples, got {len(x)}")
        groups = x.view(count, self.size, -1).transpose(0, 1)  # (size, groups, C)
        mean, var, scale, shift = (
            values.repeat(count)
            for values in (*self._averages(), self.weight, self.bias)  # (groups * C,) each
        )
        flat = batch_norm(
            groups.reshape(self.size, -1), mean, var, scale, shift, True, self._momentum(), self.eps
        )
        for average, moved in zip(self._averages(), (mean, var), strict=True):
            average.copy_(moved.view(count, -1).mean(dim=0))
        return flat.view(self.size, count, -1).transpose(0, 1).reshape(x.shape)

    def _averages(self) -> tuple[Tensor, Tensor]:
        return self.get_buffer("running_mean"), self.get_buffer("running_var")

    def _momentum(self) -> float:
        assert self.momentum is not None
        return self.momentum


def with_dropout(model: nn.Sequential, share: float) -> nn.Sequential:
    """Return the layers of `model` with dropout after each activation.

    Args:
        model: its layers are used, not copied.
        share: of the activations that are set to 0 in training mode, 0 to 1.
    """
    layers: list[nn.Module] = []
    for layer in model:
        layers.append(layer)
        if isinstance(layer, tuple(ACTIVATIONS.values())):
            layers.append(nn.Dropout(share))
    return nn.Sequential(*layers)


def train_on_all(
    model: nn.Module, x: Tensor, y: Tensor, *, steps: int, lr: float, seed: int, shuffled: bool
) -> None:
    """Train on all images in every step, by plain gradient descent.

    The order of the images means nothing to a layer that takes each for itself, or all together;
    groups of them are new ones in every step if the images are shuffled.

    Args:
        model: it is trained in training mode.
        x: inputs (N, D).
        y: classes (N,), int64.
        steps: how many.
        lr: the learning rate.
        seed: of the orders, and of dropout.
        shuffled: whether the images come in a new order in each step.
    """
    optimizer, generator = SGD(model.parameters(), lr), torch.Generator().manual_seed(seed)
    model.train()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for _ in range(steps):
            order = (
                torch.randperm(len(x), generator=generator) if shuffled else torch.arange(len(x))
            )
            optimizer.zero_grad()
            cross_entropy(model(x[order]), y[order]).backward()
            optimizer.step()
