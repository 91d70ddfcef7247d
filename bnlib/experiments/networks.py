"""Fully connected networks (torch) for the lessons."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import cast

import torch
from torch import nn

from bnlib.experiments.runs import weight_std
from bnlib.torch_bn import BatchNorm

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "sigmoid": nn.Sigmoid,
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
}
PLACES = ("before", "after")
BATCH_NORMS = BatchNorm, nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d


def mlp(
    sizes: Sequence[int],
    *,
    activation: str = "sigmoid",
    norm: Callable[[int], nn.Module] | None = None,
    place: str = "before",
    init: float | str = 0.1,
    seed: int = 0,
) -> nn.Sequential:
    """Make a fully connected network: linear, norm, activation for each hidden layer, then linear.

    Args:
        sizes: the numbers of units from the input to the output, with at least one hidden layer.
            The paper's network is [784, 100, 100, 100, 10] (Ioffe & Szegedy 2015, section 4.1).
        activation: "sigmoid", "relu" or "tanh".
        norm: makes a layer for n features, as `bnlib.torch_bn.BatchNorm` and `torch.nn.LayerNorm`
            do; None makes none.
        place: of the norm, "before" the activation, as in the paper, or "after" it.
        init: the standard deviation s of the weights, drawn from N(0, s²); or "xavier",
            s² = 2 / (n_in + n_out) (Glorot & Bengio 2010); or "he", s² = 2 / n_in (He et al. 2015).
        seed: the weights depend on it alone, so that networks that are compared start from the
            same weights. Biases start at 0; a layer whose norm comes before the activation has
            none, since β takes its place.

    Raises:
        ValueError: an argument is none of these; TypeError: `norm` cannot be called.
    """
    if len(sizes) < 3 or not all(isinstance(n, int) and n > 0 for n in sizes):
        raise ValueError(f"expected at least three sizes, all positive, got sizes={sizes}")
    if activation not in ACTIVATIONS:
        raise ValueError(f"expected activation in {[*ACTIVATIONS]}, got {activation!r}")
    if norm is not None and not callable(norm):
        raise TypeError(f"expected norm to be None or to make a layer for n features, got {norm!r}")
    if place not in PLACES:
        raise ValueError(f"expected place in {[*PLACES]}, got {place!r}")
    generator = torch.Generator().manual_seed(seed)
    *hidden, last = pairwise(sizes)
    layers: list[nn.Module] = []
    for n_in, n_out in hidden:
        norms = [norm(n_out)] if norm else []
        before, after = (norms, []) if place == "before" else ([], norms)
        layers.append(linear(n_in, n_out, init, generator, bias=not before))
        layers += [*before, ACTIVATIONS[activation](), *after]
    return nn.Sequential(*layers, linear(*last, init, generator))


def batch_norms(model: nn.Module) -> list[BatchNorm]:
    """Return the BN layers of `model`, bnlib's or PyTorch's, from the input to the output."""
    layers = [layer for layer in model.modules() if isinstance(layer, BATCH_NORMS)]
    return cast(list[BatchNorm], layers)  # which has the same parameters and buffers


def linear(
    n_in: int, n_out: int, init: float | str, generator: torch.Generator, bias: bool = True
) -> nn.Linear:
    """Make a linear layer, its weights drawn from `generator` alone; `mlp` describes `init`.

    Raises:
        ValueError: `init` is none of what it may be.
    """
    # Its own weights are drawn in vain. skip_init would not draw them, but its first call takes
    # 1.7 s and 38 MB for what it imports.
    with torch.random.fork_rng(devices=[]):
        layer = nn.Linear(n_in, n_out, bias=bias)
    nn.init.normal_(layer.weight, std=weight_std(init, n_in, n_out), generator=generator)
    if bias:
        nn.init.zeros_(layer.bias)
    return layer
