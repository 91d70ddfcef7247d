"""Many small networks that train at once: their weights lie in stacks of matrices.

On layers of 100 units most of a step is spent on calls, not on arithmetic, and a stack shares the
calls. We measured, on two cores: 15 networks of six layers as a stack take half of the time that
they take one after the other; two threads saved a fifth; `torch.func.vmap` was slower than no
stack, and took 500 MB and more; each further process would load another 200 MB of torch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import batch_norm, cross_entropy

from bnlib.experiments.networks import ACTIVATIONS


class Stack:
    """Networks of one shape that are trained together, each on batches and at a rate of its own.

    None takes notice of the others: what it becomes is, up to rounding, what
    `bnlib.experiments.training.train` makes of it alone. One that diverges is left behind.

    Args:
        models: as `bnlib.experiments.networks.mlp` makes them, K of them, with linear layers,
            `torch.nn.BatchNorm1d` and activations in the same places; they stay as they are.

    Attributes:
        count: of the networks, K.
        alive: the places of those that have not diverged, (A,), at first 0 to K - 1.
        parameters: what is trained; the first axis of each is that of the networks, (A, ...).

    Raises:
        ValueError: they differ in shape, or have a layer of another kind.
    """

    def __init__(self, models: Sequence[nn.Sequential]):
        if len({str(model) for model in models}) != 1:
            raise ValueError("expected one network or more, all of the same shape")
        self.count = len(models)
        self.alive = np.arange(self.count)
        self.parameters: list[Tensor] = []
        self._averages: list[Tensor] = []  # of BN, (A, C) each
        self._layers = [self._stacked(layers) for layers in zip(*models, strict=True)]

    def __call__(self, x: Tensor, training: bool) -> Tensor:
        """Return the logits (A, N, 10) for images (A, N, D); BN in training mode, or not."""
        for layer in self._layers:
            x = layer(x, training)
        return x

    def keep(self, chosen: NDArray[np.bool_]) -> None:
        """Go on with some of the networks that are alive: those where `chosen` (A,) is true."""
        self.alive = self.alive[chosen]
        self.parameters = [values.detach()[chosen].requires_grad_() for values in self.parameters]
        self._averages = [values[chosen] for values in self._averages]

    @torch.no_grad()
    def accuracy(self, x: Tensor, y: Tensor) -> NDArray[np.float64]:
        """Return the share of images (N, D) of classes (N,) that each gets right, 0 to 1, (K,).

        In evaluation mode. A network that has diverged gives no answer, and has none right.
        """
        logits = self(x.expand(len(self.alive), -1, -1), training=False)
        right = (logits.argmax(dim=2) == y) & logits.isfinite().all(dim=2)
        shares = np.zeros(self.count)
        shares[self.alive] = right.double().mean(dim=1).numpy()
        return shares

    def _stacked(self, layers: Sequence[nn.Module]):
        """Return one layer of all networks, a function of x (A, N, C) and of the mode."""
        kind = type(layers[0])
        if kind is nn.Linear:
            return self._linear(layers)
        if kind is nn.BatchNorm1d:
            return self._batch_norm(layers)
        if kind in ACTIVATIONS.values():
            return lambda x, training: layers[0](x)
        raise ValueError(f"expected a layer that can be stacked, got {kind.__name__}")

    def _linear(self, layers):
        weight = self._parameter([layer.weight.T for layer in layers])  # (A, in, out)
        if layers[0].bias is None:
            return lambda x, training: torch.bmm(x, self.parameters[weight])
        bias = self._parameter([layer.bias[None] for layer in layers])  # (A, 1, out)
        return lambda x, training: torch.baddbmm(self.parameters[bias], x, self.parameters[weight])

    def _batch_norm(self, layers):
        first = self._parameter([layer.weight[None] for layer in layers])  # (A, 1, C)
        self._parameter([layer.bias[None] for layer in layers])
        moved = len(self._averages)
        for name in ("running_mean", "running_var"):
            self._averages.append(torch.stack([getattr(layer, name) for layer in layers]))  # (A, C)
        options = {"momentum": layers[0].momentum, "eps": layers[0].eps}

        def normalize(x: Tensor, training: bool) -> Tensor:
            scale, shift = self.parameters[first : first + 2]
            mean, var = self._averages[moved : moved + 2]
            if not training:  # one multiplication and one addition; nothing to be moved around
                factor = scale / torch.sqrt(var[:, None] + options["eps"])
                return torch.addcmul(shift - mean[:, None] * factor, x, factor)
            flat = x.transpose(0, 1).flatten(1)  # (N, A * C): one BN for all of them
            averages = mean.view(-1), var.view(-1)  # they are moved in place
            flat = batch_norm(flat, *averages, scale.flatten(), shift.flatten(), True, **options)
            return flat.view(x.shape[1], *mean.shape).transpose(0, 1)

        return normalize

    def _parameter(self, parts: Sequence[Tensor]) -> int:
        """Take over a parameter of all networks, and return its place."""
        self.parameters.append(torch.stack([*parts]).detach().requires_grad_())
        return len(self.parameters) - 1


def train_stack(
    stack: Stack,
    x: Tensor,
    y: Tensor,
    *,
    steps: int,
    batch_size: int,
    rates: Sequence[float],
    seeds: Sequence[int],
) -> Iterator[NDArray[np.float64]]:
    """Train each network of a stack on random batches, and yield the losses of each step, (K,).

    A network whose loss is not finite takes no further step; from then on it has a loss of NaN.

    Args:
        stack: of K networks, trained in place.
        x: inputs (N, D).
        y: classes (N,), int64.
        steps: how many.
        batch_size: examples in a batch, drawn as `bnlib.experiments.training.train` draws them.
        rates: the learning rate of each network, (K,).
        seeds: the batches of each network depend on its own alone, (K,).
    """
    generators = {seed: torch.Generator().manual_seed(seed) for seed in {*seeds}}
    lr = torch.tensor([*rates])[:, None, None]
    for _ in range(steps):
        losses = np.full(stack.count, np.nan)
        if len(alive := stack.alive):
            drawn = {s: torch.randperm(len(x), generator=g)[:batch_size]
                     for s, g in generators.items()}  # fmt: skip
            batches = torch.stack([drawn[seeds[k]] for k in alive.tolist()])  # (A, batch_size)
            losses[alive] = _step(stack, x[batches], y[batches], lr[alive])
            if not (finite := np.isfinite(losses[alive])).all():
                stack.keep(finite)
        yield losses


def _step(stack: Stack, x: Tensor, y: Tensor, lr: Tensor) -> NDArray[np.float64]:
    """Move each network against its gradient, and return the losses before, (A,)."""
    logits = stack(x, training=True)
    losses = cross_entropy(logits.transpose(1, 2), y, reduction="none").mean(dim=1)
    gradients = torch.autograd.grad(losses.sum(), stack.parameters)
    with torch.no_grad():
        for parameter, gradient in zip(stack.parameters, gradients, strict=True):
            parameter.sub_(lr * gradient)
    return losses.detach().double().numpy()
