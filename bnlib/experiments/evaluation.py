"""One trained network, evaluated in its two modes (torch)."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import batch_norm

from bnlib.experiments.data import batches_around
from bnlib.experiments.networks import BATCH_NORMS, batch_norms
from bnlib.experiments.training import accuracy, train


@torch.no_grad()
def logits_in_batches(model: nn.Sequential, x: Tensor) -> Tensor:
    """Return what a network in training mode answers to each of K batches, all of them at once.

    Args:
        model: BN layers, and layers that treat each example alone.
        x: K batches of N examples, (K, N, D).

    Returns:
        logits (K, N, classes), the same as from K calls of `model.train()(x[k])`, but the
        mode and the running averages of `model` stay as they are.

    Raises:
        ValueError: N is 1.
    """
    for layer in model:
        x = _normalize_each(layer, x) if isinstance(layer, BATCH_NORMS) else layer(x)
    return x


def _normalize_each(bn: Any, x: Tensor) -> Tensor:
    """Normalize K batches (K, N, C), which to BN are one batch of K * C channels."""
    batches, examples, channels = x.shape
    side_by_side = x.transpose(0, 1).reshape(examples, batches * channels)
    weight, bias = bn.weight.repeat(batches), bn.bias.repeat(batches)
    y = batch_norm(side_by_side, None, None, weight, bias, training=True, eps=bn.eps)
    return y.view(examples, batches, channels).transpose(0, 1)


@torch.no_grad()
def first_logits(model: nn.Sequential, x: Tensor) -> Tensor:
    """Return what the network answers to the first example of each of K batches, in both modes.

    Args:
        model: in evaluation mode; otherwise as in `logits_in_batches`.
        x: (K, N, D).

    Returns:
        logits (2, K, classes), those of training mode first.
    """
    return torch.stack([logits_in_batches(model, x)[:, 0], model(x[:, 0])])


def accuracy_in_batches(
    model: nn.Sequential, x: Tensor, y: Tensor, batch_size: int, seed: int = 0
) -> float:
    """Return the share, 0 to 1, of correct answers in training mode; `model` stays as it is.

    Args:
        model: as in `logits_in_batches`.
        x: inputs (N, D).
        y: classes (N,).
        batch_size: the examples are cut into batches of it; what is left over is not counted.
        seed: before that, it shuffles them.

    Raises:
        ValueError: batches of one, or of more than N.
    """
    if not 2 <= batch_size <= len(x):
        raise ValueError(f"expected batch_size from 2 to {len(x)} (the examples), got {batch_size}")
    count = len(x) // batch_size
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(seed))
    order = order[: count * batch_size].view(count, batch_size)
    return (logits_in_batches(model, x[order]).argmax(dim=2) == y[order]).float().mean().item()


def to_5(shares: NDArray | Sequence[float] | float) -> str:
    """Return the mean of shares, 0 to 1, rounded to 5 per cent, which is one on all processors."""
    return f"{5 * round(20 * float(np.mean(shares)))} %"


@torch.no_grad()
def recalibrate(model: nn.Module, x: Tensor, batch_size: int = 60) -> nn.Module:
    """Compute the running averages of `model` anew, from inputs without labels.

    Neither a weight nor γ or β is touched. All batches count alike, which is algorithm 2 of the
    paper; what is left over is not used, since a small batch would count as much as the others.

    Args:
        model: its BN layers keep their momentum.
        x: inputs (N, ...), at least one batch of them.
        batch_size: at least 2.

    Returns:
        `model` itself, in evaluation mode.

    Source: Ioffe & Szegedy (2015), section 3.1.
    """
    model.eval()  # dropout, which is off in use, is off here
    layers = batch_norms(model)
    momenta = [bn.momentum for bn in layers]
    for bn in layers:
        bn.reset_running_stats()
        bn.momentum = None
        bn.train()
    for batch in x[: len(x) // batch_size * batch_size].split(batch_size):
        model(batch)
    for bn, momentum in zip(layers, momenta, strict=True):
        bn.momentum = momentum
    return model.eval()


@torch.no_grad()
def flips(
    model: nn.Sequential, x: Tensor, y: Tensor, batch_size: int, draws: int = 20
) -> tuple[np.ndarray, np.ndarray]:
    """Ask in training mode for each example that is right in evaluation mode: does it stay right?

    Args:
        model: in evaluation mode; otherwise as in `logits_in_batches`.
        x: inputs (N, D).
        y: classes (N,).
        batch_size: of the batches in which an example is asked, its batch-mates drawn at random.
        draws: of batch-mates, for each example.

    Returns:
        how sure the network is of each of the K right answers, (K,), 0 to 1; and whether its
        answer is another one in each draw, (K, draws) bool.
    """
    probability, answer = model(x).softmax(dim=1).max(dim=1)
    right = torch.nonzero(answer == y).flatten()
    flipped = []
    for example in right.tolist():
        mates = batches_around(example, len(x), batch_size, draws)
        logits = logits_in_batches(model, x[mates])[:, 0]  # (draws, classes)
        flipped.append((logits.argmax(dim=1) != answer[example]).numpy())
    return probability[right].numpy(), np.array(flipped)


@dataclass
class History:
    """A training, kept so that the network of any kept step can be had with any momentum.

    The running averages take no part in training, so one training serves every momentum: kept are
    the statistics of every batch, and the averages are computed from them.

    Attributes:
        model: any network of the same layers.
        every: steps between two kept networks.
        parameters: of each kept network, from step 0 on.
        means: of every batch, for each BN layer (steps, C).
        variances: likewise, unbiased.
    """

    model: nn.Sequential
    every: int
    parameters: list[list[Tensor]]
    means: list[Tensor]
    variances: list[Tensor]

    @torch.no_grad()
    def at(self, step: int, momentum: float) -> nn.Sequential:
        """Return the network after `step` steps, in evaluation mode: a new one each time.

        Args:
            step: a multiple of `every`.
            momentum: 0 to 1; the running averages are those that it has led to.

        Raises:
            ValueError: the step was not kept.
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
    """Train a copy of `model`, and keep networks on the way and the statistics of every batch.

    Args:
        model: it stays as it is.
        x: inputs (N, D).
        y: classes (N,).
        steps: of training.
        every: steps between two networks that are kept.
        settings: the others of `training.train`.
    """
    model = deepcopy(model)
    layers = batch_norms(model)
    for bn in layers:
        bn.momentum = 1  # then a running average is the statistic of the last batch
    kept = [_parameters(model)]
    means: list[list[Tensor]] = [[] for _ in layers]
    variances: list[list[Tensor]] = [[] for _ in layers]
    for step, _ in enumerate(train(model, x, y, steps=steps, **settings), start=1):
        for bn, of_mean, of_variance in zip(layers, means, variances, strict=True):
            of_mean.append(bn.running_mean.clone())
            of_variance.append(bn.running_var.clone())
        if step % every == 0:
            kept.append(_parameters(model))
    return History(model, every, kept, [*map(torch.stack, means)], [*map(torch.stack, variances)])


def accuracy_by_step(
    history: History, steps: Sequence[int], x: Tensor, y: Tensor, momentum: float = 0.1
) -> np.ndarray:
    """Return the accuracy, 0 to 1, at kept steps, in training mode and in evaluation mode.

    Args:
        history: of the training.
        steps: some of those that were kept.
        x: test inputs (N, D); in training mode all of them are one batch.
        y: their classes (N,).
        momentum: of the running averages.

    Returns: (2, steps), training mode first.
    """
    networks = [history.at(step, momentum) for step in steps]
    return np.array(
        [
            [accuracy_in_batches(network, x, y, len(x)) for network in networks],
            [accuracy(network, x, y) for network in networks],
        ]
    )


def _parameters(model: nn.Module) -> list[Tensor]:
    return [parameter.detach().clone() for parameter in model.parameters()]
