"""Layer, group and instance normalization in NumPy: each example is normalized by itself.

They ask the question of batch normalization, which values share a mean and a variance, and answer
it without the other examples. Of an array (N, C, H, W) these belong together:

    batch normalization (bnlib.numpy_bn)    all of a channel, in every example    N * H * W values
    layer normalization                     all of an example                     C * H * W
    group normalization, G groups           C / G neighbouring channels of one    C / G * H * W
    instance normalization                  one channel of an example             H * W

So 1 group makes layer normalization's statistics, and C groups make instance normalization. In
memory the values that belong together lie side by side: `x.reshape(-1, m)` has them as rows, and
the forward pass is that of `numpy_bn`, row by row. There are no running averages, and training
and evaluation are the same.

gamma and beta do not follow the rows. Groups and instances have one of each for a channel, layer
normalization one for each of the values of a row. Inside a row gamma differs from value to value,
so it stays under the sums of the backward pass. For one row, with `mean` over its m values:

    dx_hat = gamma * dy
    dx = inv_std * (dx_hat - mean(dx_hat) - x_hat * mean(dx_hat * x_hat))

This is the last line of `numpy_bn`, in which gamma, the same for all m values, stands before the
bracket. The gradients of beta and gamma are sums over all values that have that beta and gamma:

    dbeta = sum(dy)
    dgamma = sum(dy * x_hat)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from bnlib.numpy_bn import FLOAT64, Array, check_dy, check_eps, check_floats, check_positive_int


class RowNorm:
    """What the norms of this module share: normalize rows of x, then scale and shift.

    A norm says which values make a row, and which axes of x share a gamma.
    """

    def __init__(self, shape: tuple[int, ...], eps: float, affine: bool) -> None:
        """Make a layer whose gamma and beta have this shape."""
        check_eps(eps)
        self.eps, self.affine = float(eps), bool(affine)
        self.gamma: Array | Any = np.ones(shape) if affine else None
        self.beta: Array | Any = np.zeros(shape) if affine else None
        self.grad_gamma: Array | Any = None
        self.grad_beta: Array | Any = None
        self._saved: tuple[Array, Array, Array | int] | None = None

    def forward(self, x: Array) -> Array:
        """Normalize every row of a batch by itself.

        Args:
            x: an array as the class describes, float32 or float64; it is not changed.

        Returns:
            y, with the shape and the dtype of x.

        Raises:
            TypeError, ValueError: x is no such array, is empty, or has rows of a single value.
        """
        check_floats("x", x)
        m = self._values_in_a_row(x)
        if m == 1:
            raise ValueError(f"expected more than one value to a mean, got x of shape {x.shape}")
        rows = x.reshape(-1, m)

        mu = rows.mean(1, FLOAT64, keepdims=True)
        x_mu = rows - mu.astype(x.dtype)
        var = np.square(x_mu).mean(1, FLOAT64, keepdims=True)
        inv_std = (1 / np.sqrt(var + self.eps)).astype(x.dtype)
        x_hat = (x_mu * inv_std).reshape(x.shape)
        gamma, beta = self._gamma_and_beta_for(x)

        self._saved = x_hat, inv_std, gamma
        return gamma * x_hat + beta

    def backward(self, dy: Array) -> Array:
        """Take the gradient of the loss from y back to x, gamma and beta of the latest `forward`.

        Args:
            dy: gradient with respect to y, of y's shape, float32 or float64; it is not changed.

        Returns:
            dx, the gradient with respect to x, with the shape and the dtype of x.

        Raises:
            RuntimeError: there was no `forward` yet.
            TypeError, ValueError: dy is no such array.

        Source: derived at the top of this file.
        """
        if self._saved is None:
            raise RuntimeError("expected a call of forward before backward, got none yet")
        x_hat, inv_std, gamma = self._saved
        check_dy(dy, x_hat.shape)
        dy = dy.astype(x_hat.dtype, copy=False)

        rows = x_hat.reshape(len(inv_std), -1)
        dx_hat = (gamma * dy).reshape(rows.shape)
        along = (dx_hat * rows).mean(1, keepdims=True)
        dx = inv_std * (dx_hat - dx_hat.mean(1, keepdims=True) - rows * along)

        if self.affine:
            shared = self._axes_that_share_gamma(dy.ndim)
            self.grad_gamma, self.grad_beta = (dy * x_hat).sum(shared), dy.sum(shared)
        return dx.reshape(dy.shape)

    def _gamma_and_beta_for(self, x: Array) -> tuple[Array | int, Array | int]:
        if not self.affine:
            return 1, 0
        shared = self._axes_that_share_gamma(x.ndim)
        gamma, beta = (np.expand_dims(v.astype(x.dtype), shared) for v in (self.gamma, self.beta))
        return gamma, beta

    def _values_in_a_row(self, x: Array) -> int:
        """Return m, at least 1; raise ValueError if x has a wrong shape or is empty."""
        raise NotImplementedError

    def _axes_that_share_gamma(self, ndim: int) -> tuple[int, ...]:
        raise NotImplementedError

    def __call__(self, x: Array) -> Array:
        """Return `forward(x)`."""
        return self.forward(x)


class LayerNorm(RowNorm):
    """Normalize each example, or each token, over the last axes of x, then scale and shift it.

        x_hat = (x - mu) / sqrt(var + eps)        y = gamma * x_hat + beta

    x has the shape (*, *normalized_shape); `mu` and the biased `var` are those of the m values
    under each of the leading indices, and every one of these m places has a gamma and a beta of its
    own. The numbers are those of `torch.nn.LayerNorm` with the same arguments.

    Args:
        normalized_shape: the sizes of the last axes, a tuple of positive ints; an int for one axis.
        eps: added to the variance, finite and > 0.
        affine: whether there are a gamma and a beta; if not, they and their gradients are None.

    Attributes:
        gamma, beta: scale and shift, of shape `normalized_shape`, float64, at first 1 and 0.
        grad_gamma, grad_beta: of the same shape, kept in the dtype of x; every `backward`
            overwrites them; None at first.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument is out of its range. A call of a method that raises an error leaves
            the layer as it was. A single value under a mean is refused, where PyTorch returns beta.

    Source: Ba, Kiros & Hinton (2016), "Layer Normalization", arXiv:1607.06450, equations 3 and 4.
    """

    def __init__(
        self, normalized_shape: int | Sequence[int], eps: float = 1e-5, affine: bool = True
    ) -> None:
        """Make a layer; the class describes the arguments."""
        given = normalized_shape if isinstance(normalized_shape, (tuple, list)) else None
        sizes = (normalized_shape,) if given is None else tuple(given)
        if not sizes:
            raise ValueError("expected normalized_shape to hold at least one size, got none")
        for size in sizes:
            check_positive_int("normalized_shape", size)
        self.normalized_shape = tuple(map(int, sizes))
        super().__init__(self.normalized_shape, eps, affine)

    def _values_in_a_row(self, x: Array) -> int:
        shape = self.normalized_shape
        if x.shape[-len(shape) :] != shape or x.size == 0:
            wanted = ", ".join(["*", *map(str, shape)])
            raise ValueError(f"expected x of shape ({wanted}), not empty, got {x.shape}")
        return math.prod(shape)

    def _axes_that_share_gamma(self, ndim: int) -> tuple[int, ...]:
        return tuple(range(ndim - len(self.normalized_shape)))

    def __repr__(self) -> str:
        """Return the call that makes such a layer."""
        return f"LayerNorm({self.normalized_shape}, eps={self.eps}, affine={self.affine})"


class GroupNorm(RowNorm):
    """Normalize groups of channels of each example, then scale and shift each channel.

        x_hat = (x - mu) / sqrt(var + eps)        y = gamma * x_hat + beta

    x has the shape (N, C) or (N, C, *spatial). The C channels are cut into groups of C / num_groups
    neighbours; `mu` and the biased `var` are those of the m = C / num_groups * prod(spatial) values
    of a group in one example. The numbers are those of `torch.nn.GroupNorm` with the same
    arguments.

    Args:
        num_groups: number of groups, from 1 to `num_features`, which it divides.
        num_features: number of channels C, at least 1.
        eps: added to the variance, finite and > 0.
        affine: whether there are a gamma and a beta; if not, they and their gradients are None.

    Attributes:
        gamma, beta: scale and shift, shape (C,), float64, at first 1 and 0.
        grad_gamma, grad_beta: shape (C,), kept in the dtype of x; every `backward` overwrites
            them; None at first.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an argument is out of its range. A call of a method that raises an error leaves
            the layer as it was. Groups of a single value are refused; for (N, C) and C groups
            PyTorch returns beta.

    Source: Wu & He (2018), "Group Normalization", arXiv:1803.08494, section 3.1.
    """

    def __init__(
        self, num_groups: int, num_features: int, eps: float = 1e-5, affine: bool = True
    ) -> None:
        """Make a layer; the class describes the arguments."""
        check_positive_int("num_groups", num_groups)
        check_positive_int("num_features", num_features)
        if num_features % num_groups:
            raise ValueError(
                f"expected num_groups to divide the {num_features} channels, got {num_groups}"
            )
        self.num_groups, self.num_features = int(num_groups), int(num_features)
        super().__init__((self.num_features,), eps, affine)

    def _values_in_a_row(self, x: Array) -> int:
        C = self.num_features
        if x.ndim < 2 or x.shape[1] != C or x.size == 0:
            shapes = f"(N, {C}) or (N, {C}, *spatial)"
            raise ValueError(f"expected x of shape {shapes}, not empty, got {x.shape}")
        return x.size // len(x) // self.num_groups

    def _axes_that_share_gamma(self, ndim: int) -> tuple[int, ...]:
        return (0, *range(2, ndim))

    def __repr__(self) -> str:
        """Return the call that makes such a layer."""
        return (
            f"GroupNorm({self.num_groups}, {self.num_features}, "
            f"eps={self.eps}, affine={self.affine})"
        )


class InstanceNorm(GroupNorm):
    """Normalize each channel of each example by itself: group normalization with C groups.

    x has the shape (N, C, *spatial), so that a channel of an example has m = prod(spatial) values.
    The numbers are those of `torch.nn.InstanceNorm1d`, `2d` and `3d` with the same arguments; as
    there, gamma and beta have to be asked for.

    Args:
        num_features: number of channels C, at least 1.
        eps: added to the variance, finite and > 0.
        affine: whether there are a gamma and a beta.

    Attributes, errors: those of `GroupNorm`.

    Source: Ulyanov, Vedaldi & Lempitsky (2016), "Instance Normalization: The Missing Ingredient for
    Fast Stylization", arXiv:1607.08022, section 2.
    """

    def __init__(self, num_features: int, eps: float = 1e-5, affine: bool = False) -> None:
        """Make a layer; the class describes the arguments."""
        check_positive_int("num_features", num_features)
        super().__init__(num_features, num_features, eps, affine)

    def __repr__(self) -> str:
        """Return the call that makes such a layer."""
        return f"InstanceNorm({self.num_features}, eps={self.eps}, affine={self.affine})"
