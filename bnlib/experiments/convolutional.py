"""Convolutional networks (torch) for the lessons."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial

import torch
from torch import Tensor, nn

from bnlib.experiments.networks import linear
from bnlib.experiments.residual import Residual


def cnn(
    plan: Sequence[int | str],
    *,
    norm: Callable[[int], nn.Module] | None = None,
    seed: int = 0,
) -> nn.Sequential:
    """Make a convolutional network for grey images (N, 1, H, W) and ten classes.

    Args:
        plan: what stands between input and output: a number of channels for a convolution
            (3 x 3, padded by 1), norm and ReLU; "pool" for a max-pool that halves H and W. The mean
            over each map of the last channels then goes into a linear layer.
        norm: makes a layer for n channels, as `bnlib.torch_bn.BatchNorm` does; None makes none.
        seed: the weights depend on it alone; they are drawn from N(0, 2 / n_in), n_in being the
            number of values that enter a unit (He et al. 2015). Biases start at 0; a convolution
            before a norm has none.

    Raises:
        ValueError: `plan` holds no convolution, or something else than these two.
    """
    if not any(isinstance(entry, int) for entry in plan):
        raise ValueError(f"expected at least one number of channels in the plan, got {plan}")
    generator = torch.Generator().manual_seed(seed)
    layers: list[nn.Module] = []
    channels = 1
    for entry in plan:
        if entry == "pool":
            layers.append(nn.MaxPool2d(2))
        elif isinstance(entry, int) and entry > 0:
            layers.append(convolution(channels, entry, generator, bias=norm is None))
            layers += [norm(entry), nn.ReLU()] if norm else [nn.ReLU()]
            channels = entry
        else:
            raise ValueError(f'expected numbers of channels and "pool" in the plan, got {entry!r}')
    head = linear(channels, 10, "he", generator)
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), head)


def convolution(
    n_in: int, n_out: int, generator: torch.Generator, *, padding: int = 1, bias: bool = True
) -> nn.Conv2d:
    """Make a 3 x 3 convolution with weights by He et al. (2015), drawn from `generator` alone."""
    with torch.random.fork_rng(devices=[]):  # its own weights are drawn in vain
        layer = nn.Conv2d(n_in, n_out, 3, padding=padding, bias=bias)
    nn.init.normal_(layer.weight, std=(2 / (9 * n_in)) ** 0.5, generator=generator)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


STAGE, HEAD = ("norm", "relu", "pool"), ("norm", "relu")
LAYERS: dict[str, Callable[[], nn.Module]] = {"relu": nn.ReLU, "pool": partial(nn.MaxPool2d, 2)}


def simple_cnn(
    side: int = 8,
    *,
    stage: Sequence[str] = STAGE,
    head: Sequence[str] = HEAD,
    seed: int = 0,
) -> nn.Sequential:
    """Make the small network of many tutorials, for grey images (N, 1, side, side).

    A convolution to 32 channels (3 x 3, not padded), `stage`, a linear layer to 64 units, `head`,
    and a linear layer to ten classes.

    Args:
        side: of the images in pixels, at least 4.
        stage: what follows the convolution, in this order: "relu", "pool" (a max-pool that halves
            the map) and, where there is one, "norm" (PyTorch's BN).
        head: what follows the first linear layer: "relu" and, where there is one, "norm".
        seed: the weights depend on it alone; they are drawn from N(0, 2 / n_in), and biases start
            at 0. A layer whose constants BN subtracts again, before a ReLU, has no bias.

    Raises:
        ValueError: the images are too small, or an order is none of these.
    """
    if side < 4:
        raise ValueError(f"expected images of at least 4 x 4 pixels, got side={side}")
    for name, order, needed in (("stage", stage, {"relu", "pool"}), ("head", head, {"relu"})):
        if len({*order}) < len(order) or {*order} - {"norm"} != needed:
            raise ValueError(f"expected {name} to order {sorted(needed)} and norm, got {order}")
    generator = torch.Generator().manual_seed(seed)
    first = convolution(1, 32, generator, padding=0, bias=_bias_lives(stage))
    map_side = (side - 2) // 2
    dense = linear(32 * map_side**2, 64, "he", generator, bias=_bias_lives(head))
    return nn.Sequential(
        first,
        *(nn.BatchNorm2d(32) if name == "norm" else LAYERS[name]() for name in stage),
        nn.Flatten(),
        dense,
        *(nn.BatchNorm1d(64) if name == "norm" else LAYERS[name]() for name in head),
        linear(64, 10, "he", generator),
    )


def _bias_lives(order: Sequence[str]) -> bool:
    """Whether a bias before `order` has an effect: a max-pool hands a constant on, a ReLU not."""
    return "norm" not in order or order.index("relu") < order.index("norm")


def residual_cnn(
    blocks: int = 8,
    *,
    channels: int = 16,
    before: bool = False,
    gamma: float = 1.0,
    seed: int = 0,
) -> nn.Sequential:
    """Make a residual network with BN in its convolutions alone, for images (N, 1, H, W).

    Convolution, BN, ReLU; then blocks of two convolutions each, x + branch(x); then the mean over
    each map goes into a linear layer to ten classes.

    Args:
        blocks: how many, at least 1.
        channels: of all maps.
        before: whether BN and ReLU come before each convolution of a block ("pre-activation",
            He et al. 2016b), and once more after the last; else they follow it, and the second
            ReLU of a block follows the sum (He et al. 2016a).
        gamma: of the last BN of each branch at the start; 0 is "zero-γ" (Goyal et al. 2017).
        seed: the weights depend on it alone; they are drawn from N(0, 2 / n_in).

    Raises:
        ValueError: `blocks` is less than 1.
    """
    if blocks < 1:
        raise ValueError(f"expected blocks to be at least 1, got {blocks}")
    generator = torch.Generator().manual_seed(seed)

    def convolve(n_in: int) -> nn.Module:
        return convolution(n_in, channels, generator, bias=False)

    layers: list[nn.Module] = [convolve(1), nn.BatchNorm2d(channels), nn.ReLU()]
    for _ in range(blocks):
        norms = nn.BatchNorm2d(channels), nn.BatchNorm2d(channels)
        nn.init.constant_(norms[1].weight, gamma)
        first, second = convolve(channels), convolve(channels)
        if before:
            branch = [norms[0], nn.ReLU(), first, norms[1], nn.ReLU(), second]
        else:
            branch = [first, norms[0], nn.ReLU(), second, norms[1]]
        layers += [Residual(nn.Sequential(*branch)), *([] if before else [nn.ReLU()])]
    layers += [nn.BatchNorm2d(channels), nn.ReLU()] if before else []
    head = linear(channels, 10, "he", generator)
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), head)


@torch.no_grad()
def outputs(layers: Iterable[nn.Module], x: Tensor) -> list[Tensor]:
    """Return what each of some layers in a row, as they are, makes of x (N, ...)."""
    found = []
    for layer in layers:
        x = layer(x)
        found.append(x)
    return found
