"""bnlib.numpy_norms: the numbers of PyTorch, right gradients, and clear words for a wrong input."""

import copy
import math
import pickle
import re
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bnlib import numpy_norms
from bnlib.numpy_bn import BatchNorm
from bnlib.numpy_norms import GroupNorm, InstanceNorm, LayerNorm
from tests.tools.gradients import batch, numerical_gradient, relative_error

INSTANCE = {3: torch.nn.InstanceNorm1d, 4: torch.nn.InstanceNorm2d, 5: torch.nn.InstanceNorm3d}
CASES = [  # a kind of norm, its arguments, and a shape of x
    (LayerNorm, (3,), (7, 3)),
    (LayerNorm, ((3,),), (3,)),
    (LayerNorm, (5,), (2, 4, 5)),
    (LayerNorm, ((4, 5),), (2, 4, 5)),
    (LayerNorm, ([3, 2, 5],), (4, 3, 2, 5)),
    (LayerNorm, ((1, 4),), (2, 3, 1, 4)),
    (GroupNorm, (1, 4), (5, 4)),
    (GroupNorm, (2, 6), (1, 6)),
    (GroupNorm, (3, 6), (4, 6, 5)),
    (GroupNorm, (6, 6), (4, 6, 2, 3)),
    (GroupNorm, (1, 3), (2, 3, 2, 3, 2)),
    (InstanceNorm, (3,), (5, 3, 4)),
    (InstanceNorm, (3,), (1, 3, 2, 5)),
    (InstanceNorm, (2,), (2, 2, 2, 1, 3)),
]
cases = pytest.mark.parametrize(("kind", "arguments", "shape"), CASES)
quick = settings(deadline=None, derandomize=True, max_examples=60)


def layer(kind, arguments, **options):
    """A layer with a gamma and a beta, if it has them, that are not 1 and 0."""
    norm = kind(*arguments, **options)
    if norm.affine:
        norm.gamma, norm.beta = batch(norm.gamma.shape, 8), batch(norm.gamma.shape, 9)
    return norm


def theirs_like(ours, ndim, dtype=np.float64):
    """PyTorch's layer with the arguments, the gamma and the beta of ours."""
    options = {"eps": ours.eps, "dtype": getattr(torch, np.dtype(dtype).name)}
    if isinstance(ours, LayerNorm):
        norm = torch.nn.LayerNorm(ours.normalized_shape, elementwise_affine=ours.affine, **options)
    elif isinstance(ours, InstanceNorm):
        norm = INSTANCE[ndim](ours.num_features, affine=ours.affine, **options)
    else:
        norm = torch.nn.GroupNorm(ours.num_groups, ours.num_features, affine=ours.affine, **options)
    if ours.affine:
        with torch.no_grad():
            norm.weight.copy_(torch.from_numpy(ours.gamma))
            norm.bias.copy_(torch.from_numpy(ours.beta))
    return norm


def assert_same_step(ours, theirs, x, dy, tolerance):
    """One forward and backward of both, and everything that a user can see afterwards."""
    y, dx = ours(x), ours.backward(dy)
    their_x = torch.from_numpy(x).requires_grad_()
    their_y = theirs(their_x)
    their_y.backward(torch.from_numpy(dy))
    pairs = [(y, their_y.detach()), (dx, their_x.grad)]
    if ours.affine:
        pairs += [(ours.grad_gamma, theirs.weight.grad), (ours.grad_beta, theirs.bias.grad)]
    else:
        assert ours.gamma is ours.beta is ours.grad_gamma is ours.grad_beta is None
    for mine, other in pairs:
        np.testing.assert_allclose(mine, other.numpy(), rtol=tolerance, atol=tolerance)


# The numbers of PyTorch


@cases
@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("eps", [1e-5, 0.1])
def test_same_numbers_as_torch(kind, arguments, shape, affine, eps):
    ours = layer(kind, arguments, eps=eps, affine=affine)
    theirs = theirs_like(ours, len(shape))
    for seed in range(3):
        theirs.zero_grad()
        x, dy = batch(shape, seed), batch(shape, 100 + seed)
        assert_same_step(ours, theirs, x, dy, tolerance=1e-10)


@cases
def test_same_numbers_as_torch_in_float32(kind, arguments, shape):
    ours = layer(kind, arguments, affine=True)
    theirs = theirs_like(ours, len(shape), np.float32)
    x, dy = batch(shape, dtype=np.float32), batch(shape, seed=1, dtype=np.float32)
    assert_same_step(ours, theirs, x, dy, tolerance=1e-4)


def test_gamma_and_beta_are_there_by_default_as_in_torch():
    assert LayerNorm(3).affine and GroupNorm(1, 3).affine
    assert not InstanceNorm(3).affine


def test_worked_example():
    """A row 1, 2, 3, 4, 5: mu = 3, var = 2; without eps worth mentioning."""
    x = np.arange(1.0, 6.0).reshape(1, 5)
    expected = np.array([[-2, -1, 0, 1, 2]]) / math.sqrt(2)
    assert np.allclose(LayerNorm(5, eps=1e-12)(x), expected)
    assert np.allclose(GroupNorm(1, 5, eps=1e-12)(x), expected)
    assert np.allclose(InstanceNorm(1, eps=1e-12)(x.reshape(1, 1, 5)), expected)


def test_nan_stays_in_its_row():
    x = batch((4, 6, 3))
    x[2, 5, 1] = np.nan
    y = GroupNorm(3, 6)(x)
    assert np.isnan(y[2, 4:]).all()
    assert np.isnan(y).sum() == 2 * 3


# How they are related


def test_one_group_is_layer_norm_over_all_of_an_example():
    x = batch((4, 6, 2, 3))
    whole = LayerNorm((6, 2, 3), affine=False)
    assert np.allclose(GroupNorm(1, 6, affine=False)(x), whole(x), rtol=1e-12, atol=1e-12)


def test_as_many_groups_as_channels_are_instance_norm():
    x = batch((4, 6, 2, 3))
    assert np.array_equal(GroupNorm(6, 6, affine=False)(x), InstanceNorm(6)(x))


def test_instance_norm_of_one_example_is_batch_norm_in_training_mode():
    x = batch((1, 6, 2, 3))
    y, expected = InstanceNorm(6, affine=True)(x), BatchNorm(6)(x)
    assert np.allclose(y, expected, rtol=1e-12, atol=1e-12)


# Precision


@pytest.mark.parametrize("norm", [LayerNorm(4096), GroupNorm(4, 4096), InstanceNorm(4096)], ids=str)
def test_float32_around_10_000(norm):
    spatial = () if isinstance(norm, LayerNorm) else (64,)
    x = batch((3, 4096, *spatial), dtype=np.float32, mean=10_000, std=1)
    dy = batch(x.shape, seed=1, dtype=np.float32, mean=0, std=1)
    in_float64 = copy.deepcopy(norm)
    # float32 has no mean closer to 10 000 than half of 1/1024.
    y, y64 = norm(x), in_float64(x.astype(np.float64))
    assert np.abs(y - y64).max() < 1e-3
    dx, dx64 = norm.backward(dy), in_float64.backward(dy.astype(np.float64))
    assert np.abs(dx - dx64).max() < 2e-3


def test_float32_of_a_million_values_in_a_row():
    x = batch((2, 1_000_000), dtype=np.float32)
    y, y64 = LayerNorm(1_000_000)(x), LayerNorm(1_000_000)(x.astype(np.float64))
    assert np.abs(y - y64).max() < 1e-5


# Gradients: the derivation in the docstring, and finite differences


def test_the_derivation_at_the_top_of_the_file():
    """Its lines are run as they stand there, for one row."""
    lines = re.findall(r"^ {4}(\w+ = .*)$", numpy_norms.__doc__, re.MULTILINE)
    assert [line.split()[0] for line in lines] == ["dx_hat", "dx", "dbeta", "dgamma"]
    norm, dy = layer(LayerNorm, (8,)), batch(8, seed=1)
    x_hat = (norm(batch(8)) - norm.beta) / norm.gamma
    dx = norm.backward(dy)
    values = {"dy": dy, "x_hat": x_hat, "gamma": norm.gamma, "mean": np.mean, "sum": np.sum}
    values["inv_std"] = 1 / np.sqrt(batch(8).var() + norm.eps)
    for line in lines[:2]:
        exec(line, values)
    assert relative_error(values["dx"], dx) < 1e-12
    assert relative_error(dy * x_hat, norm.grad_gamma) < 1e-12  # of one row each is its own sum
    assert np.array_equal(dy, norm.grad_beta)


@cases
def test_gradients_agree_with_finite_differences(kind, arguments, shape):
    norm = layer(kind, arguments, affine=True)
    x, dy = batch(shape), batch(shape, seed=1)
    norm(x)
    dx = norm.backward(dy)

    def loss():
        return (copy.deepcopy(norm)(x) * dy).sum()

    assert relative_error(dx, numerical_gradient(loss, x)) < 1e-7
    assert relative_error(norm.grad_gamma, numerical_gradient(loss, norm.gamma)) < 1e-7
    assert relative_error(norm.grad_beta, numerical_gradient(loss, norm.beta)) < 1e-7


def test_the_gradient_check_would_catch_gamma_outside_the_sums():
    """As in batch normalization, where it stands before the bracket: 40 % off here."""
    norm, x, dy = layer(LayerNorm, (8,)), batch((2, 8)), batch((2, 8), seed=1)
    x_hat = (norm(x) - norm.beta) / norm.gamma
    wrong = dy - dy.mean(1, keepdims=True) - x_hat * (dy * x_hat).mean(1, keepdims=True)
    wrong *= norm.gamma / np.sqrt(x.var(1, keepdims=True) + norm.eps)
    numerical = numerical_gradient(lambda: (norm(x) * dy).sum(), x)
    assert relative_error(wrong, numerical) > 0.1


# Calls in every order


@cases
def test_backward_belongs_to_the_latest_forward_and_can_be_repeated(kind, arguments, shape):
    dy = batch(shape, seed=1)
    norm, alone = layer(kind, arguments), layer(kind, arguments)
    norm(batch(shape, seed=2))
    norm(batch(shape, seed=3))
    alone(batch(shape, seed=3))
    expected = alone.backward(dy)
    for _ in range(2):
        assert np.array_equal(norm.backward(dy), expected)


@cases
@pytest.mark.parametrize("affine", [True, False])
def test_what_the_caller_changes_afterwards_does_not_reach_backward(kind, arguments, shape, affine):
    dy = batch(shape, seed=1)
    norm, alone = (layer(kind, arguments, affine=affine) for _ in range(2))
    alone(batch(shape))
    x = batch(shape)
    y = norm(x)
    x[:] = y[:] = 0
    if affine:
        norm.gamma *= 5
    assert np.array_equal(norm.backward(dy), alone.backward(dy))


# Arrays


@cases
@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_results_have_the_dtype_of_x_and_arguments_do_not_change(
    kind, arguments, shape, affine, dtype
):
    norm = layer(kind, arguments, affine=affine)
    x, dy = batch(shape, dtype=dtype), batch(shape, seed=1, dtype=dtype)
    x.flags.writeable = dy.flags.writeable = False
    before = x.copy(), dy.copy()
    y, dx = norm(x), norm.backward(dy)
    assert y.dtype == dx.dtype == dtype
    assert y.shape == dx.shape == shape
    assert np.array_equal(x, before[0]) and np.array_equal(dy, before[1])
    assert not any(np.shares_memory(a, b) for a in (y, dx) for b in (x, dy))
    y[:] = dx[:] = 0  # they are the caller's own
    if affine:
        assert norm.grad_gamma.dtype == norm.grad_beta.dtype == dtype
        assert norm.grad_gamma.shape == norm.gamma.shape
        assert not np.shares_memory(norm.grad_beta, dy)


@pytest.mark.parametrize("dtypes", [(np.float32, np.float64), (np.float64, np.float32)])
def test_dy_of_the_other_precision_gives_dx_in_the_dtype_of_x(dtypes):
    norm = LayerNorm(3)
    norm(batch((6, 3), dtype=dtypes[0]))
    assert norm.backward(batch((6, 3), seed=1, dtype=dtypes[1])).dtype == dtypes[0]


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
@pytest.mark.parametrize("kind", [LayerNorm, GroupNorm, InstanceNorm])
def test_the_layout_in_memory_does_not_matter(kind, view):
    x, dy = view(batch((4, 4, 4, 6))), view(batch((4, 4, 4, 6), seed=1))
    arguments = {LayerNorm: (x.shape[1:],), GroupNorm: (2, x.shape[1])}.get(kind, (x.shape[1],))
    norm, plain = kind(*arguments), kind(*arguments)
    assert np.allclose(norm(x), plain(x.copy(order="C")), rtol=1e-12, atol=1e-12)
    expected = plain.backward(dy.copy(order="C"))
    assert np.allclose(norm.backward(dy), expected, rtol=1e-12, atol=1e-12)


# Wrong input


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: LayerNorm(0), ValueError, "normalized_shape.*at least 1.*got 0"),
        (lambda: LayerNorm((3, -1)), ValueError, "normalized_shape.*at least 1.*got -1"),
        (lambda: LayerNorm(()), ValueError, "at least one size, got none"),
        (lambda: LayerNorm(3.0), TypeError, "normalized_shape to be an int, got 3.0"),
        (lambda: LayerNorm("3"), TypeError, "normalized_shape.*got '3'"),
        (lambda: LayerNorm((3, True)), TypeError, "normalized_shape.*got True"),
        (lambda: LayerNorm(None), TypeError, "normalized_shape.*got None"),
        (lambda: GroupNorm(0, 6), ValueError, "num_groups.*at least 1.*got 0"),
        (lambda: GroupNorm(2, 0), ValueError, "num_features.*at least 1.*got 0"),
        (lambda: GroupNorm(4, 6), ValueError, "num_groups to divide the 6 channels, got 4"),
        (lambda: GroupNorm(12, 6), ValueError, "num_groups to divide the 6 channels, got 12"),
        (lambda: GroupNorm(2.0, 6), TypeError, "num_groups to be an int, got 2.0"),
        (lambda: GroupNorm(2, "6"), TypeError, "num_features.*got '6'"),
        (lambda: InstanceNorm(0), ValueError, "num_features.*at least 1.*got 0"),
        (lambda: InstanceNorm(None), TypeError, "num_features.*got None"),
        (lambda: LayerNorm(3, eps=0), ValueError, "eps.*> 0.*got 0"),
        (lambda: GroupNorm(1, 3, eps=math.nan), ValueError, "eps.*finite.*got nan"),
        (lambda: InstanceNorm(3, eps="1e-5"), TypeError, "eps.*got '1e-5'"),
    ],
)
def test_wrong_arguments(make, error, words):
    with pytest.raises(error, match=words):
        make()


def test_numbers_of_numpy_are_welcome():
    norm = GroupNorm(np.uint8(2), np.int64(6), np.float32(0.5), np.True_)
    assert repr(norm) == repr(GroupNorm(2, 6, 0.5, True))
    assert repr(LayerNorm(np.int64(6))) == repr(LayerNorm(6))


@pytest.mark.parametrize(
    "call",
    [
        "LayerNorm((3,), eps=1e-05, affine=False)",
        "GroupNorm(2, 6, eps=1e-05, affine=True)",
        "InstanceNorm(3, eps=0.1, affine=True)",
    ],
)
def test_repr_is_the_call_that_makes_the_layer(call):
    assert repr(eval(call)) == call


NORMS = [LayerNorm((3, 4)), GroupNorm(3, 6), InstanceNorm(6, affine=True)]
WRONG_KINDS = [
    (np.ones((2, 6, 4), int), "float32 or float64.*got int"),
    (np.ones((2, 6, 4), bool), "float32 or float64.*got bool"),
    (np.ones((2, 6, 4), complex), "float32 or float64.*got complex128"),
    (np.ones((2, 6, 4), object), "float32 or float64.*got object"),
    (np.ones((2, 6, 4), np.float16), "float32 or float64.*got float16"),
    ([[1.0, 2.0, 3.0]] * 2, "NumPy array.*got list"),
    (torch.ones(2, 6, 4), "NumPy array.*got Tensor"),
    (None, "NumPy array.*got NoneType"),
]
WRONG_SHAPES = [
    (LayerNorm(3), (4, 2), r"shape \(\*, 3\), not empty, got \(4, 2\)"),
    (LayerNorm(3), (3, 4), r"shape \(\*, 3\), not empty, got \(3, 4\)"),
    (LayerNorm((3, 4)), (4,), r"shape \(\*, 3, 4\), not empty, got \(4,\)"),
    (LayerNorm((3, 4)), (2, 4, 3), r"shape \(\*, 3, 4\), not empty, got \(2, 4, 3\)"),
    (LayerNorm(3), (), r"shape \(\*, 3\), not empty, got \(\)"),
    (LayerNorm(3), (0, 3), r"not empty, got \(0, 3\)"),
    (LayerNorm(1), (4, 1), r"more than one value.*got x of shape \(4, 1\)"),
    (GroupNorm(2, 6), (6,), r"shape \(N, 6\) or \(N, 6, \*spatial\).*got \(6,\)"),
    (GroupNorm(2, 6), (6, 4), r"shape \(N, 6\).*got \(6, 4\)"),
    (GroupNorm(2, 6), (0, 6), r"not empty, got \(0, 6\)"),
    (GroupNorm(2, 6), (4, 6, 0), r"not empty, got \(4, 6, 0\)"),
    (GroupNorm(6, 6), (4, 6), r"more than one value.*got x of shape \(4, 6\)"),
    (InstanceNorm(6), (4, 6), r"more than one value.*got x of shape \(4, 6\)"),
    (InstanceNorm(6), (4, 6, 1, 1), r"more than one value.*got x of shape \(4, 6, 1, 1\)"),
]


def assert_refused(norm, call, error, words):
    """The error is raised, and nothing of the layer has changed."""
    before = pickle.dumps(vars(norm))
    with pytest.raises(error, match=words):
        call()
    assert pickle.dumps(vars(norm)) == before


@pytest.mark.parametrize("norm", NORMS, ids=str)
@pytest.mark.parametrize(("x", "words"), WRONG_KINDS)
def test_what_is_no_array_of_floats_is_refused_and_changes_nothing(x, words, norm):
    norm = copy.deepcopy(norm)
    good = (2, 3, 4) if isinstance(norm, LayerNorm) else (2, 6, 4)
    norm(batch(good))
    norm.backward(batch(good, seed=1))
    assert_refused(norm, lambda: norm(x), TypeError, words)


@pytest.mark.parametrize(("norm", "shape", "words"), WRONG_SHAPES)
def test_a_wrong_shape_is_refused_and_changes_nothing(norm, shape, words):
    assert_refused(norm, lambda: norm(np.ones(shape)), ValueError, words)


@pytest.mark.parametrize(
    ("dy", "error", "words"),
    [
        (np.ones((6, 2)), ValueError, r"\(2, 6\), got \(6, 2\)"),
        (np.ones((2, 6, 1)), ValueError, r"\(2, 6\), got \(2, 6, 1\)"),
        (np.ones((2, 6), int), TypeError, "dy.*float32 or float64.*got int"),
        (1.0, TypeError, "dy.*got float"),
    ],
    ids=str,
)
@pytest.mark.parametrize("norm", [LayerNorm(6), GroupNorm(3, 6)], ids=str)
def test_wrong_dy_is_refused_and_changes_nothing(norm, dy, error, words):
    norm = copy.deepcopy(norm)
    norm(batch((2, 6)))
    norm.backward(batch((2, 6), seed=1))
    assert_refused(norm, lambda: norm.backward(dy), error, words)


@pytest.mark.parametrize("norm", NORMS, ids=str)
def test_backward_before_forward(norm):
    assert_refused(norm, lambda: norm.backward(np.ones((2, 6))), RuntimeError, "forward before")


# Properties


@st.composite
def groups_and_batches(draw):
    groups, size = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    spatial = draw(st.sampled_from([(), (3,), (2, 3)]))
    shape = draw(st.integers(1, 4)), groups * size, *spatial
    assume(size * math.prod(spatial) > 1)
    mean, std = draw(st.floats(-1e3, 1e3)), draw(st.floats(1e-2, 1e3))
    norm = GroupNorm(groups, shape[1], eps=draw(st.sampled_from([1e-8, 1e-5, 1e-2, 1.0])))
    return norm, batch(shape, draw(st.integers(0, 999)), mean=mean, std=std)


def per_group(norm, a):
    return a.reshape(len(a) * norm.num_groups, -1)


@quick
@given(groups_and_batches())
def test_every_group_has_mean_0_and_variance_var_over_var_plus_eps(case):
    norm, x = case
    y, var = per_group(norm, norm(x)), per_group(norm, x).var(1)
    assert np.allclose(y.mean(1), 0, atol=1e-8)
    assert np.allclose(y.var(1), var / (var + norm.eps), rtol=1e-6)


@quick
@given(groups_and_batches(), st.integers(0, 3))
def test_the_other_examples_do_not_matter(case, which):
    """To the last bit: neither for y nor for dx. What no norm with batch statistics can say."""
    norm, x = case
    alone, dy = slice(which % len(x), which % len(x) + 1), batch(x.shape, seed=1000)
    y, dx = norm(x), norm.backward(dy)
    assert np.array_equal(norm(x[alone]), y[alone])
    assert np.array_equal(norm.backward(dy[alone]), dx[alone])


@quick
@given(groups_and_batches(), st.floats(-100, 100), st.floats(0.1, 10))
def test_shift_and_scale_of_the_input_do_not_matter_up_to_eps(case, shift, scale):
    norm, x = case
    y = norm(x)
    norm.eps *= scale**2  # with which the invariance is exact
    assert np.allclose(norm(scale * x + shift), y, rtol=1e-5, atol=1e-5)


@quick
@given(groups_and_batches())
def test_the_gradient_is_orthogonal_to_shifts_and_scalings_of_a_group(case):
    norm, x = case
    norm.eps = 1e-300
    x_hat = per_group(norm, norm(x))
    dy = batch(x.shape, seed=1000)
    dx = per_group(norm, norm.backward(dy))
    size = np.abs(dy).max() / per_group(norm, x).std(1)
    assert (np.abs(dx.sum(1)) < 1e-6 * size).all()
    assert (np.abs((dx * x_hat).sum(1)) < 1e-6 * size).all()


def test_torch_is_not_loaded():
    code = "import sys, bnlib.numpy_norms; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
