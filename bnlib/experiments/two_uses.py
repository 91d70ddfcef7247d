"""BN whose two uses of its batch, in x̂ and in the gradient, can be had alone (torch)."""

from __future__ import annotations

from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.nn.functional import batch_norm

from bnlib.experiments.networks import BATCH_NORMS


class TwoUses(nn.BatchNorm1d):
    """BN with a choice in training mode: which statistics make x̂, and what the gradient sees.

    With both uses of the batch it is plain BN. With the averages in x̂ and the gradient through the
    batch it is Batch Renormalization without limits on r and d:
    x̂ = (x − μ_B) / σ_B · r + d with r = σ_B / σ_run and d = (μ_B − μ_run) / σ_run held constant.
    In evaluation mode nothing differs from BN.

    Args:
        features: number of them, C.
        batch_in_x_hat: whether x̂ is made with the statistics of the batch; else with the averages.
        gradient_through: whether the gradient passes through the statistics of the batch.
        options: those of `torch.nn.BatchNorm1d`; a momentum of 0 holds the averages.

    Source: Ioffe (2017), Batch Renormalization.
    """

    def __init__(
        self, features: int, batch_in_x_hat: bool = True, gradient_through: bool = True, **options
    ):
        super().__init__(features, **options)
        self.batch_in_x_hat, self.gradient_through = batch_in_x_hat, gradient_through

    def forward(self, x: Tensor) -> Tensor:
        """Normalize x (N, C)."""
        if not self.training or self.batch_in_x_hat and self.gradient_through:
            return super().forward(x)
        with torch.no_grad():
            var, mean = torch.var_mean(x, 0, correction=0)
            mean_run = self.get_buffer("running_mean").clone()
            var_run = self.get_buffer("running_var").clone()
            std_run = torch.sqrt(var_run + self.eps)
            r, d = torch.sqrt(var + self.eps) / std_run, (mean - mean_run) / std_run
            super().forward(x)  # moves the averages
        if self.gradient_through:  # γ (x̂_B r + d) + β
            scale, shift = self.weight * r, self.weight * d + self.bias
            return batch_norm(x, None, None, scale, shift, training=True, eps=self.eps)
        if not self.batch_in_x_hat:
            mean, var = mean_run, var_run
        return batch_norm(x, mean, var, self.weight, self.bias, training=False, eps=self.eps)


def with_uses(
    model: nn.Sequential,
    batch_in_x_hat: bool = False,
    gradient_through: bool = False,
    momentum: float = 0,
) -> nn.Sequential:
    """Return a copy of `model` whose BN layers are `TwoUses`, with the same four numbers.

    Args:
        model: it stays as it is.
        batch_in_x_hat: as in `TwoUses`.
        gradient_through: likewise.
        momentum: of the running averages. By default they are held, and used throughout.
    """
    layers: list[nn.Module] = []
    for layer in deepcopy(model):
        if isinstance(layer, BATCH_NORMS):
            uses = batch_in_x_hat, gradient_through
            replaced = TwoUses(len(layer.weight), *uses, eps=layer.eps).to(layer.weight)
            replaced.load_state_dict(layer.state_dict())
            replaced.momentum = momentum
            layer = replaced
        layers.append(layer)
    return nn.Sequential(*layers)
