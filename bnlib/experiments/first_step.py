"""What gradient reaches each layer of a network in the first step of its training."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from bnlib.experiments.data import load_digits
from bnlib.experiments.networks import mlp
from bnlib.experiments.training import train


def gradient_norms(depth: int, init: float | str, seed: int, **network) -> NDArray[np.float64]:
    """Return the norm of the gradient of each hidden layer's weights, (depth,).

    Args:
        depth: number of hidden layers, of 100 units each.
        init: the initial weights, as for `bnlib.experiments.networks.mlp`.
        seed: of the weights, and of the batch of 60 digits.
        network: other options of `mlp`.
    """
    x, y = map(torch.tensor, load_digits()[:2])
    model = mlp([x.shape[1], *[100] * depth, 10], init=init, seed=seed, **network)
    next(train(model, x, y, steps=1, batch_size=60, lr=0.1, seed=seed))
    gradients = [layer.weight.grad for layer in model if isinstance(layer, nn.Linear)]
    return np.array([g.norm().item() for g in gradients[:-1] if g is not None])
