"""Networks for the digits with any norm, trained on batches of any size (torch)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor, nn

from bnlib.experiments.convolutional import cnn
from bnlib.experiments.data import load_digits
from bnlib.experiments.networks import linear, mlp
from bnlib.experiments.side_by_side import trained_together
from bnlib.experiments.training import DivergedError, accuracy, train
from bnlib.experiments.values_per_mean import values_per_mean


class BatchNormOfAny(nn.BatchNorm1d):
    """PyTorch's BN, for (N, C) and for (N, C, H, W) alike."""

    def _check_input_dim(self, input: Tensor) -> None:
        pass


NORMS: dict[str, Callable[[int], nn.Module] | None] = {
    "none": None,
    "IN": lambda channels: nn.GroupNorm(channels, channels),
    "BN": BatchNormOfAny,
    "LN": lambda channels: nn.GroupNorm(1, channels),
    "GN": lambda channels: nn.GroupNorm(4, channels),
}
NETWORKS = "MLP", "CNN", "CNN + dense"
SIZES = 2, 4, 8, 64
# Of 0.01, 0.03, 0.1 and 0.2 the best for each of SIZES, on average over three seeds; for the other
# networks the best for batches of two. Where it is 0.01, 0.003 does worse; where it is 0.2, 0.4
# does no better, or by half a point. In layers where BN has two values the ends scatter so much
# that the rates are hardly to be told apart.
BEST_RATES: dict[tuple[str, ...], tuple[float, ...]] = {
    ("MLP", "none"): (0.03, 0.03, 0.1, 0.2),
    ("MLP", "BN"): (0.03, 0.03, 0.1, 0.2),
    ("MLP", "LN"): (0.01, 0.03, 0.03, 0.2),
    ("CNN", "none"): (0.03,),
    ("CNN", "BN"): (0.1,),
    ("CNN", "LN"): (0.03,),
    ("CNN", "GN"): (0.03,),
    ("CNN", "IN"): (0.01,),
    ("CNN + dense", "BN", "BN"): (0.2,),
    ("CNN + dense", "BN", "LN"): (0.01,),
}
STEPS, EVERY = 200, 10
PLAN, FLAT, DENSE = (16, "pool", 32), 32 * 4 * 4, 64


def network(kind: str, norm: str, dense: str | None = None, seed: int = 0) -> nn.Sequential:
    """Make a ReLU network for the digits, its weights by He et al. (2015).

    Args:
        kind: "MLP", 64-100-100-100-10, for images (N, 64); "CNN", convolutions of 16 and of 32
            channels with a max-pool between them, all of whose last maps, of 4 x 4, go into a
            linear layer, for images (N, 1, 8, 8); "CNN + dense", with a layer of 64 units before
            the last one.
        norm: one of NORMS, before every activation. LN is GN with one group, GN has four, and IN
            has as many as there are channels.
        dense: the norm of the dense layer, if it is another one.
        seed: the weights depend on it alone.

    Raises:
        ValueError: there is no such network; KeyError: no such norm.
    """
    if kind not in NETWORKS:
        raise ValueError(f"expected a network out of {NETWORKS}, got {kind!r}")
    make = NORMS[norm]
    if kind == "MLP":
        return mlp([64, 100, 100, 100, 10], activation="relu", init="he", norm=make, seed=seed)
    generator = torch.Generator().manual_seed(seed + 1000)
    layers: list[nn.Module] = [*list(cnn(PLAN, norm=make, seed=seed))[:-3], nn.Flatten()]
    width = FLAT
    if kind == "CNN + dense":
        make, width = NORMS[dense or norm], DENSE
        layers.append(linear(FLAT, width, "he", generator, bias=make is None))
        layers += [make(width), nn.ReLU()] if make else [nn.ReLU()]
    return nn.Sequential(*layers, linear(width, 10, "he", generator))


class Training:
    """A network on its way, measured every few steps.

    Args:
        kind: as in `network`.
        norm: likewise.
        size: images in a batch.
        lr: the learning rate.
        seed: of the weights and of the batches.

    Attributes:
        steps: of the measurements so far.
        accuracies: on the test images, in evaluation mode, 0 to 1.
        values: the smallest number of values that share a mean in one of the norms; 0 if there is
            no norm.

    Raises:
        ValueError: what cannot be trained.
    """

    def __init__(self, kind: str, norm: str, size: int, lr: float, seed: int = 0):
        x, y, *self._test = _digits_for(kind)
        self._model = network(kind, norm, seed=seed)
        self._losses = train(self._model, x, y, steps=STEPS, batch_size=size, lr=lr, seed=seed)
        self.steps: list[int] = []
        self.accuracies: list[float] = []
        self.values = _fewest_values(self._model, x[:size])

    def measure(self, step: int) -> None:
        """Note how accurate the network is after `step` steps."""
        self.steps.append(step)
        self.accuracies.append(accuracy(self._model, *self._test))

    def run(self) -> Iterator[float]:
        """Train and measure; yield the share that is done, 0 to 1. A diverged network stays."""
        for step in range(1, STEPS + 1):
            try:
                next(self._losses)
            except DivergedError:
                break
            if step % EVERY == 0:
                self.measure(step)
            yield step / STEPS
        else:
            return
        self.measure(step)
        yield 1.0


@cache
def _digits_for(kind: str) -> tuple[Tensor, ...]:
    x, y, x_test, y_test = map(torch.tensor, load_digits())
    shape = (-1, 64) if kind == "MLP" else (-1, 1, 8, 8)
    return x.view(shape), y, x_test.view(shape), y_test


def _fewest_values(model: nn.Module, batch: Tensor) -> int:
    return min(values_per_mean(model, batch), default=0)


@dataclass(frozen=True)
class Outcome:
    """Networks that differ in their seed alone, after 200 steps.

    Attributes:
        kind: as in `network`.
        norm: likewise.
        size: images in a batch.
        values: as in `Training`.
        accuracies: on the test images, 0 to 1, for each seed.
    """

    kind: str
    norm: str
    size: int
    values: int
    accuracies: Sequence[float]


def trained(
    kind: str, norm: str, size: int, dense: str | None = None, seeds: Sequence[int] = (0, 1, 2)
) -> Outcome:
    """Train networks at the best rate of their kind, one for each of the seeds.

    Raises:
        KeyError: its best rate is not known.
    """
    key = (kind, norm, dense) if dense else (kind, norm)
    lr = BEST_RATES[key][SIZES.index(size)]
    x, y, *tests = _digits_for(kind)
    models = [network(kind, norm, dense, seed) for seed in seeds]
    together = trained_together(models, x, y, steps=STEPS, batch_size=size, lr=lr)
    values = _fewest_values(models[0], x[:size])
    return Outcome(kind, norm, size, values, together.accuracies(*tests))


def accuracies(
    make: Callable[..., nn.Module],
    examples: tuple[Tensor, Tensor],
    tests: tuple[Tensor, Tensor],
    **settings,
) -> list[float]:
    """Train three networks, one after the other; return their shares of right answers.

    It is for those that `side_by_side` cannot join.

    Args:
        make: called with `seed=`, 0 to 2.
        examples: inputs and classes to train on.
        tests: inputs and classes to test on.
        settings: the others of `training.train`.
    """
    models = [make(seed=seed) for seed in range(3)]
    for seed, model in enumerate(models):
        list(train(model, *examples, seed=seed, **settings))
    return [accuracy(model, *tests) for model in models]
