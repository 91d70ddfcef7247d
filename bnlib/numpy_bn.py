"""Batch normalization in NumPy, forward and backward, as in Ioffe & Szegedy (2015).

The names are the paper's: for each channel, `mu` and `var` are the mean and the (biased) variance
of the `m` values that the mini-batch has in it, `x_hat` is the normalized input, `y` the output.
"""

from __future__ import annotations

import math
from numbers import Integral, Real

import numpy as np


class BatchNorm:
    """Normalizes each channel with the statistics of the mini-batch, then scales and shifts it.

        x_hat = (x - mu) / sqrt(var + eps)        y = gamma * x_hat + beta

    In training mode `mu` and `var` come from the mini-batch, and the running averages move toward
    them; in evaluation mode the running averages take their place. The numbers are those of
    `torch.nn.BatchNorm1d`, `2d` and `3d` with the same arguments.

    Arguments:
        num_features: number of channels C, at least 1.
        eps: added to the variance, > 0; keeps a constant channel from a division by zero.
        momentum: weight of the new batch in the running averages, in [0, 1]; None weighs all
            batches alike (the cumulative average).
        affine: whether there are a gamma and a beta; if not, they and their gradients are None.
        track_running_stats: whether there are running averages; if not, they are None, and
            evaluation mode, too, takes the statistics of the batch.

    Attributes:
        gamma, beta: scale and shift, shape (C,), at first 1 and 0.
        running_mean, running_var: running averages of `mu` and of the *unbiased* variance
            `var * m / (m - 1)`, shape (C,), at first 0 and 1.
        num_batches_tracked: the number of batches in them.
        grad_gamma, grad_beta: shape (C,); every `backward` overwrites them; None at first.
        training: the mode, at first True; `train()` and `eval()` change it.

    Raises: TypeError, ValueError: an argument has the wrong type or is out of its range.

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
        _check_number("num_features", num_features, Integral)
        _check_number("eps", eps, Real)
        if num_features < 1:
            raise ValueError(f"expected num_features to be at least 1, got {num_features}")
        if not 0 < eps < math.inf:
            raise ValueError(f"expected eps to be finite and > 0, got {eps}")
        if momentum is not None:
            _check_number("momentum", momentum, Real)
            if not 0 <= momentum <= 1:
                raise ValueError(f"expected momentum to be in [0, 1] or None, got {momentum}")

        self.num_features = int(num_features)
        self.eps = float(eps)
        self.momentum = None if momentum is None else float(momentum)
        self.affine, self.track_running_stats = bool(affine), bool(track_running_stats)
        self.gamma = np.ones(num_features) if affine else None
        self.beta = np.zeros(num_features) if affine else None
        self.running_mean = np.zeros(num_features) if track_running_stats else None
        self.running_var = np.ones(num_features) if track_running_stats else None
        self.num_batches_tracked = 0 if track_running_stats else None
        self.grad_gamma = self.grad_beta = None
        self.training = True
        self._saved = None  # what `backward` needs of the latest `forward`

    def __repr__(self) -> str:
        return (
            f"BatchNorm({self.num_features}, eps={self.eps}, momentum={self.momentum}, "
            f"affine={self.affine}, track_running_stats={self.track_running_stats})"
        )

    def train(self) -> BatchNorm:
        """Switches to training mode; returns the layer."""
        self.training = True
        return self

    def eval(self) -> BatchNorm:
        """Switches to evaluation mode; returns the layer."""
        self.training = False
        return self

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """The same as `forward(x)`."""
        return self.forward(x)

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Normalizes a batch; in training mode also updates the running averages.

        Arguments:
            x: shape (N, C) or (N, C, *spatial), float32 or float64; it is not changed. The
                statistics of a channel are those of its m = N * prod(spatial) values.

        Returns: y, with the shape and the dtype of x.

        Raises: TypeError, ValueError: x is not such an array, or is empty, or m = 1 where the
            statistics of the batch are needed. The layer is then as it was before.

        Source: Ioffe & Szegedy (2015), algorithm 1; in evaluation mode algorithm 2, step 11.
        """
        use_batch = self.training or not self.track_running_stats
        self._check_input(x, use_batch)
        shape, m = x.shape, x.size // self.num_features
        x = x.reshape(*shape[:2], -1)  # (N, C, S), where m = N * S

        if use_batch:
            # In float64: a long float32 sum of values near 10 000 rounds away what matters.
            mu = np.einsum("ncs->c", x, dtype=np.float64) / m
            x_centered = x - _spread(mu, x)
            var = np.einsum("ncs,ncs->c", x_centered, x_centered) / m
        else:
            mu, var = self.running_mean, self.running_var
            x_centered = x - _spread(mu, x)
        inv_std = _spread(1 / np.sqrt(var + self.eps), x)
        # In place, here and below: a new array of this size costs more time than the arithmetic.
        x_hat = x_centered
        x_hat *= inv_std
        if self.affine:
            gamma = _spread(self.gamma, x)
            scale = gamma * inv_std
            y = gamma * x_hat
            y += _spread(self.beta, x)
        else:
            scale = inv_std
            y = x_hat.copy()  # the caller may change y, and `backward` needs x_hat

        if self.training and self.track_running_stats:
            self._update_running_averages(mu, var, m)
        self._saved = x_hat, scale, use_batch, shape
        return y.reshape(shape)

    def backward(self, dy: np.ndarray) -> np.ndarray:
        """Takes the gradient of the loss from y to x, gamma and beta of the latest `forward`.

            dbeta = sum(dy)        dgamma = sum(dy * x_hat)
            dx = gamma / sqrt(var + eps) * (dy - dbeta / m - x_hat * dgamma / m)

        The two subtracted terms are the paths through `mu` and `var`; they are absent if those
        were the running averages, which do not depend on x. Sets `grad_gamma` and `grad_beta`.

        Arguments:
            dy: gradient with respect to y, of y's shape, float32 or float64; it is not changed.

        Returns: dx, the gradient with respect to x, with the shape and the dtype of x.

        Raises:
            RuntimeError: there was no `forward` yet.
            TypeError, ValueError: dy is not such an array. The layer is then as it was before.

        Source: Ioffe & Szegedy (2015), section 3, the six equations of the chain rule, combined.
        """
        if self._saved is None:
            raise RuntimeError("expected a call of forward before backward, got none yet")
        x_hat, scale, use_batch, shape = self._saved
        _check_floats("dy", dy)
        if dy.shape != shape:
            raise ValueError(f"expected dy of the shape of y, {shape}, got {dy.shape}")
        m = dy.size // self.num_features
        dy = dy.reshape(x_hat.shape).astype(x_hat.dtype, copy=False)

        dbeta = np.einsum("ncs->c", dy)
        dgamma = np.einsum("ncs,ncs->c", dy, x_hat)
        if use_batch:
            dx = dy - _spread(dbeta / m, dy)
            dx -= x_hat * _spread(dgamma / m, dy)
            dx *= scale
        else:
            dx = scale * dy
        if self.affine:
            self.grad_gamma, self.grad_beta = dgamma, dbeta
        return dx.reshape(shape)

    def _update_running_averages(self, mu: np.ndarray, var: np.ndarray, m: int) -> None:
        self.num_batches_tracked += 1
        w = 1 / self.num_batches_tracked if self.momentum is None else self.momentum
        self.running_mean = (1 - w) * self.running_mean + w * mu
        self.running_var = (1 - w) * self.running_var + w * m / (m - 1) * var

    def _check_input(self, x: np.ndarray, use_batch: bool) -> None:
        _check_floats("x", x)
        C = self.num_features
        if x.ndim < 2 or x.shape[1] != C or x.size == 0:
            shapes = f"(N, {C}) or (N, {C}, *spatial)"
            raise ValueError(f"expected x of shape {shapes}, not empty, got {x.shape}")
        if use_batch and x.size == C:
            raise ValueError(f"expected more than one value per channel, got x of shape {x.shape}")


def _spread(v: np.ndarray, like: np.ndarray) -> np.ndarray:
    """Per-channel values (C,) in a form that broadcasts with `like` (N, C, S), in its dtype."""
    v = np.asarray(v, like.dtype)[:, np.newaxis]
    # Written out S times: NumPy is twice as fast on one run of C * S values than on C runs of S.
    return v if like.shape[2] == 1 else v.repeat(like.shape[2], axis=1)


def _check_floats(name: str, array: np.ndarray) -> None:
    got = array.dtype if isinstance(array, np.ndarray) else type(array).__name__
    if got not in (np.float32, np.float64):
        raise TypeError(f"expected {name} to be a NumPy array of float32 or float64, got {got}")


def _check_number(name: str, value: float, kind: type) -> None:
    if isinstance(value, bool) or not isinstance(value, kind):  # True is an int to Python
        expected = "an int" if kind is Integral else "a number"
        raise TypeError(f"expected {name} to be {expected}, got {value!r}")
