"""Layer and group normalization as students write them, right and wrong."""

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given, settings

from bnlib import numpy_norms
from bnlib.exercises.other_norms import (
    GROUP_SLIPS,
    LAYER_SLIPS,
    check_group_norm,
    check_layer_norm,
)
from tests.exercises.student import named, written

LAYER = """
def layer_norm(x, gamma, beta, eps, dy):
    axes = -1
    mu = x.mean(axis=axes, keepdims=True)
    var = x.var(axis=axes, keepdims=True)
    sigma = np.sqrt(var + eps)
    x_hat = (x - mu) / sigma
    y = gamma * x_hat + beta
    g = gamma * dy
    through_mu = g.mean(axis=axes, keepdims=True)
    through_var = x_hat * (g * x_hat).mean(axis=axes, keepdims=True)
    dx = (g - through_mu - through_var) / sigma
    over = tuple(range(x.ndim - 1))
    dgamma = (dy * x_hat).sum(axis=over)
    dbeta = dy.sum(axis=over)
    return y, dx, dgamma, dbeta
"""
LAYER_LOOP = """
def layer_norm(x, gamma, beta, eps, dy):
    y, dx = np.zeros_like(x), np.zeros_like(x)
    dgamma, dbeta = np.zeros_like(gamma), np.zeros_like(beta)
    for i in np.ndindex(x.shape[:-1]):
        row, d = x[i], len(x[i])
        mu = sum(row) / d
        inv = 1 / np.sqrt(sum((row - mu) ** 2) / d + eps)
        hat = (row - mu) * inv
        y[i] = gamma * hat + beta
        dhat = dy[i] * gamma
        dvar = (dhat * (row - mu)).sum() * -0.5 * inv ** 3
        dmu = -(dhat * inv).sum()
        dx[i] = dhat * inv + dvar * 2 * (row - mu) / d + dmu / d
        dgamma += dy[i] * hat
        dbeta += dy[i]
    return y, dx, dgamma, dbeta
"""
TRANSPOSED = """
def layer_norm(x, gamma, beta, eps, dy):
    z, dz = x.reshape(-1, x.shape[-1]).T, dy.reshape(-1, x.shape[-1]).T
    d, inv = len(z), 1 / np.sqrt(z.var(0) + eps)
    hat = (z - z.mean(0)) * inv
    g = gamma[:, None] * dz
    dx = inv / d * (d * g - g.sum(0) - hat * (g * hat).sum(0))
    y = gamma[:, None] * hat + beta[:, None]
    return [y.T.reshape(x.shape), dx.T.reshape(x.shape), (dz * hat).sum(1), dz.sum(1)]
"""


def layer_library(x, gamma, beta, eps, dy):
    norm = numpy_norms.LayerNorm(x.shape[-1], eps=eps)
    norm.gamma, norm.beta = gamma, beta
    y = norm(x)
    return y, norm.backward(dy), norm.grad_gamma, norm.grad_beta


LAYER_RIGHT = {
    "vectorized": written(LAYER),
    "a loop": written(LAYER_LOOP),
    "transposed": written(TRANSPOSED),
    "the library": layer_library,
}


@pytest.mark.parametrize("style", LAYER_RIGHT)
def test_every_right_layer_norm_is_right(style):
    finding = check_layer_norm(LAYER_RIGHT[style])
    assert finding.right, finding


VAR, SIGMA, AXES = "x.var(axis=axes, keepdims=True)", "np.sqrt(var + eps)", "axes = -1"
Y, G, DX = "gamma * x_hat + beta", "g = gamma * dy", "(g - through_mu - through_var) / sigma"
DGAMMA, DBETA, OVER = "(dy * x_hat).sum(axis=over)", "dy.sum(axis=over)", "tuple(range(x.ndim - 1))"
COLUMN = "(-1, *[1] * (x.ndim - 1))"

LAYER_WRONG = {
    "statistics of each column, over the batch": [(AXES, "axes = tuple(range(x.ndim - 1))")],
    "statistics over the positions of a sequence, too": [(AXES, "axes = tuple(range(1, x.ndim))")],
    "one mean and one variance for the whole array": [(AXES, "axes = None")],
    "statistics over axis 1": [(AXES, "axes = 1")],
    "D - 1 in the variance": [(VAR, "x.var(axis=axes, ddof=1, keepdims=True)")],
    "the mean is not subtracted in the variance": [
        (VAR, "(x ** 2).mean(axis=axes, keepdims=True)")
    ],
    "eps outside the root": [(SIGMA, "np.sqrt(var) + eps")],
    "eps forgotten": [(SIGMA, "np.sqrt(var)")],
    "the root forgotten": [(SIGMA, "(var + eps)")],
    "one gamma and one beta for each example": [
        (Y, f"gamma.reshape{COLUMN} * x_hat + beta.reshape{COLUMN}")
    ],
    "gamma and beta forgotten": [(Y, "x_hat")],
    "gamma and beta exchanged": [(Y, "beta * x_hat + gamma")],
    "gamma in front of the bracket": [(G, "g = dy"), (DX, "gamma * " + DX)],
    "gamma is missing from dx": [(G, "g = dy")],
    "the path through the mean is missing": [(DX, "(g - through_var) / sigma")],
    "the path through the variance is missing": [(DX, "(g - through_mu) / sigma")],
    "the paths through mean and variance are missing": [(DX, "g / sigma")],
    "the gradients of gamma and beta are summed along the rows": [(OVER, "x.ndim - 1")],
    "the gradients of gamma and beta are summed over the examples alone": [(OVER, "0")],
    "means where the gradients of gamma and beta are sums": [
        (DGAMMA, "(dy * x_hat).mean(axis=over)"),
        (DBETA, "dy.mean(axis=over)"),
    ],
    "x_hat is missing from dgamma": [(DGAMMA, "dy.sum(axis=over)")],
    "gamma in its own gradient": [(DGAMMA, "(g * x_hat).sum(axis=over)")],
}


@pytest.mark.parametrize("slip", LAYER_WRONG)
def test_a_slip_of_layer_norm_is_named(slip):
    assert named(check_layer_norm(written(LAYER, *LAYER_WRONG[slip]))) == {slip}


def test_every_known_slip_of_layer_norm_is_tested():
    assert [slip.name for slip in LAYER_SLIPS] == [*LAYER_WRONG]


GROUP = """
def group_norm(x, gamma, beta, groups, eps):
    n, c, h, w = x.shape
    grouped = x.reshape(n, groups, c // groups, h, w)
    axes = (2, 3, 4)
    mu = grouped.mean(axis=axes, keepdims=True)
    var = grouped.var(axis=axes, keepdims=True)
    x_hat = (grouped - mu) / np.sqrt(var + eps)
    x_hat = x_hat.reshape(x.shape)
    scale = gamma.reshape(1, -1, 1, 1)
    shift = beta.reshape(1, -1, 1, 1)
    return scale * x_hat + shift
"""
GROUP_LOOP = """
def group_norm(x, gamma, beta, groups, eps):
    y, size = np.zeros_like(x), x.shape[1] // groups
    for image in range(len(x)):
        for first in range(0, x.shape[1], size):
            members = slice(first, first + size)
            values = x[image, members]
            inv = 1 / np.sqrt(values.var() + eps)
            y[image, members] = (values - values.mean()) * inv
            y[image, members] *= gamma[members, None, None]
            y[image, members] += beta[members, None, None]
    return y
"""
GROUP_ROWS = """
def group_norm(x, gamma, beta, groups, eps):
    rows = x.reshape(len(x) * groups, -1)
    rows = rows - rows.mean(1)[:, None]
    rows = rows * (np.square(rows).mean(1) + eps)[:, None] ** -0.5
    return np.einsum("nchw,c->nchw", rows.reshape(x.shape), gamma) + beta[:, None, None]
"""


def group_library(x, gamma, beta, groups, eps):
    norm = numpy_norms.GroupNorm(groups, x.shape[1], eps=eps)
    norm.gamma, norm.beta = gamma, beta
    return norm(x)


def torchs(x, gamma, beta, groups, eps):
    tensors = map(torch.tensor, (gamma, beta))
    return torch.nn.functional.group_norm(torch.tensor(x), groups, *tensors, eps=eps).numpy()


GROUP_RIGHT = {
    "vectorized": written(GROUP),
    "a loop": written(GROUP_LOOP),
    "rows": written(GROUP_ROWS),
    "the library": group_library,
    "torch": torchs,
}


@pytest.mark.parametrize("style", GROUP_RIGHT)
def test_every_right_group_norm_is_right(style):
    finding = check_group_norm(GROUP_RIGHT[style])
    assert finding.right, finding


SPLIT, GROUP_AXES = "x.reshape(n, groups, c // groups, h, w)", "axes = (2, 3, 4)"
ROOT, GROUP_VAR = "np.sqrt(var + eps)", "grouped.var(axis=axes, keepdims=True)"
SCALE, SHIFT = "gamma.reshape(1, -1, 1, 1)", "beta.reshape(1, -1, 1, 1)"
OF_GROUP = "np.repeat({}[:groups], c // groups).reshape(1, -1, 1, 1)"
RETURN = "return scale * x_hat + shift"

GROUP_WRONG = {
    "the channels of a group are not neighbours": [
        (SPLIT, "x.reshape(n, c // groups, groups, h, w)"),
        (GROUP_AXES, "axes = (1, 3, 4)"),
    ],
    "groups is taken for the channels of a group": [(SPLIT, "x.reshape(n, -1, groups, h, w)")],
    "statistics over the batch, too": [(GROUP_AXES, "axes = (0, 2, 3, 4)")],
    "spatial positions left out": [(GROUP_AXES, "axes = 2")],
    "statistics of each channel": [(GROUP_AXES, "axes = (3, 4)")],
    "the groups are ignored": [(GROUP_AXES, "axes = (1, 2, 3, 4)")],
    "batch normalization": [(GROUP_AXES, "axes = (0, 3, 4)")],
    "m - 1 in the variance": [(GROUP_VAR, "grouped.var(axis=axes, ddof=1, keepdims=True)")],
    "eps outside the root": [(ROOT, "(np.sqrt(var) + eps)")],
    "eps forgotten": [(ROOT, "np.sqrt(var)")],
    "the root forgotten": [(ROOT, "(var + eps)")],
    "one gamma and one beta for each group": [
        (SCALE, OF_GROUP.format("gamma")),
        (SHIFT, OF_GROUP.format("beta")),
    ],
    "gamma and beta lie along the width": [(SCALE, "gamma"), (SHIFT, "beta")],
    "one gamma and one beta for each image": [
        (SCALE, "gamma.reshape(-1, 1, 1, 1)"),
        (SHIFT, "beta.reshape(-1, 1, 1, 1)"),
    ],
    "gamma and beta forgotten": [(RETURN, "return x_hat")],
    "gamma and beta exchanged": [(RETURN, "return shift * x_hat + scale")],
}


@pytest.mark.parametrize("slip", GROUP_WRONG)
def test_a_slip_of_group_norm_is_named(slip):
    assert named(check_group_norm(written(GROUP, *GROUP_WRONG[slip]))) == {slip}


def test_every_known_slip_of_group_norm_is_tested():
    assert [slip.name for slip in GROUP_SLIPS] == [*GROUP_WRONG]


def test_slips_made_together_are_all_named():
    slips = "eps outside the root", "gamma and beta exchanged"
    edits = [edit for slip in slips for edit in GROUP_WRONG[slip]]
    assert named(check_group_norm(written(GROUP, *edits))) == {*slips}


def test_what_is_not_written_yet():
    assert check_layer_norm(lambda x, gamma, beta, eps, dy: ...).says.startswith("Not written yet")
    assert check_group_norm(lambda x, gamma, beta, groups, eps: None).says.startswith("Not written")


def test_x_must_stay_as_it_is():
    changed = written(GROUP, (RETURN, "x -= 1; " + RETURN))
    assert "x changed in place" in check_group_norm(changed).says


@settings(max_examples=12, deadline=None, derandomize=True)
@given(st.sampled_from(["mu", "var", "y", "g", "dx", "dgamma", "dbeta"]), st.floats(1e-3, 1))
def test_a_term_a_thousandth_too_large_is_never_right(term, size):
    line = next(line for line in LAYER.splitlines() if line.startswith(f"    {term} = "))
    wrong = written(LAYER, (line, f"{line}; {term} = {1 + size} * {term}"))
    assert check_layer_norm(wrong).says.startswith("Not yet: ")


def test_the_right_ones_agree_with_torch():
    rng = np.random.default_rng(3)
    x, dy, (gamma, beta) = (
        rng.normal(size=(2, 3, 5)),
        rng.normal(size=(2, 3, 5)),
        rng.normal(size=(2, 5)),
    )
    tensors = [torch.tensor(a, requires_grad=True) for a in (x, gamma, beta)]
    out = torch.nn.functional.layer_norm(tensors[0], (5,), *tensors[1:], eps=1e-3)
    out.backward(torch.tensor(dy))
    expected = [out.detach(), *(tensor.grad for tensor in tensors)]
    for one, other in zip(written(LAYER)(x, gamma, beta, 1e-3, dy), expected, strict=True):
        assert np.allclose(one, other.numpy())
