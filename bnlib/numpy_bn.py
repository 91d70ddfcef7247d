"""Batch normalization in NumPy, forward and backward, as in Ioffe & Szegedy (2015).

The names are the paper's: for each channel, `mu` and `var` are the mean and the (biased) variance
of the m values that the mini-batch has in it, `x_hat` is the normalized input, `y` the output.
Three paths lead from x to y, one of them direct, one through mu and one through var:

    x ──┬─────────> x - mu ──┬─────────> x_hat ──> y = gamma * x_hat + beta
        │             ^      │             ^
        └───> mu ─────┘      └───> var ────┘       inv_std = 1 / sqrt(var + eps)

Backward, dy, the gradient of the loss with respect to y, takes the same paths in reverse. For one
channel, and with `sum` over its m values, the chain rule gives four lines:

    dx_hat = gamma * dy
    dvar = sum(dx_hat * (x - mu)) * -0.5 * inv_std**3
    dmu = -sum(dx_hat) * inv_std
    dx = dx_hat * inv_std + dmu / m + dvar * 2 * (x - mu) / m
         direct             through mu  through var

(var depends on mu, too, but its derivative is the sum of all x - mu, and that is 0.) The gradients
of beta and gamma are sums that occur in these lines, since x - mu is x_hat / inv_std:

    dbeta = sum(dy)
    dgamma = sum(dy * x_hat)

With them dmu is -gamma * inv_std * dbeta, and dvar is -0.5 * gamma * inv_std**2 * dgamma, so that

    dx = gamma * inv_std * (dy - dbeta / m - x_hat * dgamma / m)

Why it has to look like this: y does not answer to a shift of x, nor, up to eps, to a stretch, so
backward takes out of dy its mean and its part along x_hat. In evaluation mode mu and var are
constants, and only the direct path is left.
"""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.floating]
# What `backward` needs of the latest `forward`: x_hat, gamma * inv_std, use_batch, the shape of x.
Saved: TypeAlias = tuple[Array, Array, bool, tuple[int, ...]]
FLOAT32, FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)


class BatchNorm:
    """Normalize each channel with the statistics of the mini-batch, then scale and shift it.

        x_hat = (x - mu) / sqrt(var + eps)        y = gamma * x_hat + beta

    x has the shape (N, C) or (N, C, *spatial), so that a channel has m = N * prod(spatial) values.
    In training mode `mu` and `var` are those of the mini-batch, and the running averages move
    toward them; in evaluation mode the running averages take their place. The numbers are those of
    `torch.nn.BatchNorm1d`, `2d` and `3d` with the same arguments.

    Args:
        num_features: number of channels C, at least 1.
        eps: added to the variance, > 0; keeps a constant channel from a division by zero.
        momentum: weight of the new batch in the running averages, in [0, 1]; None weighs all
            batches alike (the cumulative average).
        affine: whether there are a gamma and a beta; if not, they and their gradients are None.
        track_running_stats: whether there are running averages; if not, they are None, and
            evaluation mode, too, takes the statistics of the batch.

    Attributes:
        gamma, beta: scale and shift, shape (C,), float64, at first 1 and 0.
        running_mean, running_var: running averages of `mu` and of the *unbiased* variance
            `var * m / (m - 1)`, shape (C,), float64, at first 0 and 1.
        num_batches_tracked: the number of batches in them.
        grad_gamma, grad_beta: shape (C,), summed and kept in the dtype of x; every `backward`
            overwrites them; None at first.
        training: the mode, at first True; `train()` and `eval()` change it.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument is out of its range. A call of a method that raises an error leaves
            the layer as it was.

    Source: Ioffe & Szegedy (2015), "Batch Normalization", arXiv:1502.03167, algorithms 1 and 2.
    """

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
    ) -> None:
        """Make a layer in training mode; the class describes the arguments."""
        check_positive_int("num_features", num_features)
        check_eps(eps)
        check_momentum(momentum)
        self.num_features = C = int(num_features)
        self.eps = float(eps)
        self.momentum = None if momentum is None else float(momentum)
        self.affine, self.track_running_stats = bool(affine), bool(track_running_stats)
        # "| Any" and not "| None": who reads one knows from the arguments whether it is there.
        self.gamma: Array | Any = np.ones(C) if affine else None
        self.beta: Array | Any = np.zeros(C) if affine else None
        self.running_mean: Array | Any = np.zeros(C) if track_running_stats else None
        self.running_var: Array | Any = np.ones(C) if track_running_stats else None
        self.num_batches_tracked: int | Any = 0 if track_running_stats else None
        self.grad_gamma: Array | Any = None
        self.grad_beta: Array | Any = None
        self.training = True
        self._saved: Saved | None = None

    def forward(self, x: Array) -> Array:
        """Normalize a batch; in training mode also update the running averages.

        Args:
            x: shape (N, C) or (N, C, *spatial), float32 or float64; it is not changed.

        Returns:
            y, with the shape and the dtype of x.

        Raises:
            TypeError, ValueError: x is no such array, is empty, or has m = 1 where that is too few.

        Source: Ioffe & Szegedy (2015), algorithm 1; in evaluation mode algorithm 2, step 11.
        """
        use_batch = self.training or not self.track_running_stats
        self._check_x(x, use_batch)
        shape, C, m = x.shape, self.num_features, x.size // self.num_features
        x = x.reshape(len(x), -1)  # (N, C * S), so that m = N * S

        mu = sum_per_channel(x, C, FLOAT64) / m if use_batch else self.running_mean
        x_mu = x - spread(mu, x)
        var = sum_of_squares(x_mu, C) / m if use_batch else self.running_var
        inv_std = spread(1 / np.sqrt(var + self.eps), x)
        x_hat = np.multiply(x_mu, inv_std, out=x_mu)  # in place, as below: new memory is slow
        gamma, beta = (spread(self.gamma, x), spread(self.beta, x)) if self.affine else (1, 0)
        y = gamma * x_hat
        y += beta

        if self.training and self.track_running_stats:
            self._update_running_averages(mu, var, m)
        self._saved = x_hat, gamma * inv_std, use_batch, shape
        return y.reshape(shape)

    def backward(self, dy: Array) -> Array:
        """Take the gradient of the loss from y back to x, gamma and beta of the latest `forward`.

        Args:
            dy: gradient with respect to y, of y's shape, float32 or float64; it is not changed.

        Returns:
            dx, the gradient with respect to x, with the shape and the dtype of x.

        Raises:
            RuntimeError: there was no `forward` yet.
            TypeError, ValueError: dy is no such array.

        Source: Ioffe & Szegedy (2015), section 3; derived at the top of this file.
        """
        x_hat, scale, use_batch, shape = self._saved_for(dy)
        C, m = self.num_features, dy.size // self.num_features
        dy = dy.reshape(x_hat.shape).astype(x_hat.dtype, copy=False)

        dbeta = sum_per_channel(dy, C)
        dgamma = sum_per_channel(dy * x_hat, C)
        if use_batch:  # what of dy is left without its part along x_hat and its mean
            dx = spread(dgamma / -m, dy) * x_hat  # through var
            dx -= spread(dbeta / m, dy)  # through mu
            dx += dy  # direct
            dx *= scale
        else:
            dx = scale * dy

        if self.affine:
            self.grad_gamma, self.grad_beta = dgamma, dbeta
        return dx.reshape(shape)

    def _update_running_averages(self, mu: Array, var: Array, m: int) -> None:
        self.num_batches_tracked += 1
        w = 1 / self.num_batches_tracked if self.momentum is None else self.momentum
        self.running_mean = (1 - w) * self.running_mean + w * mu
        self.running_var = (1 - w) * self.running_var + w * m / (m - 1) * var

    def train(self) -> BatchNorm:
        """Switch to training mode; return the layer."""
        self.training = True
        return self

    def eval(self) -> BatchNorm:
        """Switch to evaluation mode; return the layer."""
        self.training = False
        return self

    def __call__(self, x: Array) -> Array:
        """Return `forward(x)`."""
        return self.forward(x)

    def __repr__(self) -> str:
        """Return the call that makes such a layer."""
        return (
            f"BatchNorm({self.num_features}, eps={self.eps}, momentum={self.momentum}, "
            f"affine={self.affine}, track_running_stats={self.track_running_stats})"
        )

    def _check_x(self, x: Array, use_batch: bool) -> None:
        check_floats("x", x)
        C = self.num_features
        if x.ndim < 2 or x.shape[1] != C or x.size == 0:
            shapes = f"(N, {C}) or (N, {C}, *spatial)"
            raise ValueError(f"expected x of shape {shapes}, not empty, got {x.shape}")
        if use_batch and x.size == C:
            raise ValueError(f"expected more than one value per channel, got x of shape {x.shape}")

    def _saved_for(self, dy: Array) -> Saved:
        if self._saved is None:
            raise RuntimeError("expected a call of forward before backward, got none yet")
        check_dy(dy, self._saved[-1])
        return self._saved


def spread(v: Array, like: Array) -> Array:
    """Repeat each of the values per channel, (C,), S times, so that they broadcast with (N, C * S).

    One long run per example: NumPy is twice as fast on it as on C runs of S values. The dtype is
    that of `like`: float64 statistics leave a float32 batch in float32.
    """
    v = v.astype(like.dtype, copy=False)
    S = like.shape[1] // v.size
    return v if S == 1 else v.repeat(S)


def sum_per_channel(a: Array, C: int, dtype: np.dtype | None = None) -> Array:
    """Sum (N, C * S) over N and S, in `dtype`; in that of `a` if it is None."""
    if a.shape[1] == C:
        return np.add.reduce(a, 0, dtype)
    return np.einsum("ncs->c", a.reshape(len(a), C, -1), dtype=dtype)


def sum_of_squares(a: Array, C: int) -> Array:
    """Sum the squares of (N, C * S) over N and S; more than 256 of them in float64.

    Of a million float32 squares a float32 sum is wrong by 4e-4 of its size; of 256 by 1e-6 at
    most, in a third of the time.
    """
    m = a.size // C
    return sum_per_channel(a * a, C, FLOAT64 if m > 256 else None)


def check_floats(name: str, array: Array) -> None:
    """Raise TypeError unless `array` is a NumPy array of float32 or float64."""
    if not (isinstance(array, np.ndarray) and array.dtype in (FLOAT32, FLOAT64)):
        got = array.dtype if isinstance(array, np.ndarray) else type(array).__name__
        raise TypeError(f"expected {name} to be a NumPy array of float32 or float64, got {got}")


def check_dy(dy: Array, shape: tuple[int, ...]) -> None:
    """Raise TypeError unless `dy` is an array of floats, ValueError unless it has this shape."""
    check_floats("dy", dy)
    if dy.shape != shape:
        raise ValueError(f"expected dy of the shape of y, {shape}, got {dy.shape}")


def check_positive_int(name: str, value: int) -> None:
    """Raise TypeError unless `value` is an int, ValueError unless it is at least 1."""
    _check_kind(name, value, Integral, "an int")
    if value < 1:
        raise ValueError(f"expected {name} to be at least 1, got {value}")


def check_eps(eps: float) -> None:
    """Raise TypeError unless `eps` is a number, ValueError unless it is finite and > 0."""
    _check_kind("eps", eps, Real, "a number")
    if not 0 < eps < math.inf:
        raise ValueError(f"expected eps to be finite and > 0, got {eps}")


def check_momentum(momentum: float | None) -> None:
    """Raise TypeError unless `momentum` is a number or None, ValueError if it is not in [0, 1]."""
    if momentum is not None:
        _check_kind("momentum", momentum, Real, "a number")
        if not 0 <= momentum <= 1:
            raise ValueError(f"expected momentum to be in [0, 1] or None, got {momentum}")


def _check_kind(name: str, value: object, kind: type, words: str) -> None:
    if isinstance(value, bool) or not isinstance(value, kind):  # True is an int to Python
        raise TypeError(f"expected {name} to be {words}, got {value!r}")
