"""Weight standardization: the weights of a unit are normalized, and not the data (torch)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from bnlib.experiments.residual import residual_mlp


class StandardizedLinear(nn.Linear):
    """A linear layer that uses w' = (w - mean) / std * sqrt(2 / n_in), unit by unit.

    So the n_in weights of a unit have mean 0 and the variance of He et al. (2015) throughout the
    training, and the gradient passes through both. No example has a part in it.

    Source: Qiao et al. (2019), Micro-Batch Training with Batch-Channel Normalization and Weight
        Standardization; the factor is the one for ReLU in Brock et al. (2021).
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return x w'ᵀ + bias, (N, out_features), for x (N, in_features)."""
        variance, mean = torch.var_mean(self.weight, 1, correction=0, keepdim=True)
        scale = torch.rsqrt(variance * self.in_features / 2 + 1e-6)
        return linear(x, (self.weight - mean) * scale, self.bias)


def standardized_mlp(blocks: int, seed: int = 0) -> nn.Sequential:
    """Make a `residual_mlp` with SkipInit, all but the last of its layers standardized.

    Args:
        blocks: how many, at least 1.
        seed: the weights depend on it alone.
    """
    model = residual_mlp(blocks, gain=0, seed=seed)
    *hidden, _last = [layer for layer in model.modules() if isinstance(layer, nn.Linear)]
    for layer in hidden:
        layer.__class__ = StandardizedLinear  # it has the same parameters
    return model
