"""Batch normalization in PyTorch, written in elementary tensor operations.

Autograd derives the backward pass. `bnlib.numpy_bn` is the same layer with that pass by hand: lay
the two side by side, `forward` goes line for line.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn


class BatchNorm(nn.Module):
    """Normalize each channel with the statistics of the mini-batch, then scale and shift it.

        x_hat = (x - mu) / sqrt(var + eps)        y = weight * x_hat + bias

    x has the shape (N, C) or (N, C, *spatial), so that a channel has m = N * prod(spatial) values;
    `mu` and `var` are their mean and biased variance, `weight` and `bias` the paper's gamma and
    beta. In training mode `mu` and `var` are those of the mini-batch, and the running averages move
    toward them; in evaluation mode the running averages take their place.

    Drop-in for `torch.nn.BatchNorm1d`, `2d` and `3d`: the same numbers, parameters, buffers and
    kinds of errors; a `state_dict` loads in either direction. But it is no instance of their base
    class, so that what looks for that one passes this layer over, without a word:
    `torch.optim.swa_utils.update_bn` does not compute its running averages anew, and
    `torch.nn.SyncBatchNorm.convert_sync_batchnorm` does not convert it.

    Args:
        num_features: number of channels C.
        eps: added to the variance, finite; > 0, to keep a constant channel from a division by
            zero (as in PyTorch, 0 will do in evaluation mode, and `forward` checks the sign).
        momentum: weight of the new batch in the running averages, in [0, 1]; None weighs all
            batches alike (the cumulative average).
        affine: whether there are a weight and a bias; if not, they are None.
        track_running_stats: whether there are running averages; if not, they are None, and
            evaluation mode, too, takes the statistics of the batch.
        device: of the parameters and buffers.
        dtype: of the parameters and buffers.
        bias: whether there is a bias, if affine.

    Attributes:
        weight, bias: parameters, shape (C,), at first 1 and 0.
        running_mean, running_var: buffers, running averages of `mu` and of the *unbiased* variance
            `var * m / (m - 1)`, shape (C,), at first 0 and 1.
        num_batches_tracked: buffer, the number of batches in them, int64, shape ().

    Raises:
        TypeError: eps or momentum is not a number.
        ValueError: eps is not finite, or momentum is not in [0, 1].

    Source: Ioffe & Szegedy (2015), "Batch Normalization", arXiv:1502.03167, algorithms 1 and 2.
    """

    # "| Any" and not "| None": who reads one knows from the arguments whether it is there.
    weight: Tensor | Any
    bias: Tensor | Any
    running_mean: Tensor | Any
    running_var: Tensor | Any
    num_batches_tracked: Tensor | Any

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
        """Make a layer in training mode; the class describes the arguments."""
        super().__init__()
        check_finite("eps", eps)
        if momentum is not None:
            check_finite("momentum", momentum)
            if not 0 <= momentum <= 1:
                raise ValueError(f"expected momentum to be in [0, 1] or None, got {momentum}")
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

    def forward(self, x: Tensor) -> Tensor:
        """Normalize a batch; in training mode also update the running averages.

        Args:
            x: shape (N, C) or (N, C, *spatial), of the parameters' dtype; float16 and bfloat16
                also go with float32 parameters.

        Returns:
            y, with the shape and the dtype of x.

        Raises:
            ValueError: x has less than 2 dimensions; or eps < 0; or the statistics of the batch
                are needed, and m = 1 or eps = 0.
            RuntimeError: x does not have C channels, or is of another dtype than the parameters.
            NotImplementedError: x is not of a floating-point dtype. After any of these errors the
                layer is as it was before.

        Source: Ioffe & Szegedy (2015), algorithm 1; in evaluation mode algorithm 2, step 11.
        """
        use_batch = self.training or self.running_mean is None
        self._check_x(x, use_batch)
        dtype, m = x.dtype, x.numel() // self.num_features
        x = cast(x, dtype_of_arithmetic(dtype))

        mu = sum_per_channel(x) / m if use_batch else self.running_mean
        x_mu = x - spread(mu, x)
        var = sum_per_channel(x_mu * x_mu) / m if use_batch else self.running_var
        inv_std = torch.rsqrt(var + self.eps)
        weight, bias = self.weight, self.bias
        # y = weight * x_hat + bias, where x_hat = x_mu * inv_std: to multiply the C values first
        # saves an operation on the whole batch here, and three on the way back.
        scale = inv_std if weight is None else weight * inv_std
        y = spread(scale, x) * x_mu
        y = y if bias is None else y + spread(bias, x)

        if self.training and self.track_running_stats:
            self._update_running_averages(mu.detach(), var.detach(), m)
        return cast(y, dtype)

    def _update_running_averages(self, mu: Tensor, var: Tensor, m: int) -> None:
        self.num_batches_tracked.add_(1)
        if m > 0:  # an empty batch counts, as in PyTorch, but it has no statistics
            w = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
            self.running_mean.mul_(1 - w).add_(mu, alpha=float(w))
            self.running_var.mul_(1 - w).add_(var, alpha=w * m / (m - 1))

    def reset_parameters(self) -> None:
        """Set parameters and buffers to their first values."""
        self.reset_running_stats()
        if self.weight is not None:
            nn.init.ones_(self.weight)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def reset_running_stats(self) -> None:
        """Set the running averages to 0 and 1 and their count to 0, if there are any."""
        if self.track_running_stats:
            self.running_mean.zero_()
            self.running_var.fill_(1)
            self.num_batches_tracked.zero_()

    def extra_repr(self) -> str:
        """Return the arguments, for `print(module)`."""
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, "
            f"affine={self.affine}, bias={self.bias is not None}, "
            f"track_running_stats={self.track_running_stats}"
        )

    def _check_x(self, x: Tensor, use_batch: bool) -> None:
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
        dtypes = x.dtype, dtype_of_arithmetic(x.dtype)
        for tensor in (self.weight, self.bias, self.running_mean, self.running_var):
            if tensor is not None and tensor.dtype not in dtypes:
                raise RuntimeError(f"expected input of dtype {tensor.dtype}, got {x.dtype}")


def spread(v: Tensor, like: Tensor) -> Tensor:
    """Shape the values per channel, (C,), so that they broadcast with (N, C, *spatial)."""
    return v if like.dim() == 2 else v.view(-1, *[1] * (like.dim() - 2))


def sum_per_channel(a: Tensor) -> Tensor:
    """Sum (N, C, *spatial) over all but the channels.

    A sum over m and not `a.mean`, which on the way back divides the whole batch by m.
    """
    return a.sum(0) if a.dim() == 2 else a.sum((0, *range(2, a.dim())))


def cast(a: Tensor, dtype: torch.dtype) -> Tensor:
    """Return `a` in `dtype`; a shortcut, since `a.to` takes its time even if nothing is to do."""
    return a if a.dtype == dtype else a.to(dtype)


def dtype_of_arithmetic(dtype: torch.dtype) -> torch.dtype:
    """Choose float32 for the half precisions, in which sums over a batch would be too coarse."""
    return torch.promote_types(dtype, torch.float32)


def check_finite(name: str, value: float) -> None:
    """Raise TypeError unless `value` is a number, ValueError unless it is finite.

    What PyTorch takes for a number, a tensor of shape () for one, is a number here.
    """
    try:
        finite = math.isfinite(value)
    except TypeError:
        raise TypeError(f"expected {name} to be a number, got {value!r}") from None
    if not finite:
        raise ValueError(f"expected {name} to be finite, got {value}")
