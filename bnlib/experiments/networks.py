"""Fully connected networks (torch) for the lessons."""

import math
from itertools import pairwise
from numbers import Real

import torch
from torch import nn

from bnlib.torch_bn import BatchNorm

ACTIVATIONS = {"sigmoid": nn.Sigmoid, "relu": nn.ReLU, "tanh": nn.Tanh}


def mlp(
    sizes: list[int],
    *,
    activation: str = "sigmoid",
    batch_norm: str | None = None,
    init: float | str = 0.1,
    seed: int = 0,
) -> nn.Sequential:
    """A fully connected network: Linear, BN and activation for each hidden layer, then a Linear.

    Arguments:

    - `sizes`: the numbers of units from the input to the output, with at least one hidden layer.
      The paper's network is [784, 100, 100, 100, 10] (Ioffe & Szegedy 2015, section 4.1).
    - `activation`: "sigmoid", "relu" or "tanh".
    - `batch_norm`: None, "before" the activation as in the paper, or "after" it.
    - `init`: the standard deviation s of the weights, drawn from N(0, s²); or "xavier",
      s² = 2 / (n_in + n_out) (Glorot & Bengio 2010); or "he", s² = 2 / n_in (He et al. 2015).
    - `seed`: the weights depend on it alone, so that networks that are compared start from the same
      weights. Biases start at 0; a layer with BN before the activation has none, since β takes its
      place.

    Raises ValueError for anything else.
    """
    if len(sizes) < 3 or not all(isinstance(n, int) and n > 0 for n in sizes):
        raise ValueError(f"expected at least three sizes, all positive, got sizes={sizes}")
    if activation not in ACTIVATIONS:
        raise ValueError(f"expected activation in {[*ACTIVATIONS]}, got {activation!r}")
    if batch_norm not in (None, "before", "after"):
        raise ValueError(f"expected batch_norm None, 'before' or 'after', got {batch_norm!r}")
    generator = torch.Generator().manual_seed(seed)
    *hidden, last = pairwise(sizes)
    layers: list[nn.Module] = []
    for n_in, n_out in hidden:
        layers.append(_linear(n_in, n_out, init, generator, bias=batch_norm != "before"))
        layers += [BatchNorm(n_out)] if batch_norm == "before" else []
        layers.append(ACTIVATIONS[activation]())
        layers += [BatchNorm(n_out)] if batch_norm == "after" else []
    return nn.Sequential(*layers, _linear(*last, init, generator))


def batch_norms(model: nn.Module) -> list[BatchNorm]:
    """The BN layers of `model`, from the input to the output."""
    return [layer for layer in model.modules() if isinstance(layer, BatchNorm)]


def _linear(
    n_in: int, n_out: int, init: float | str, generator: torch.Generator, bias: bool = True
) -> nn.Linear:
    layer = nn.utils.skip_init(nn.Linear, n_in, n_out, bias=bias)
    nn.init.normal_(layer.weight, std=_std(init, n_in, n_out), generator=generator)
    if bias:
        nn.init.zeros_(layer.bias)
    return layer


def _std(init: float | str, n_in: int, n_out: int) -> float:
    if init == "xavier":
        return math.sqrt(2 / (n_in + n_out))
    if init == "he":
        return math.sqrt(2 / n_in)
    if isinstance(init, Real) and 0 < init < math.inf:
        return float(init)
    raise ValueError(f"expected init to be a positive number, 'xavier' or 'he', got {init!r}")
