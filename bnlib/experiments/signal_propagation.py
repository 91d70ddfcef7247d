"""What a signal becomes on its way through a deep network that has not been trained yet (NumPy
only).
"""

import numpy as np
from numpy.typing import NDArray

from bnlib.numpy_bn import BatchNorm


def sigmoid(x: NDArray) -> NDArray:
    """The logistic function 1 / (1 + exp(-x)), any shape."""
    return 1 / (1 + np.exp(-x))


def propagate(
    x: NDArray, depth: int, *, batch_norm: bool, width: int = 100, scale: float = 0.1, seed: int = 0
) -> list[NDArray]:
    """Activations of each layer of a sigmoid network with weights drawn from N(0, `scale`²).

    Arguments: a batch `x` of shape (N, D); the number `depth` of layers, each of `width` units. The
    weights depend on `seed` alone, so that the networks with and without BN are the same but for
    BN.

    Returns: `depth` arrays of shape (N, `width`), the first layer's first: sigmoid(BN(h W)) or
    sigmoid(h W).

    Set-up of Ioffe & Szegedy (2015), section 4.1: sigmoid layers of 100 units, small Gaussian
    weights.
    """
    rng = np.random.default_rng(seed)
    layers, h = [], x
    for _ in range(depth):
        z = h @ rng.normal(0, scale, (h.shape[1], width)).astype(x.dtype)
        h = sigmoid(BatchNorm(width)(z) if batch_norm else z)
        layers.append(h)
    return layers


def spread(activations: NDArray) -> float:
    """How much the activations (N, C) differ from example to example: their standard deviation over
    the batch, as the mean over units. Near 0, the layer answers the same to every input.
    """
    return float(activations.std(axis=0).mean())


def linear_share(y: NDArray) -> float:
    """Share, 0 to 1, of the inputs `y` of a sigmoid that lie in its nearly linear middle, |y| < 1,
    where its slope is at least 79 % of the slope at 0.
    """
    return float(np.mean(np.abs(y) < 1))


def flat_share(y: NDArray) -> float:
    """Share, 0 to 1, of the inputs `y` of a sigmoid that lie in its flat ends, |y| > 3, where its
    slope is at most 18 % of the slope at 0.
    """
    return float(np.mean(np.abs(y) > 3))
