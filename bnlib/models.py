"""Networks (torch) for the lessons."""

from itertools import pairwise

import torch
from torch import nn

from bnlib.torch_bn import BatchNorm


def sigmoid_mlp(
    sizes: list[int], *, batch_norm: bool, std: float = 0.1, seed: int = 0
) -> nn.Sequential:
    """A fully connected sigmoid network: Linear → (BN) → Sigmoid for each hidden layer, then a
    Linear.

    Arguments: `sizes`, the numbers of units from the input to the output, at least two; weights are
    drawn from N(0, `std`²) by `seed` alone, so that the networks with and without BN start from the
    same weights; biases are 0, and a layer followed by BN has none, since β takes its place.

    The paper's network is `sizes=[784, 100, 100, 100, 10]` (Ioffe & Szegedy 2015, section 4.1).
    """
    generator = torch.Generator().manual_seed(seed)
    *hidden, last = list(pairwise(sizes))
    layers: list[nn.Module] = []
    for n_in, n_out in hidden:
        layers.append(_linear(n_in, n_out, std, generator, bias=not batch_norm))
        layers += [BatchNorm(n_out)] if batch_norm else []
        layers.append(nn.Sigmoid())
    return nn.Sequential(*layers, _linear(*last, std, generator))


def _linear(
    n_in: int, n_out: int, std: float, generator: torch.Generator, bias: bool = True
) -> nn.Linear:
    layer = nn.utils.skip_init(nn.Linear, n_in, n_out, bias=bias)
    nn.init.normal_(layer.weight, std=std, generator=generator)
    if bias:
        nn.init.zeros_(layer.bias)
    return layer
