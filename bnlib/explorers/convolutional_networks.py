"""Lesson 10: where BN sits in a small convolutional network, and what a channel makes of it."""

from __future__ import annotations

from copy import deepcopy
from functools import cache
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from bnlib.experiments.data import load_digits
from bnlib.live.explorer import Explorer, Update
from bnlib.live.figure import LiveFigure
from bnlib.live.recording import recorded, table
from bnlib.numpy_bn import BatchNorm
from bnlib.pictures.convolutional_networks import FeatureMaps, Pipeline, values_per_mean

if TYPE_CHECKING:
    from torch import nn

ORDERS = {
    "conv BN ReLU pool": ("norm", "relu", "pool"),
    "conv ReLU BN pool": ("relu", "norm", "pool"),
    "conv ReLU pool BN": ("relu", "pool", "norm"),
    "conv pool BN ReLU": ("pool", "norm", "relu"),
    "conv ReLU pool": ("relu", "pool"),
}
NAMES = {
    "Conv2d": "conv",
    "BatchNorm2d": "BN",
    "BatchNorm1d": "BN",
    "MaxPool2d": "pool",
    "Linear": "linear",
}
PLACES = 8  # of layers that are drawn
IMAGE, CHANNEL = 106, 4


def placement_explorer() -> Explorer:
    """Make an explorer of the order of layers, the batch and the size of the images."""
    sides = range(8, 29, 2)
    layers_of = table("placement", _layers, ORDERS, sides)

    def draw(live: LiveFigure) -> Update:
        picture = Pipeline(live.figure, PLACES)
        live.moves(*picture.artists)

        def update(order: str, batch: int, side: int) -> str:
            layers = layers_of(order, side)
            names, shapes = zip(*layers, strict=True)
            counts = [(batch, *shape) for name, shape in layers if name == "BN"]
            after_conv = counts[0] if len(counts) == 2 else None
            picture.set(names, shapes, [after_conv, counts[-1]])
            first = (
                f"{values_per_mean(after_conv):,} values share a mean" if after_conv else "no BN"
            )
            return (
                f"{order}, {batch} images of {side} × {side}: {first} after the convolution, "
                f"{batch} after the linear layer."
            )

        return update

    controls = {
        "order": widgets.SelectionSlider(options=[*ORDERS], description="order"),
        "batch": widgets.IntSlider(60, 1, 64, description="images in a batch"),
        "side": widgets.IntSlider(
            sides[0], sides[0], sides[-1], step=sides.step, description="pixels a side"
        ),
    }
    return Explorer(draw, controls, height=4.4)


@cache
def _layers(order: str, side: int) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Name the layers of a network, each with the shape of what it gives, without the batch."""
    import torch

    from bnlib.experiments.convolutional import outputs, simple_cnn

    network = simple_cnn(side, stage=ORDERS[order]).eval()
    found = outputs(network, torch.zeros(1, 1, side, side))
    kinds = (type(layer).__name__ for layer in network)
    return tuple(
        (NAMES.get(kind, kind), tuple(output.shape[1:]))
        for kind, output in zip(kinds, found, strict=True)
        if kind != "Flatten"
    )


def feature_maps_explorer(model: nn.Sequential | None = None) -> Explorer:
    """Make an explorer of one image in one channel, with its BN or without, in both modes.

    Args:
        model: a `simple_cnn` in its default order that has been trained; None trains one.
    """
    digits = load_digits()
    images = digits.x_test.reshape(-1, 8, 8)

    kernels, bn = recorded("stage", lambda: _in_numpy(model or trained_cnn()))

    def draw(live: LiveFigure) -> Update:
        picture = FeatureMaps(live.figure, len(kernels))
        live.moves(*picture.artists)

        def update(image: int, channel: int, norm: bool, evaluating: bool) -> str:
            mode = ("eval" if evaluating else "train") if norm else None
            maps = _maps(images[image], kernels, bn, mode)
            title = f"BN, {mode}" if mode else None
            picture.set(images[image], kernels[channel], maps, channel, title)
            on = [int((stage_maps[channel] > 0).sum()) for stage_maps in maps[:2]]
            shares = [(stage_maps > 0).mean() for stage_maps in maps[:2]]
            how = f"in {'evaluation' if evaluating else 'training'} mode" if norm else "left out"
            return (
                f"Image {image}, a {digits.y_test[image]}, channel {channel}: {on[0]} of 36 "
                f"positions are above 0 before BN, {on[1]} after it (BN {how}). "
                f"In all channels {shares[0]:.0%} and {shares[1]:.0%}."
            )

        return update

    controls = {
        "image": widgets.IntSlider(IMAGE, 0, len(images) - 1, description="image"),
        "channel": widgets.IntSlider(CHANNEL, 0, len(kernels) - 1, description="channel"),
        "evaluating": widgets.Checkbox(True, description="model.eval()"),
        "norm": widgets.Checkbox(True, description="BN"),
    }
    text = "An image, a filter, and the maps after convolution, BN, ReLU and max-pool."
    return Explorer(draw, controls, height=4.0, text=text)


def _in_numpy(model: nn.Sequential) -> tuple[NDArray, BatchNorm]:
    """Return the kernels of a network's convolution, (channels, rows, columns), and its BN."""
    convolution: Any = model[0]
    norm: Any = model[1]
    bn = BatchNorm(norm.num_features, norm.eps)
    for name, tensor in {
        "gamma": norm.weight,
        "beta": norm.bias,
        "running_mean": norm.running_mean,
        "running_var": norm.running_var,
    }.items():
        getattr(bn, name)[:] = tensor.detach()
    return convolution.weight.detach().numpy()[:, 0].copy(), bn


def _maps(image: NDArray, kernels: NDArray, bn: BatchNorm, mode: str | None) -> list[NDArray]:
    """Return what convolution, BN, ReLU and max-pool make of an image, (channels, rows, columns).

    Args:
        image: (8, 8).
        kernels: of the convolution, (channels, 3, 3).
        bn: stays as it is.
        mode: "train" or "eval", of the BN; None to leave that out.
    """
    windows = sliding_window_view(image, kernels.shape[1:])
    convolved = np.einsum("ijkl,ckl->cij", windows, kernels)
    bn = deepcopy(bn).train() if mode == "train" else bn.eval()
    between = bn(convolved[None])[0] if mode else convolved
    rectified = np.maximum(between, 0)
    channels, rows, columns = rectified.shape
    pooled = rectified.reshape(channels, rows // 2, 2, columns // 2, 2).max(axis=(2, 4))
    return [convolved, between, rectified, pooled]


@cache
def trained_cnn() -> nn.Sequential:
    """Train the small network of lesson 10, seed 0, for 150 steps on the digits."""
    import torch

    from bnlib.experiments.convolutional import simple_cnn
    from bnlib.experiments.training import train

    x, y = map(torch.tensor, load_digits()[:2])
    model = simple_cnn(seed=0)
    list(train(model, x.view(-1, 1, 8, 8), y, steps=150, batch_size=60, lr=0.3))
    return model.eval()
