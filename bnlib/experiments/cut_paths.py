"""Batch normalization whose gradient misses a path, and networks trained with it."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from bnlib.experiments.data import load_digits
from bnlib.experiments.networks import mlp
from bnlib.experiments.training import train

PATHS = ("mean", "variance")


class CutBatchNorm(nn.Module):
    """A bias, and BN in training mode after it, with no gradient through the mean or the variance.

    The outputs are those of BN, whatever is cut. There are no running averages.

    Args:
        n: number of features.
        cut: names of the paths that are cut, out of `PATHS`.

    Raises:
        ValueError: another name.
    """

    def __init__(self, n: int, cut: tuple[str, ...] = ()):
        super().__init__()
        if not {*cut} <= {*PATHS}:
            raise ValueError(f"expected paths out of {PATHS}, got {cut}")
        self.bias = nn.Parameter(torch.zeros(n))
        self.gamma = nn.Parameter(torch.ones(n))
        self.beta = nn.Parameter(torch.zeros(n))
        self.cut = cut

    def forward(self, x: Tensor) -> Tensor:
        """Normalize x (N, n)."""
        x = x + self.bias
        mu, var = x.mean(0), x.var(0, correction=0)
        if "mean" in self.cut:
            mu = mu.detach()
        if "variance" in self.cut:
            var = var.detach()
        return self.gamma * (x - mu) / torch.sqrt(var + 1e-5) + self.beta


class Outcome(NamedTuple):
    """What became of a network.

    Attributes:
        accuracy: on the test images, normalized as one batch, 0 to 1.
        bias: length of the first hidden layer's bias, which starts at 0.
        weights: length of the first hidden layer's weights.
    """

    accuracy: float
    bias: float
    weights: float


def train_with_cut(
    cut: tuple[str, ...],
    lr: float,
    seed: int = 0,
    activation: str = "relu",
    steps: int = 100,
    learn_bias: bool = True,
    centred: bool = False,
) -> Outcome:
    """Train three hidden layers of 100 units on the digits, in batches of 60.

    Args:
        cut: paths that the gradient misses in each layer, out of `PATHS`.
        lr: the learning rate.
        seed: of the weights and of the batches.
        activation: as for `mlp`.
        steps: of training.
        learn_bias: whether the bias before each BN learns; otherwise it stays at 0.
        centred: whether the mean of each pixel, over the training images, is subtracted first.
    """
    x_train, y_train, x_test, y_test = map(torch.tensor, load_digits())
    if centred:
        x_train, x_test = x_train - x_train.mean(0), x_test - x_train.mean(0)
    network = mlp(
        [64, 100, 100, 100, 10],
        activation=activation,
        norm=lambda n: CutBatchNorm(n, cut),
        init="xavier",
        seed=seed,
    )
    for layer in network:
        if isinstance(layer, CutBatchNorm):
            layer.bias.requires_grad_(learn_bias)
    for _ in train(network, x_train, y_train, steps=steps, batch_size=60, lr=lr, seed=seed):
        pass
    length = {name: value.norm().item() for name, value in network.named_parameters()}
    with torch.no_grad():
        right = network(x_test).argmax(dim=1) == y_test
    return Outcome(right.float().mean().item(), length["1.bias"], length["0.weight"])
