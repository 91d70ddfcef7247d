"""One trained network, evaluated in its two modes (torch)."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import batch_norm

from bnlib.experiments.networks import batch_norms
from bnlib.torch_bn import BatchNorm
from bnlib.experiments.training import train


@torch.no_grad()
def logits_in_batches(model: nn.Sequential, x: Tensor) -> Tensor:
    """What a network in training mode answers to each of K batches, all of them at once.

    Arguments: a network of BN layers and of layers that treat each example alone; `x` (K, N, D),
    K batches of N examples.

    Returns: logits (K, N, classes), the same as from K calls of `model.train()(x[k])`, but the
    mode and the running averages of `model` stay as they are.

    Raises ValueError for batches of one.
    """
    for layer in model:
        x = _normalize_each(layer, x) if isinstance(layer, BatchNorm) else layer(x)
    return x


def _normalize_each(bn: BatchNorm, x: Tensor) -> Tensor:
    """BN of K batches (K, N, C) by their own statistics: to BN, K batches of C channels are one
    batch of K * C channels.
    """
    batches, examples, channels = x.shape
    side_by_side = x.transpose(0, 1).reshape(examples, batches * channels)
    weight, bias = bn.weight.repeat(batches), bn.bias.repeat(batches)
    y = batch_norm(side_by_side, None, None, weight, bias, training=True, eps=bn.eps)
    return y.view(examples, batches, channels).transpose(0, 1)


def accuracy_in_batches(
    model: nn.Sequential, x: Tensor, y: Tensor, batch_size: int, seed: int = 0
) -> float:
    """Share, 0 to 1, of correct answers in training mode, the examples shuffled by `seed` and cut
    into batches of `batch_size`; what is left over is not counted. `model` stays as it is.

    Arguments: inputs `x` (N, D), classes `y` (N,). Raises ValueError for batches of one, and for
    batches of more than N.
    """
    if not 2 <= batch_size <= len(x):
        raise ValueError(f"expected batch_size from 2 to {len(x)} (the examples), got {batch_size}")
    count = len(x) // batch_size
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(seed))
    order = order[: count * batch_size].view(count, batch_size)
    return (logits_in_batches(model, x[order]).argmax(dim=2) == y[order]).float().mean().item()


def batches_around(example: int, n: int, batch_size: int, draws: int) -> np.ndarray:
    """Batches that all hold one example: it comes first, its batch-mates are drawn at random.

    Returns: (draws, batch_size) int64, numbers from 0 to `n` - 1. A row depends on `example`, `n`
    and its place alone, and a smaller `batch_size` keeps the first of its numbers.
    """
    others = np.delete(np.arange(n), example)
    mates = [
        np.random.default_rng(draw).permutation(others)[: batch_size - 1] for draw in range(draws)
    ]
    return np.column_stack([np.full(draws, example), mates])


@dataclass
class History:
    """A training, kept so that the network of any kept step can be had with any momentum.

    The running averages take no part in training, so one training serves every momentum: kept are
    the statistics of every batch, and the averages are computed from them.
    """

    model: nn.Sequential  # as the last step left it
    every: int  # steps between two kept networks
    parameters: list[list[Tensor]]  # for each kept network, from step 0 on
    means: list[Tensor]  # for each BN layer (steps, C): of the batch
    variances: list[Tensor]  # for each BN layer (steps, C): of the batch, unbiased

    @torch.no_grad()
    def at(self, step: int, momentum: float) -> nn.Sequential:
        """The network after `step` steps, a multiple of `every`, in evaluation mode, with the
        running averages that `momentum`, 0 to 1, has led to. A new one each time.

        Raises ValueError for a step that was not kept.
        """
        if step not in range(0, self.every * len(self.parameters), self.every):
            raise ValueError(f"expected a kept step, a multiple of {self.every}, got {step}")
        model = deepcopy(self.model)
        for parameter, kept in zip(
            model.parameters(), self.parameters[step // self.every], strict=True
        ):
            parameter.copy_(kept)
        age = torch.arange(step - 1, -1, -1, dtype=torch.float64)
        weights = (momentum * (1 - momentum) ** age).float()  # (step,): of each batch
        start = (1 - momentum) ** step  # the weight of the start values, 0 and 1
        layers = zip(batch_norms(model), self.means, self.variances, strict=True)
        for bn, means, variances in layers:
            bn.momentum = momentum
            bn.running_mean.copy_(weights @ means[:step])
            bn.running_var.copy_(weights @ variances[:step] + start)
            bn.num_batches_tracked.fill_(step)
        return model.eval()


def train_and_keep(
    model: nn.Sequential, x: Tensor, y: Tensor, *, steps: int, every: int = 10, **settings
) -> History:
    """Trains `model` as `training.train` does, with its `settings`, and keeps the network of every
    `every` steps and the statistics of every batch.
    """
    layers = batch_norms(model)
    for bn in layers:
        bn.momentum = 1  # then a running average is the statistic of the last batch
    kept, means, variances = [_parameters(model)], [[] for _ in layers], [[] for _ in layers]
    for step, _ in enumerate(train(model, x, y, steps=steps, **settings), start=1):
        for bn, of_mean, of_variance in zip(layers, means, variances, strict=True):
            of_mean.append(bn.running_mean.clone())
            of_variance.append(bn.running_var.clone())
        if step % every == 0:
            kept.append(_parameters(model))
    return History(model, every, kept, [*map(torch.stack, means)], [*map(torch.stack, variances)])


def _parameters(model: nn.Module) -> list[Tensor]:
    return [parameter.detach().clone() for parameter in model.parameters()]
