"""Batch normalization in PyTorch, written in elementary tensor operations.

Autograd derives the backward pass. `bnlib.numpy_bn` is the same layer with that pass by hand.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class BatchNorm(nn.Module):
    """Normalizes each channel with the statistics of the mini-batch, then scales and shifts it.

        x_hat = (x - mu) / sqrt(var + eps)        y = weight * x_hat + bias

    `mu` and `var` are the mean and the biased variance of the m = N * prod(spatial) values of a
    channel; `weight` and `bias` are the paper's gamma and beta. In training mode `mu` and `var`
    come from the mini-batch, and the running averages move toward them; in evaluation mode the
    running averages take their place. Drop-in for `torch.nn.BatchNorm1d`, `2d` and `3d`: the same
    numbers, parameters, buffers and kinds of errors; a `state_dict` loads in either direction.

    Arguments:
        num_features: number of channels C.
        eps: added to the variance, > 0; keeps a constant channel from a division by zero.
        momentum: weight of the new batch in the running averages; None weighs all batches alike
            (the cumulative average).
        affine: whether there are a weight and a bias; if not, they are None.
        track_running_stats: whether there are running averages; if not, they are None, and
            evaluation mode, too, takes the statistics of the batch.
        device, dtype: of the parameters and buffers.
        bias: whether there is a bias, if affine.

    Parameters and buffers:
        weight, bias: shape (C,), at first 1 and 0.
        running_mean, running_var: running averages of `mu` and of the *unbiased* variance
            `var * m / (m - 1)`, shape (C,), at first 0 and 1.
        num_batches_tracked: the number of batches in them, an int64 tensor of shape ().

    Source: Ioffe & Szegedy (2015), "Batch Normalization", arXiv:1502.03167, algorithms 1 and 2.
    """

    _version = 2  # of the state_dict, as in PyTorch: 2 has num_batches_tracked, 1 had not

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats

        def empty() -> Tensor:
            return torch.empty(num_features, device=device, dtype=dtype)

        tracked = track_running_stats
        count = torch.tensor(0, device=device) if tracked else None
        self.register_parameter("weight", nn.Parameter(empty()) if affine else None)
        self.register_parameter("bias", nn.Parameter(empty()) if affine and bias else None)
        self.register_buffer("running_mean", empty() if tracked else None)
        self.register_buffer("running_var", empty() if tracked else None)
        self.register_buffer("num_batches_tracked", count)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Sets parameters and buffers to their first values."""
        self.reset_running_stats()
        if self.weight is not None:
            nn.init.ones_(self.weight)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def reset_running_stats(self) -> None:
        """Sets the running averages to 0 and 1 and their count to 0, if there are any."""
        if self.track_running_stats:
            self.running_mean.zero_()
            self.running_var.fill_(1)
            self.num_batches_tracked.zero_()

    def forward(self, x: Tensor) -> Tensor:
        """Normalizes a batch; in training mode also updates the running averages.

        Arguments:
            x: shape (N, C) or (N, C, *spatial), of the parameters' dtype; float16 and bfloat16
                also go with float32 parameters.

        Returns: y, with the shape and the dtype of x.

        Raises, before anything has changed:
            ValueError: x has less than 2 dimensions; or eps < 0; or the statistics of the batch
                are needed, and m = 1 or eps = 0.
            RuntimeError: x does not have C channels, or is of another dtype than the parameters.
            NotImplementedError: x is not of a floating-point dtype.

        Source: Ioffe & Szegedy (2015), algorithm 1; in evaluation mode algorithm 2, step 11.
        """
        use_batch = self.training or self.running_mean is None
        self._check_input(x, use_batch)
        dtype, column = x.dtype, (1, -1) + (1,) * (x.dim() - 2)
        x = x.to(_dtype_of_arithmetic(dtype))

        if use_batch:
            over = (0, *range(2, x.dim()))
            mu = x.mean(over)
            var = (x - mu.view(column)).square().mean(over)
            if self.training and self.track_running_stats:
                self._update_running_averages(mu, var, x.numel() // x.size(1))
        else:
            mu, var = self.running_mean, self.running_var
        x_hat = (x - mu.view(column)) / torch.sqrt(var.view(column) + self.eps)
        y = x_hat
        if self.weight is not None:
            y = y * self.weight.view(column)
        if self.bias is not None:
            y = y + self.bias.view(column)
        return y.to(dtype)

    @torch.no_grad()
    def _update_running_averages(self, mu: Tensor, var: Tensor, m: int) -> None:
        self.num_batches_tracked += 1
        if m == 0:
            return  # an empty batch counts, as in PyTorch, but it has no statistics
        w = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean.mul_(1 - w).add_(w * mu)
        self.running_var.mul_(1 - w).add_(w * m / (m - 1) * var)

    def _check_input(self, x: Tensor, use_batch: bool) -> None:
        if x.dim() < 2:
            raise ValueError(f"expected at least 2D input (got {x.dim()}D input)")
        if x.size(1) != self.num_features:
            raise RuntimeError(f"expected {self.num_features} channels, got input of {x.shape}")
        if use_batch and x.numel() == x.size(1):
            raise ValueError(f"expected more than 1 value per channel, got input of {x.shape}")
        if self.eps < 0 or (use_batch and self.eps == 0):
            raise ValueError(f"expected eps > 0, got {self.eps}")
        if not x.is_floating_point():
            raise NotImplementedError(f"expected floating-point input, got {x.dtype}")
        for tensor in (self.weight, self.bias, self.running_mean, self.running_var):
            if tensor is not None and tensor.dtype not in (x.dtype, _dtype_of_arithmetic(x.dtype)):
                raise RuntimeError(f"expected input of dtype {tensor.dtype}, got {x.dtype}")

    def extra_repr(self) -> str:
        """The arguments, for `print(module)`."""
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, "
            f"affine={self.affine}, bias={self.bias is not None}, "
            f"track_running_stats={self.track_running_stats}"
        )

    def _load_from_state_dict(self, state_dict, prefix, local_metadata, *args) -> None:
        key = prefix + "num_batches_tracked"
        if self.track_running_stats and local_metadata.get("version", 1) < 2:
            state_dict.setdefault(key, self.num_batches_tracked)
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *args)


def _dtype_of_arithmetic(dtype: torch.dtype) -> torch.dtype:
    """float32 for the half precisions, in which sums over a batch would be too coarse."""
    return torch.promote_types(dtype, torch.float32)
