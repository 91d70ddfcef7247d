"""bnlib.numpy_bn: the numbers of PyTorch, right gradients, and clear words for a wrong input."""

import copy
import itertools
import math
import pickle
import re
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bnlib import numpy_bn
from bnlib.numpy_bn import BatchNorm
from tests.tools.gradients import batch, numerical_gradient, relative_error

SHAPES = [(7, 3), (2, 3), (5, 3, 4), (1, 3, 2), (4, 3, 2, 5), (2, 3, 2, 3, 2)]
OPTIONS = [
    {"momentum": momentum, "affine": affine, "track_running_stats": tracked, "eps": eps}
    for momentum, affine, tracked, eps in itertools.product(
        (0.1, 0.7, 0, 1, None), (True, False), (True, False), (1e-5, 0.1)
    )
]
TORCH = {2: torch.nn.BatchNorm1d, 3: torch.nn.BatchNorm1d, 4: torch.nn.BatchNorm2d}
TORCH[5] = torch.nn.BatchNorm3d
quick = settings(deadline=None, derandomize=True, max_examples=60)


def pair(shape, dtype=np.float64, **options):
    """bnlib's layer and PyTorch's, with the same gamma and beta, which are not 1 and 0."""
    ours = BatchNorm(shape[1], **options)
    theirs = TORCH[len(shape)](shape[1], dtype=getattr(torch, np.dtype(dtype).name), **options)
    if ours.affine:
        ours.gamma, ours.beta = batch(shape[1], 8), batch(shape[1], 9)
        with torch.no_grad():
            theirs.weight.copy_(torch.from_numpy(ours.gamma))
            theirs.bias.copy_(torch.from_numpy(ours.beta))
    return ours, theirs


def set_mode(mode, *layers):
    for layer in layers:
        getattr(layer, mode)()


def assert_same(ours, theirs, tolerance):
    """Arrays or numbers of bnlib and PyTorch agree, or both are None."""
    if theirs is None:
        assert ours is None
    else:
        theirs = theirs.detach().numpy()
        np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance)


def assert_same_step(ours, theirs, x, dy, tolerance):
    """One forward and backward of both, and everything that a user can see afterwards."""
    y, dx = ours(x), ours.backward(dy)
    theirs.zero_grad()
    x = torch.from_numpy(x).requires_grad_()
    their_y = theirs(x)
    their_y.backward(torch.from_numpy(dy))
    assert_same(y, their_y, tolerance)
    assert_same(dx, x.grad, tolerance)
    assert_same(ours.grad_gamma, theirs.weight.grad if ours.affine else None, tolerance)
    assert_same(ours.grad_beta, theirs.bias.grad if ours.affine else None, tolerance)
    assert_same(ours.running_mean, theirs.running_mean, tolerance)
    assert_same(ours.running_var, theirs.running_var, tolerance)
    assert_same(ours.num_batches_tracked, theirs.num_batches_tracked, 0)


def state(bn):
    """All that the layer holds, in a form that compares equal only if nothing has changed."""
    return pickle.dumps(vars(bn))


# The numbers of PyTorch


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_same_numbers_as_torch_in_every_mode_over_several_steps(shape, options):
    ours, theirs = pair(shape, **options)
    for step, mode in enumerate(["eval", "train", "train", "eval", "train", "eval"]):
        set_mode(mode, ours, theirs)
        x, dy = batch(shape, seed=step), batch(shape, seed=100 + step)
        assert_same_step(ours, theirs, x, dy, tolerance=1e-10)


@pytest.mark.parametrize("mode", ["train", "eval"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_same_numbers_as_torch_in_float32(shape, mode):
    ours, theirs = pair(shape, np.float32)
    set_mode(mode, ours, theirs)
    x, dy = batch(shape, dtype=np.float32), batch(shape, seed=1, dtype=np.float32)
    assert_same_step(ours, theirs, x, dy, tolerance=1e-4)


@pytest.mark.parametrize("mode", ["train", "eval"])
def test_nan_spreads_over_its_channel_as_in_torch(mode):
    ours, theirs = pair((6, 3))
    set_mode(mode, ours, theirs)
    x = batch((6, 3))
    x[2, 1] = np.nan
    assert_same_step(ours, theirs, x, batch((6, 3), seed=1), tolerance=1e-10)


def test_a_constant_channel_gives_beta():
    bn = BatchNorm(2)
    bn.beta = np.array([3.0, -1.0])
    y = bn(np.full((4, 2), 7.0))
    assert np.array_equal(y, np.broadcast_to(bn.beta, (4, 2)))


def test_worked_example():
    """1, 2, 3, 4, 5: mu = 3, var = 2 (unbiased 2.5); without eps worth mentioning."""
    bn = BatchNorm(1, eps=1e-12, momentum=0.1)
    y = bn(np.arange(1.0, 6.0).reshape(5, 1))
    assert np.allclose(y[:, 0], np.array([-2, -1, 0, 1, 2]) / math.sqrt(2))
    assert np.allclose(bn.running_mean, 0.1 * 3)
    assert np.allclose(bn.running_var, 0.9 * 1 + 0.1 * 2.5)


def test_momentum_none_is_the_mean_over_the_batches():
    bn = BatchNorm(3, momentum=None)
    batches = [batch((6, 3), seed, mean=seed) for seed in range(5)]
    for x in batches:
        bn(x)
    assert np.allclose(bn.running_mean, np.mean([x.mean(0) for x in batches], axis=0))
    assert np.allclose(bn.running_var, np.mean([x.var(0, ddof=1) for x in batches], axis=0))


# Precision


@pytest.mark.parametrize("shape", [(256, 8), (100_000, 2), (64, 8, 14, 14), (2, 2, 200_000)])
def test_float32_around_10_000(shape):
    x = batch(shape, dtype=np.float32, mean=10_000, std=1)
    dy = batch(shape, seed=1, dtype=np.float32, mean=0, std=1)
    in_float32, in_float64 = BatchNorm(shape[1], momentum=1), BatchNorm(shape[1], momentum=1)
    # float32 has no mean closer to 10 000 than half of 1/1024.
    y, y64 = in_float32(x), in_float64(x.astype(np.float64))
    assert np.abs(y - y64).max() < 1e-3
    dx, dx64 = in_float32.backward(dy), in_float64.backward(dy.astype(np.float64))
    assert np.abs(dx - dx64).max() < 1e-3
    assert np.allclose(in_float32.running_mean, in_float64.running_mean, rtol=1e-9)
    assert np.allclose(in_float32.running_var, in_float64.running_var, rtol=1e-4)


@pytest.mark.parametrize("shape", [(60, 100), (256, 512), (64, 8, 14, 14)], ids=str)
def test_float32_is_precise(shape):
    """Within 1e-6 of the largest value, eight units in its last place, of the float64 result."""
    x, dy = batch(shape, dtype=np.float32), batch(shape, seed=1, dtype=np.float32)
    in_float32, in_float64 = BatchNorm(shape[1]), BatchNorm(shape[1])
    y, y64 = in_float32(x), in_float64(x.astype(np.float64))
    dx, dx64 = in_float32.backward(dy), in_float64.backward(dy.astype(np.float64))
    assert np.abs(y - y64).max() < 1e-6 * np.abs(y64).max()
    assert np.abs(dx - dx64).max() < 1e-6 * np.abs(dx64).max()


@pytest.mark.parametrize("shape", [(1_000_000, 2), (1, 2, 1_000_000), (1000, 2, 1000)], ids=str)
def test_float32_of_a_million_values_per_channel(shape):
    """A float32 sum of a million squares would make y wrong by 2e-4."""
    x = batch(shape, dtype=np.float32)
    in_float32, in_float64 = BatchNorm(2, momentum=1), BatchNorm(2, momentum=1)
    y, y64 = in_float32(x), in_float64(x.astype(np.float64))
    assert np.abs(y - y64).max() < 1e-5
    assert np.allclose(in_float32.running_mean, in_float64.running_mean, rtol=1e-9)
    assert np.allclose(in_float32.running_var, in_float64.running_var, rtol=1e-7)


# Gradients: the derivation in the docstring, and finite differences


def test_the_derivation_at_the_top_of_the_file():
    """Its lines are run as they stand there, for one channel."""
    lines = re.findall(r"^ {4}(\w+ = .*)$", numpy_bn.__doc__, re.MULTILINE)
    names = [line.split()[0] for line in lines]
    assert names == ["dx_hat", "dvar", "dmu", "dx", "dbeta", "dgamma", "dx"]
    bn, m = BatchNorm(1), 8
    bn.gamma, bn.beta = np.array([3.0]), np.array([-1.0])
    x, dy = batch((m, 1)), batch((m, 1), seed=1)
    bn(x)
    dx = bn.backward(dy)[:, 0]

    x, mu, var = x[:, 0], x.mean(), x.var()
    inv_std = 1 / np.sqrt(var + bn.eps)
    values = {"x": x, "dy": dy[:, 0], "mu": mu, "inv_std": inv_std, "gamma": bn.gamma[0], "m": m}
    values["x_hat"] = (x - mu) * inv_std
    found = []
    for name, line in zip(names, lines, strict=True):
        exec(line, values)
        found.append(values[name])
    four_lines, combined = found[3], found[-1]
    assert relative_error(four_lines, dx) < 1e-13
    assert relative_error(combined, dx) < 1e-13
    assert relative_error(values["dbeta"], bn.grad_beta[0]) < 1e-13
    assert relative_error(values["dgamma"], bn.grad_gamma[0]) < 1e-13


@pytest.mark.parametrize("mode", ["train", "eval"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_gradients_agree_with_finite_differences(shape, mode):
    bn, _ = pair(shape)
    bn(batch(shape, seed=5))  # running averages of an earlier batch
    set_mode(mode, bn)
    x, dy = batch(shape), batch(shape, seed=1)
    dy[0] *= 3  # or dx would be tiny for two values per channel
    bn(x)
    dx = bn.backward(dy)

    def loss():
        return (copy.deepcopy(bn)(x) * dy).sum()

    if math.prod(shape) > 2 * shape[1] or mode == "eval":
        assert relative_error(dx, numerical_gradient(loss, x)) < 1e-7
    assert relative_error(bn.grad_gamma, numerical_gradient(loss, bn.gamma)) < 1e-7
    assert relative_error(bn.grad_beta, numerical_gradient(loss, bn.beta)) < 1e-7


@pytest.mark.parametrize("m", [5, 60, 500])
def test_the_gradient_check_would_catch_the_wrong_divisor(m):
    """m - 1 for m in the two subtracted terms: the check of a tolerance of 1e-7 is strict."""
    bn, x, dy = BatchNorm(1), batch((m, 1)), batch((m, 1), seed=1)
    x_hat = bn(x)
    wrong = dy - (dy.sum() + x_hat * (dy * x_hat).sum()) / (m - 1)
    wrong /= np.sqrt(x.var() + bn.eps)
    numerical = numerical_gradient(lambda: (bn(x) * dy).sum(), x)
    bn(x)
    assert relative_error(bn.backward(dy), numerical) < 1e-7
    assert relative_error(wrong, numerical) > 1e-5


# Calls in every order


def test_the_mode_of_the_forward_pass_decides_the_gradient():
    x, dy = batch((6, 3)), batch((6, 3), seed=1)
    bn = BatchNorm(3)
    bn(x)
    expected = bn.backward(dy)
    bn.eval()
    assert np.array_equal(bn.backward(dy), expected)


def test_backward_belongs_to_the_latest_forward_and_can_be_repeated():
    dy = batch((6, 3), seed=1)
    bn, alone = BatchNorm(3), BatchNorm(3)
    bn(batch((6, 3), seed=2))
    bn(batch((6, 3), seed=3))
    alone(batch((6, 3), seed=3))
    expected = alone.backward(dy)
    for _ in range(2):
        assert np.array_equal(bn.backward(dy), expected)
        assert np.array_equal(bn.grad_gamma, alone.grad_gamma)


def test_what_the_caller_changes_afterwards_does_not_reach_backward():
    dy = batch((6, 3), seed=1)
    for affine in (True, False):
        bn, alone = BatchNorm(3, affine=affine), BatchNorm(3, affine=affine)
        alone(batch((6, 3)))
        x = batch((6, 3))
        y = bn(x)
        x[:] = y[:] = 0
        if affine:
            bn.gamma *= 5
        assert np.array_equal(bn.backward(dy), alone.backward(dy))


def test_eval_does_not_change_the_running_averages():
    bn = BatchNorm(3)
    bn(batch((6, 3)))
    before = bn.running_mean.copy(), bn.running_var.copy(), bn.num_batches_tracked
    bn.eval()
    bn(batch((6, 3), seed=1))
    assert np.array_equal(bn.running_mean, before[0])
    assert np.array_equal(bn.running_var, before[1])
    assert bn.num_batches_tracked == before[2] == 1


def test_train_and_eval_return_the_layer():
    bn = BatchNorm(3)
    assert bn.training is True
    assert bn.eval() is bn and bn.training is False
    assert bn.train() is bn and bn.training is True


def test_a_history_of_running_averages_needs_no_copies():
    bn = BatchNorm(3)
    history = []
    for seed in range(3):
        bn(batch((6, 3), seed))
        history.append(bn.running_mean)
    assert not np.array_equal(history[0], history[2])


# Arrays


@pytest.mark.parametrize("options", [{}, {"affine": False}], ids=str)
@pytest.mark.parametrize("mode", ["train", "eval"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_results_have_the_dtype_of_x_and_arguments_do_not_change(shape, dtype, mode, options):
    bn = BatchNorm(shape[1], **options)
    set_mode(mode, bn)
    x, dy = batch(shape, dtype=dtype), batch(shape, seed=1, dtype=dtype)
    x.flags.writeable = dy.flags.writeable = False
    before = x.copy(), dy.copy()
    y, dx = bn(x), bn.backward(dy)
    assert y.dtype == dx.dtype == dtype
    assert y.shape == dx.shape == shape
    assert np.array_equal(x, before[0]) and np.array_equal(dy, before[1])
    assert not any(np.shares_memory(a, b) for a in (y, dx) for b in (x, dy))
    y[:] = dx[:] = 0  # they are the caller's own


def test_dy_of_the_other_precision_gives_dx_in_the_dtype_of_x():
    bn = BatchNorm(3)
    bn(batch((6, 3), dtype=np.float32))
    assert bn.backward(batch((6, 3), seed=1)).dtype == np.float32


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(6, 3), (6, 3, 4)], ids=str)
def test_gradients_of_gamma_and_beta_have_the_dtype_of_x(shape, dtype):
    bn = BatchNorm(3)
    bn(batch(shape, dtype=dtype))
    for dtype_of_dy in (np.float32, np.float64):
        bn.backward(batch(shape, seed=1, dtype=dtype_of_dy))
        assert bn.grad_gamma.dtype == bn.grad_beta.dtype == dtype
    assert bn.gamma.dtype == bn.beta.dtype == np.float64
    assert bn.running_mean.dtype == bn.running_var.dtype == np.float64


@pytest.mark.parametrize(
    "view",
    [
        np.asfortranarray,
        lambda a: a[::2],
        lambda a: a[:, :, ::-1],
        lambda a: np.swapaxes(a, 0, 2),
        lambda a: np.moveaxis(a, 1, -1),
        lambda a: np.broadcast_to(a[:1], a.shape),
    ],
)
def test_the_layout_in_memory_does_not_matter(view):
    x, dy = view(batch((4, 4, 4, 6))), view(batch((4, 4, 4, 6), seed=1))
    bn, plain = BatchNorm(x.shape[1]), BatchNorm(x.shape[1])
    assert np.allclose(bn(x), plain(x.copy(order="C")), rtol=1e-12, atol=1e-12)
    expected = plain.backward(dy.copy(order="C"))
    assert np.allclose(bn.backward(dy), expected, rtol=1e-12, atol=1e-12)


# Wrong input


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"num_features": 0}, ValueError, "num_features.*at least 1.*got 0"),
        ({"num_features": -3}, ValueError, "num_features.*at least 1.*got -3"),
        ({"num_features": 3.0}, TypeError, "num_features to be an int, got 3.0"),
        ({"num_features": "3"}, TypeError, "num_features.*got '3'"),
        ({"num_features": True}, TypeError, "num_features.*got True"),
        ({"num_features": np.True_}, TypeError, "num_features.*True"),
        ({"num_features": None}, TypeError, "num_features.*got None"),
        ({"eps": 0}, ValueError, "eps.*> 0.*got 0"),
        ({"eps": -1e-5}, ValueError, "eps.*> 0.*got -1e-05"),
        ({"eps": math.inf}, ValueError, "eps.*finite.*got inf"),
        ({"eps": math.nan}, ValueError, "eps.*finite.*got nan"),
        ({"eps": "1e-5"}, TypeError, "eps.*got '1e-5'"),
        ({"eps": None}, TypeError, "eps to be a number, got None"),
        ({"eps": True}, TypeError, "eps.*got True"),
        ({"momentum": -0.1}, ValueError, "momentum.*got -0.1"),
        ({"momentum": 1.1}, ValueError, "momentum.*got 1.1"),
        ({"momentum": math.nan}, ValueError, "momentum.*got nan"),
        ({"momentum": math.inf}, ValueError, "momentum.*got inf"),
        ({"momentum": "0.1"}, TypeError, "momentum.*got '0.1'"),
        ({"momentum": np.False_}, TypeError, "momentum.*False"),
        ({"momentum": 1j}, TypeError, "momentum.*1j"),
    ],
    ids=str,
)
def test_wrong_arguments(arguments, error, words):
    with pytest.raises(error, match=words):
        BatchNorm(**{"num_features": 3, **arguments})


def test_numbers_of_numpy_are_welcome():
    bn = BatchNorm(np.uint8(200), np.float32(1e-3), np.float64(0.5), np.True_, np.False_)
    plain = BatchNorm(200, float(np.float32(1e-3)), 0.5, True, False)
    x = batch((600, 200))
    assert np.array_equal(bn(x), plain(x))
    assert repr(bn) == repr(plain)


def test_repr_is_the_call_that_makes_the_layer():
    expected = "BatchNorm(3, eps=1e-05, momentum=None, affine=True, track_running_stats=False)"
    assert repr(BatchNorm(3, momentum=None, track_running_stats=False)) == expected
    assert repr(eval(expected)) == expected


WRONG_INPUTS = [
    (np.ones(3), ValueError, r"shape \(N, 3\).*got \(3,\)"),
    (np.array(1.0), ValueError, r"shape \(N, 3\).*got \(\)"),
    (np.ones((4, 5)), ValueError, r"shape \(N, 3\).*got \(4, 5\)"),
    (np.ones((3, 4)), ValueError, r"shape \(N, 3\).*got \(3, 4\)"),
    (np.ones((4, 5, 3)), ValueError, r"got \(4, 5, 3\)"),
    (np.ones((0, 3)), ValueError, r"not empty.*got \(0, 3\)"),
    (np.ones((4, 3, 0)), ValueError, r"not empty.*got \(4, 3, 0\)"),
    (np.ones((4, 3), int), TypeError, "float32 or float64.*got int"),
    (np.ones((4, 3), bool), TypeError, "float32 or float64.*got bool"),
    (np.ones((4, 3), complex), TypeError, "float32 or float64.*got complex128"),
    (np.ones((4, 3), object), TypeError, "float32 or float64.*got object"),
    (np.ones((4, 3), np.float16), TypeError, "float32 or float64.*got float16"),
    ([[1.0, 2.0, 3.0]] * 2, TypeError, "NumPy array.*got list"),
    (torch.ones(4, 3), TypeError, "NumPy array.*got Tensor"),
    (None, TypeError, "NumPy array.*got NoneType"),
]
ONE_VALUE = [
    (np.ones((1, 3)), ValueError, r"more than one value per channel.*got.*\(1, 3\)"),
    (np.ones((1, 3, 1, 1)), ValueError, r"more than one value per channel.*\(1, 3, 1, 1\)"),
]


def assert_refused(bn, call, error, words):
    before = state(bn)
    with pytest.raises(error, match=words):
        call()
    assert state(bn) == before


@pytest.mark.parametrize("mode", ["train", "eval"])
@pytest.mark.parametrize("momentum", [0.1, None])
@pytest.mark.parametrize(("x", "error", "words"), WRONG_INPUTS)
def test_wrong_input_is_refused_and_changes_nothing(x, error, words, momentum, mode):
    bn = BatchNorm(3, momentum=momentum)
    bn(batch((4, 3)))
    dx = bn.backward(batch((4, 3), seed=1))
    set_mode(mode, bn)
    assert_refused(bn, lambda: bn(x), error, words)
    assert np.array_equal(bn.backward(batch((4, 3), seed=1)), dx)


@pytest.mark.parametrize(("x", "error", "words"), ONE_VALUE)
def test_one_value_per_channel_is_refused_where_it_needs_a_variance(x, error, words):
    bn = BatchNorm(3)
    assert_refused(bn, lambda: bn(x), error, words)
    untracked = BatchNorm(3, track_running_stats=False).eval()  # as in PyTorch
    assert_refused(untracked, lambda: untracked(x), error, words)
    assert bn.eval()(x).shape == x.shape


@pytest.mark.parametrize(
    ("dy", "error", "words"),
    [
        (np.ones((3, 4)), ValueError, r"\(4, 3\), got \(3, 4\)"),
        (np.ones((1, 3)), ValueError, r"\(4, 3\), got \(1, 3\)"),
        (np.ones((4, 3, 1)), ValueError, r"\(4, 3\), got \(4, 3, 1\)"),
        (np.ones((4, 3), int), TypeError, "dy.*float32 or float64.*got int"),
        (1.0, TypeError, "dy.*got float"),
    ],
    ids=str,
)
def test_wrong_dy_is_refused_and_changes_nothing(dy, error, words):
    bn = BatchNorm(3)
    bn(batch((4, 3)))
    bn.backward(batch((4, 3), seed=1))
    assert_refused(bn, lambda: bn.backward(dy), error, words)


def test_backward_before_forward():
    bn = BatchNorm(3)
    assert_refused(bn, lambda: bn.backward(np.ones((4, 3))), RuntimeError, "forward before")
    with pytest.raises(ValueError):
        bn(np.ones((1, 3)))
    assert_refused(bn, lambda: bn.backward(np.ones((1, 3))), RuntimeError, "forward before")


# Properties


DY_SEED = 1000  # none that a layer or its batch is drawn from


@st.composite
def layers_and_batches(draw):
    n, c, spatial = draw(st.integers(2, 9)), draw(st.integers(1, 4)), draw(st.integers(1, 4))
    shape = draw(st.sampled_from([(n, c), (n, c, spatial), (n, c, spatial, 2)]))
    bn = BatchNorm(c, eps=draw(st.sampled_from([1e-8, 1e-5, 1e-2, 1.0])))
    seed = draw(st.integers(0, DY_SEED - 3))
    bn.gamma, bn.beta = batch(c, seed + 1), batch(c, seed + 2)
    mean, std = draw(st.floats(-1e3, 1e3)), draw(st.floats(1e-3, 1e3))
    return bn, batch(shape, seed, mean=mean, std=std)


def per_channel(a):
    """(N, C, *spatial) as (C, m)."""
    return np.moveaxis(a, 1, 0).reshape(a.shape[1], -1)


def largest_slope(bn, x):
    return np.abs(bn.gamma / np.sqrt(per_channel(x).var(1) + bn.eps)).max()


@quick
@given(layers_and_batches())
def test_output_has_mean_beta_and_variance_gamma2_var_over_var_plus_eps(case):
    bn, x = case
    y, var = per_channel(bn(x)), per_channel(x).var(1)
    assert np.allclose(y.mean(1), bn.beta, atol=1e-9)
    assert np.allclose(y.var(1), bn.gamma**2 * var / (var + bn.eps), rtol=1e-7)


@quick
@given(layers_and_batches(), st.floats(-100, 100), st.floats(0.1, 10))
def test_shift_and_scale_of_the_input_do_not_matter_up_to_eps(case, shift, scale):
    bn, x = case
    y = bn(x)
    bn.eps *= scale**2  # with which the invariance is exact
    assert np.allclose(bn(scale * x + shift), y, rtol=1e-6, atol=1e-6)


@quick
@given(layers_and_batches(), st.randoms(use_true_random=False))
def test_a_permuted_batch_gives_the_permuted_output_and_gradient(case, random):
    bn, x = case
    dy = batch(x.shape, seed=DY_SEED)
    order = random.sample(range(len(x)), len(x))
    y, dx = bn(x), bn.backward(dy)
    assert np.allclose(bn(x[order]), y[order], rtol=1e-8, atol=1e-8)
    size = largest_slope(bn, x) * np.abs(dy).max()
    assert np.allclose(bn.backward(dy[order]), dx[order], rtol=0, atol=1e-8 * size)


@quick
@given(layers_and_batches())
def test_the_gradient_is_orthogonal_to_shifts_and_nearly_to_scalings_of_the_input(case):
    """Since y does not change with them: sum(dx) = 0, sum(dx * x_hat) = 0 as eps goes to 0."""
    bn, x = case
    bn.eps = 1e-300
    bn(x)
    dx = per_channel(bn.backward(batch(x.shape, seed=DY_SEED)))
    x_hat = per_channel(x) - per_channel(x).mean(1, keepdims=True)
    x_hat /= x_hat.std(1, keepdims=True)
    assert np.abs(dx.sum(1)).max() < 1e-6 * largest_slope(bn, x)
    assert np.abs((dx * x_hat).sum(1)).max() < 1e-6 * largest_slope(bn, x)


@quick
@given(layers_and_batches())
def test_gamma_std_and_beta_mean_give_the_input_back(case):
    """Ioffe & Szegedy (2015), section 3: the identity can be represented."""
    bn, x = case
    bn.gamma = np.sqrt(per_channel(x).var(1) + bn.eps)
    bn.beta = per_channel(x).mean(1)
    assert np.allclose(bn(x), x, rtol=1e-9, atol=1e-9)


def test_torch_is_not_loaded():
    code = "import sys, bnlib.numpy_bn; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
