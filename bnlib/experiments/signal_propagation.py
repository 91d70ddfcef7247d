"""What a signal becomes on its way through a deep network that is not trained yet (NumPy only)."""

import numpy as np
from numpy.typing import NDArray

from bnlib.experiments.data import load_digits
from bnlib.numpy_bn import BatchNorm

IMAGES_PER_DIGIT = 10


def ten_of_each_digit() -> tuple[NDArray, NDArray]:
    """Return the first training images of each digit, (100, 64), 0 to 1, and their digits (100,).

    They are sorted by digit. As many of each, since any other share of answers than one in ten
    would tell a network something about all images at once.
    """
    digits = load_digits()
    rows = np.concatenate(
        [np.flatnonzero(digits.y_train == label)[:IMAGES_PER_DIGIT] for label in range(10)]
    )
    return digits.x_train[rows].astype(np.float64), digits.y_train[rows]


def sigmoid(x: NDArray) -> NDArray:
    """Return the logistic function 1 / (1 + exp(-x)), any shape."""
    return 1 / (1 + np.exp(-x))


def propagate(
    x: NDArray,
    depth: int,
    *,
    batch_norm: bool,
    width: int = 100,
    scale: float = 0.1,
    minus: float = 0,
    gamma: float = 1,
    seed: int = 0,
) -> list[NDArray]:
    """Return the activations of each layer of a sigmoid network with random weights.

    Args:
        x: a batch (N, D).
        depth: number of layers.
        batch_norm: whether a layer is sigmoid(BN(h W)) or sigmoid(h W).
        width: units of a layer.
        scale: standard deviation of the weights, which are drawn from N(0, scale²).
        minus: is subtracted from h before the weights, as a choice of biases would do.
        gamma: the γ of each BN.
        seed: the weights depend on it alone, so that networks with and without BN have the same.

    Returns:
        `depth` arrays of shape (N, width), the first layer's first.

    Source: the set-up of Ioffe & Szegedy (2015), section 4.1: sigmoid layers of 100 units, small
        Gaussian weights.
    """
    rng = np.random.default_rng(seed)
    layers, h = [], x
    for _ in range(depth):
        z = (h - minus) @ rng.normal(0, scale, (h.shape[1], width)).astype(x.dtype)
        bn = BatchNorm(width)
        bn.gamma[:] = gamma
        h = sigmoid(bn(z) if batch_norm else z)
        layers.append(h)
    return layers


def spread(activations: NDArray) -> float:
    """Return the standard deviation of activations (N, C) over the batch, averaged over units.

    Near 0, the layer answers the same to every input.
    """
    return float(activations.std(axis=0).mean())


def linear_share(y: NDArray) -> float:
    """Return the share, 0 to 1, of the inputs `y` of a sigmoid in its nearly linear middle.

    That is |y| < 1, where its slope is at least 79 % of the slope at 0.
    """
    return float(np.mean(np.abs(y) < 1))


def flat_share(y: NDArray) -> float:
    """Return the share, 0 to 1, of the inputs `y` of a sigmoid in its flat ends.

    That is |y| > 3, where its slope is at most 18 % of the slope at 0.
    """
    return float(np.mean(np.abs(y) > 3))
