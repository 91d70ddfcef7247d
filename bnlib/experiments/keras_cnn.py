"""The same small network in Keras 3, and its weights carried to PyTorch and back.

Keras is imported when a function here is first called, and nowhere else in bnlib: that takes
seconds and more than 100 MB.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bnlib.experiments.convolutional import simple_cnn
from bnlib.experiments.networks import batch_norms


def load_keras() -> Any:
    """Import Keras with PyTorch behind it.

    Raises:
        RuntimeError: it has been imported already, with another backend.
    """
    if "keras" not in sys.modules:
        os.environ["KERAS_BACKEND"] = "torch"
    import keras  # type: ignore[import-untyped]

    if keras.backend.backend() != "torch":
        raise RuntimeError(
            f"Keras runs on {keras.backend.backend()} here, and its backend cannot be changed any "
            "more: start a new kernel, and set KERAS_BACKEND=torch before keras is imported"
        )
    return keras


def keras_simple_cnn(side: int = 8) -> Any:
    """Make the network of `simple_cnn` as it is usually written in Keras: BN after each ReLU.

    Args:
        side: of the images in pixels; they come as (N, side, side, 1).

    Returns:
        a `keras.Sequential` whose outputs are probabilities (N, 10). Its weights are drawn by
        Keras; `carry_to_keras` gives it others.
    """
    keras = load_keras()
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((side, side, 1)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.BatchNormalization(),
            layers.Dense(10, activation="softmax"),
        ]
    )


def as_in_keras(side: int = 8, seed: int = 0) -> nn.Sequential:
    """Make the same network in PyTorch, with the ε and the momentum of Keras.

    Its outputs are the logits; their softmax is what the network in Keras gives.
    """
    order = ("relu", "norm")
    network = simple_cnn(side, stage=(*order, "pool"), head=order, seed=seed)
    for bn in batch_norms(network):
        bn.eps, bn.momentum = 1e-3, 0.01  # Keras says 0.99: the weight of the old value
    return network


@torch.no_grad()
def carry_to_pytorch(model: Any, network: nn.Sequential) -> nn.Sequential:
    """Give `network`, of `as_in_keras`, the weights and running averages of a Keras `model`.

    Returns:
        `network` itself.

    Raises:
        RuntimeError: the two were made for images of different sizes.
    """
    arrays = model.get_weights()
    arrays[CONVOLUTION] = arrays[CONVOLUTION].transpose(3, 2, 0, 1)
    arrays[FLATTENED] = channels_first(arrays[FLATTENED]).T
    arrays[OUTPUT] = arrays[OUTPUT].T
    for array, target in zip(arrays, _numbers(network), strict=True):
        target.copy_(torch.tensor(array))
    return network


def carry_to_keras(network: nn.Sequential, model: Any) -> Any:
    """Give a Keras `model`, of `keras_simple_cnn`, the weights and running averages of `network`.

    Returns:
        `model` itself.

    Raises:
        ValueError: the two were made for images of different sizes.
    """
    arrays = [tensor.detach().numpy() for tensor in _numbers(network)]
    arrays[CONVOLUTION] = arrays[CONVOLUTION].transpose(2, 3, 1, 0)
    arrays[FLATTENED] = channels_last(arrays[FLATTENED].T)
    arrays[OUTPUT] = arrays[OUTPUT].T
    model.set_weights(arrays)
    return model


# The kernels, by their place in the list of Keras. That of a convolution is (height, width, in,
# out) in Keras and (out, in, height, width) in PyTorch; that of a dense layer (in, out), (out, in).
CONVOLUTION, FLATTENED, OUTPUT = 0, 6, 12
CHANNELS = 32  # of the maps that are flattened


def channels_first(kernel: NDArray) -> NDArray:
    """Order the rows (pixels * channels, out) of a dense kernel by channel, then by pixel.

    Flattened maps lie in a row in this order in PyTorch. In Keras they lie by pixel, then by
    channel, since there the channels of a map come last.
    """
    return kernel.reshape(-1, CHANNELS, kernel.shape[1]).swapaxes(0, 1).reshape(kernel.shape)


def channels_last(kernel: NDArray) -> NDArray:
    """Order the rows (channels * pixels, out) of a dense kernel by pixel, then by channel."""
    return kernel.reshape(CHANNELS, -1, kernel.shape[1]).swapaxes(0, 1).reshape(kernel.shape)


def _numbers(network: nn.Sequential) -> list[Tensor]:
    """Return the weights and running averages of a network in the order in which Keras has them."""
    state = network.state_dict()  # it shares its memory with the network
    return [tensor for name, tensor in state.items() if not name.endswith("num_batches_tracked")]
