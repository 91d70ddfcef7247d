"""bnlib.torch_bn: in the place of PyTorch's own layer nothing but the source code differs."""

import copy
import inspect
import itertools
import math
import pickle

import numpy as np
import pytest
import torch
from torch import nn
from torch.autograd import gradcheck, gradgradcheck

from bnlib.torch_bn import BatchNorm

SHAPES = [(7, 3), (2, 3), (5, 3, 4), (1, 3, 2), (4, 3, 2, 5), (2, 3, 2, 3, 2)]
OPTIONS = [
    {"momentum": momentum, "affine": affine, "bias": bias, "track_running_stats": tracked}
    for momentum, (affine, bias), tracked in itertools.product(
        (0.1, 0, 1, None), ((True, True), (True, False), (False, True)), (True, False)
    )
]
TORCH = {2: nn.BatchNorm1d, 3: nn.BatchNorm1d, 4: nn.BatchNorm2d, 5: nn.BatchNorm3d}


def batch(shape, seed=0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return (2 + 3 * torch.randn(shape, generator=generator, dtype=torch.float64)).to(dtype)


def pair(shape, dtype=torch.float64, **options):
    """bnlib's layer and PyTorch's, with the same weight and bias, which are not 1 and 0."""
    ours = BatchNorm(shape[1], dtype=dtype, **options)
    theirs = TORCH[len(shape)](shape[1], dtype=dtype, **options)
    with torch.no_grad():
        for seed, parameter in enumerate(theirs.parameters()):
            parameter.copy_(batch(parameter.shape, 8 + seed))
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs


def assert_same_state(ours, theirs, **tolerance):
    ours, theirs = ours.state_dict(), theirs.state_dict()
    assert ours.keys() == theirs.keys()
    for name in theirs:
        torch.testing.assert_close(ours[name], theirs[name], **tolerance)


def assert_same_step(ours, theirs, x, dy, **tolerance):
    """One forward and backward of both, and everything that a user can see afterwards."""
    results = []
    for layer in (ours, theirs):
        layer.zero_grad()
        leaf = x.clone().requires_grad_()
        y = layer(leaf)
        y.backward(dy)
        results.append([y, leaf.grad, *(p.grad for p in layer.parameters())])
    torch.testing.assert_close(*results, **tolerance)
    assert_same_state(ours, theirs, **tolerance)


# The numbers


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_same_numbers_as_torch_in_every_mode_over_several_steps(shape, options):
    ours, theirs = pair(shape, **options)
    for step, mode in enumerate([False, True, True, False, True, False]):
        ours.train(mode), theirs.train(mode)
        assert_same_step(ours, theirs, batch(shape, step), batch(shape, 100 + step))


@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize(
    ("of_x", "of_layer"),
    [
        (torch.float32, torch.float32),
        (torch.float16, torch.float16),
        (torch.float16, torch.float32),
        (torch.bfloat16, torch.bfloat16),
        (torch.bfloat16, torch.float32),
    ],
)
def test_same_numbers_as_torch_in_lower_precision(of_x, of_layer, train):
    ours, theirs = pair((6, 3, 5), of_layer)
    ours.train(train), theirs.train(train)
    coarsest = max(torch.finfo(of_x).eps, torch.finfo(of_layer).eps)
    x, dy = batch((6, 3, 5), dtype=of_x), batch((6, 3, 5), 1, dtype=of_x)
    assert_same_step(ours, theirs, x, dy, rtol=8 * coarsest, atol=40 * coarsest)


@pytest.mark.parametrize("std", [1e-3, 1e3])
def test_squares_do_not_leave_the_range_of_float16(std):
    x = (std * torch.randn(64, 3, generator=torch.Generator().manual_seed(0))).half()
    ours, theirs = BatchNorm(3), nn.BatchNorm1d(3)
    torch.testing.assert_close(ours(x), theirs(x))
    assert_same_state(ours, theirs)


def test_float32_around_10_000():
    x = 10_000 + torch.randn(512, 4, generator=torch.Generator().manual_seed(0))
    y = BatchNorm(4)(x)
    x = x.double()
    exact = (x - x.mean(0)) / torch.sqrt(x.var(0, unbiased=False) + 1e-5)
    assert (y - exact).abs().max() < 4 / 1024  # four units in the last place of 10 000


@pytest.mark.parametrize("shape", [(1_000_000, 2), (1, 2, 1_000_000)], ids=str)
def test_float32_of_a_million_values_per_channel(shape):
    x = batch(shape, dtype=torch.float32)
    assert (BatchNorm(2)(x) - BatchNorm(2, dtype=torch.float64)(x.double())).abs().max() < 1e-5


@pytest.mark.parametrize("train", [True, False])
def test_an_empty_batch_leaves_the_averages_alone(train):
    ours, theirs = pair((0, 3))
    ours.train(train), theirs.train(train)
    assert ours(torch.empty(0, 3, dtype=torch.float64)).shape == (0, 3)
    theirs(torch.empty(0, 3, dtype=torch.float64))
    assert_same_state(ours, theirs)


# Gradients


@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize("shape", [(4, 3), (3, 2, 2), (3, 2, 2, 1)], ids=str)
def test_gradcheck_and_gradgradcheck(shape, train):
    layer, _ = pair(shape)
    layer.train(train)
    x = batch(shape).requires_grad_()

    def f(x, weight, bias):
        parameters = {"weight": weight, "bias": bias}
        return torch.func.functional_call(copy.deepcopy(layer), parameters, (x,))

    inputs = (x, layer.weight.detach().requires_grad_(), layer.bias.detach().requires_grad_())
    assert gradcheck(f, inputs)
    assert gradgradcheck(f, inputs)


def test_no_batch_norm_is_called():
    """The operations that autograd recorded are elementary, and x - mu is one of them, once."""
    y = BatchNorm(3)(batch((4, 3), dtype=torch.float32).requires_grad_())
    seen, nodes = set(), [y.grad_fn]
    while nodes:
        node = nodes.pop()
        seen.add(node)
        nodes += [parent for parent, _ in node.next_functions if parent not in seen | {None}]
    names = [type(node).__name__ for node in seen]
    assert {"SumBackward1", "MulBackward0", "RsqrtBackward0"} <= set(names)
    assert names.count("SubBackward0") == 1
    assert not [name for name in names if "Norm" in name]


def test_running_statistics_stay_out_of_the_graph():
    layer = BatchNorm(3)
    for seed in range(2):
        layer(batch((4, 3), seed, torch.float32).requires_grad_()).sum().backward()
        assert not layer.running_mean.requires_grad and layer.running_mean.grad_fn is None
        assert not layer.running_var.requires_grad and layer.running_var.grad_fn is None


def test_a_later_training_step_does_not_spoil_an_earlier_graph():
    layer = BatchNorm(3).eval()
    x = batch((4, 3), dtype=torch.float32).requires_grad_()
    y = layer(x)
    layer.train()(batch((4, 3), 1, torch.float32))
    y.sum().backward()
    torch.testing.assert_close(x.grad, torch.full((4, 3), (1 + 1e-5) ** -0.5))


# Modes


def test_the_mode_is_that_of_the_module_and_not_of_autograd():
    x = batch((6, 3), dtype=torch.float32)
    with_grad, without_grad = BatchNorm(3), BatchNorm(3)
    with torch.no_grad():
        y = without_grad(x)
    torch.testing.assert_close(y, with_grad(x))
    assert_same_state(without_grad, with_grad)
    assert without_grad.num_batches_tracked == 1
    without_grad.eval()
    before = copy.deepcopy(without_grad.state_dict())
    without_grad(x.requires_grad_())
    torch.testing.assert_close(without_grad.state_dict(), before)


def test_the_buffers_are_updated_in_place():
    layer = BatchNorm(3)
    buffers = dict(layer.named_buffers())
    layer(batch((6, 3), dtype=torch.float32))
    assert all(buffers[name] is buffer for name, buffer in layer.named_buffers())


def test_x_does_not_change():
    x = batch((6, 3, 2), dtype=torch.float32)
    before = x.clone()
    layer = BatchNorm(3, affine=False)
    layer(x).zero_()
    layer.eval()(x).zero_()
    assert torch.equal(x, before)


# state_dict


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_state_dict_loads_in_either_direction(options):
    ours, theirs = pair((6, 3), **options)
    ours(batch((6, 3), 1))
    theirs.load_state_dict(ours.state_dict())
    assert_same_state(ours, theirs, rtol=0, atol=0)
    theirs(batch((6, 3), 2))
    ours.load_state_dict(theirs.state_dict())
    assert_same_state(ours, theirs, rtol=0, atol=0)


def test_state_dict_within_a_network_and_through_a_file(tmp_path):
    ours = nn.Sequential(nn.Linear(3, 4), BatchNorm(4))
    theirs = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    ours(batch((6, 3), dtype=torch.float32))
    torch.save(ours.state_dict(), tmp_path / "state.pt")
    theirs.load_state_dict(torch.load(tmp_path / "state.pt"))
    assert_same_state(ours, theirs, rtol=0, atol=0)


def test_state_dict_that_lacks_something_is_refused():
    for source in (BatchNorm, nn.BatchNorm1d):
        state = source(3).state_dict()
        del state["num_batches_tracked"]
        with pytest.raises(RuntimeError, match="num_batches_tracked"):
            BatchNorm(3).load_state_dict(state)
    with pytest.raises(RuntimeError, match="running_mean"):
        BatchNorm(3, track_running_stats=False).load_state_dict(nn.BatchNorm1d(3).state_dict())


# The module


def test_the_constructor_has_the_signature_of_torch():
    ours = inspect.signature(BatchNorm).parameters.values()
    theirs = inspect.signature(nn.BatchNorm2d).parameters.values()
    assert [(p.name, p.kind, p.default) for p in ours] == [
        (p.name, p.kind, p.default) for p in theirs
    ]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_repr_is_that_of_torch(options):
    ours, theirs = pair((6, 3), **options)
    assert repr(ours) == repr(theirs).replace("BatchNorm1d", "BatchNorm")


def test_device_and_dtype():
    layer = BatchNorm(3, device="meta", dtype=torch.float64)
    y = layer(torch.empty(4, 3, 5, device="meta", dtype=torch.float64))
    assert y.is_meta  # an operation on a tensor of another device would have failed
    for tensor in (layer.weight, layer.bias, layer.running_mean, layer.running_var):
        assert tensor.is_meta and tensor.dtype == torch.float64
    assert layer.num_batches_tracked.is_meta and layer.num_batches_tracked.dtype == torch.int64


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_same_numbers_on_the_gpu():
    for options in OPTIONS:
        on_cpu, _ = pair((6, 3, 4), **options)
        on_gpu = copy.deepcopy(on_cpu).cuda()
        for seed in range(3):
            x = batch((6, 3, 4), seed)
            torch.testing.assert_close(on_gpu(x.cuda()).cpu(), on_cpu(x))
        assert_same_state(on_gpu.cpu(), on_cpu)


def test_to_moves_the_buffers_too():
    layer = BatchNorm(3).double()
    assert layer.running_mean.dtype == layer.running_var.dtype == torch.float64
    assert layer(batch((4, 3))).dtype == torch.float64


@pytest.mark.parametrize("clone", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_deepcopy_and_pickle(clone):
    layer, _ = pair((6, 3))
    layer(batch((6, 3)))
    twin = clone(layer)
    assert_same_state(twin, layer, rtol=0, atol=0)
    twin(batch((6, 3), 1))
    assert layer.num_batches_tracked == 1 and twin.num_batches_tracked == 2


def test_reset():
    layer, _ = pair((6, 3))
    layer(batch((6, 3)))
    layer.reset_running_stats()
    fresh = BatchNorm(3, dtype=torch.float64)
    assert torch.equal(layer.running_mean, fresh.running_mean)
    assert torch.equal(layer.running_var, fresh.running_var)
    assert layer.num_batches_tracked == 0
    assert not torch.equal(layer.weight, fresh.weight)
    layer.reset_parameters()
    assert_same_state(layer, fresh, rtol=0, atol=0)


def test_what_looks_for_the_base_class_of_torch_passes_it_over():
    """As the docstring says; the layer of torch beside it shows what would have happened."""
    network = nn.Sequential(BatchNorm(3), nn.BatchNorm1d(3))
    assert not isinstance(network[0], nn.modules.batchnorm._BatchNorm)
    network(batch((6, 3), dtype=torch.float32))
    before = network[0].running_mean.clone()
    data = [batch((6, 3), seed, torch.float32) for seed in range(2)]
    torch.optim.swa_utils.update_bn(data, network[:1])
    assert torch.equal(network[0].running_mean, before)
    torch.optim.swa_utils.update_bn(data, network)
    assert [layer.num_batches_tracked.item() for layer in network] == [3, 2]
    converted = nn.SyncBatchNorm.convert_sync_batchnorm(network)
    assert [type(layer) for layer in converted] == [BatchNorm, nn.SyncBatchNorm]


def test_statistics_frozen_after_construction():
    """`track_running_stats = False` on a layer that has averages: they stay as they are."""
    ours, theirs = pair((6, 3))
    for layer in (ours, theirs):
        layer.track_running_stats = False
    for train in (True, False):
        ours.train(train), theirs.train(train)
        assert_same_step(ours, theirs, batch((6, 3)), batch((6, 3), 1))
    assert ours.num_batches_tracked == 0


# Errors, of the kinds of PyTorch

ERRORS = {
    "one dimension": ({}, torch.ones(3)),
    "channels": ({}, torch.ones(4, 5)),
    "channels, one of them": ({}, torch.ones(4, 1)),
    "channels, no averages": ({"track_running_stats": False}, torch.ones(4, 5)),
    "channels, no weight": ({"affine": False}, torch.ones(4, 5)),
    "one value": ({}, torch.ones(1, 3)),
    "one value, spatial": ({}, torch.ones(1, 3, 1)),
    "int": ({}, torch.ones(4, 3, dtype=torch.int64)),
    "bool": ({}, torch.ones(4, 3, dtype=torch.bool)),
    "complex": ({}, torch.ones(4, 3, dtype=torch.complex64)),
    "float64 in float32": ({}, torch.ones(4, 3, dtype=torch.float64)),
    "float32 in float64": ({"dtype": torch.float64}, torch.ones(4, 3)),
    "float32 in bfloat16": ({"dtype": torch.bfloat16}, torch.ones(4, 3)),
    "eps = 0": ({"eps": 0.0}, torch.ones(4, 3)),
    "eps < 0": ({"eps": -1.0}, torch.ones(4, 3)),
    "no tensor": ({}, [[1.0, 2.0, 3.0]]),
}


def error_of(layer, x):
    try:
        layer(x)
    except Exception as error:
        return type(error)


@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize(("options", "x"), ERRORS.values(), ids=ERRORS)
def test_errors_are_those_of_torch_and_change_nothing(options, x, train):
    ours, theirs = BatchNorm(3, **options).train(train), nn.BatchNorm1d(3, **options).train(train)
    before = copy.deepcopy(ours.state_dict())
    expected = error_of(theirs, x)
    assert error_of(ours, x) is expected
    if expected is not None:
        torch.testing.assert_close(ours.state_dict(), before)
    assert train is False or expected is not None


def test_one_value_is_refused_in_evaluation_too_if_there_are_no_averages():
    for kind in (BatchNorm, nn.BatchNorm1d):
        layer = kind(3, track_running_stats=False).eval()
        assert error_of(layer, torch.ones(1, 3)) is ValueError


@pytest.mark.parametrize("num_features", [-3, 3.0, "3", None])
def test_a_wrong_number_of_features_is_refused_as_by_torch(num_features):
    with pytest.raises((RuntimeError, TypeError)) as theirs:
        nn.BatchNorm1d(num_features)
    with pytest.raises(theirs.type):
        BatchNorm(num_features)


NOT_FINITE = [math.nan, math.inf, -math.inf]


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        *[({"eps": v}, ValueError, f"eps to be finite, got {v}") for v in NOT_FINITE],
        *[({"eps": v}, TypeError, "eps to be a number, got") for v in ("1e-5", None, 1j, [1])],
        *[({"momentum": v}, ValueError, f"momentum to be finite, got {v}") for v in NOT_FINITE],
        *[({"momentum": v}, ValueError, rf"in \[0, 1\].*got {v}") for v in (-0.1, 1.1, 2)],
        *[({"momentum": v}, TypeError, "momentum to be a number, got") for v in ("0.1", 1j)],
    ],
    ids=str,
)
def test_an_eps_or_a_momentum_that_makes_no_sense(arguments, error, words):
    with pytest.raises(error, match=words):
        BatchNorm(3, **arguments)


@pytest.mark.parametrize("momentum", [0, 1, True, np.float32(0.5), torch.tensor(0.25), None])
@pytest.mark.parametrize("eps", [1, 1e-30, np.float32(1e-3), torch.tensor(1e-3)])
def test_numbers_that_torch_accepts(eps, momentum):
    ours, theirs = pair((6, 3), eps=eps, momentum=momentum)
    assert_same_step(ours, theirs, batch((6, 3)), batch((6, 3), 1))


def test_eps_0_in_evaluation_as_in_torch():
    ours, theirs = pair((6, 3), eps=0)
    torch.testing.assert_close(ours.eval()(batch((6, 3))), theirs.eval()(batch((6, 3))))


def test_the_messages_say_what_was_expected_and_what_came():
    layer = BatchNorm(3)
    for x, words in [
        (torch.ones(3), r"at least 2D input \(got 1D"),
        (torch.ones(4, 5), r"expected 3 channels.*\[4, 5\]"),
        (torch.ones(1, 3), r"more than 1 value per channel.*\[1, 3\]"),
        (torch.ones(4, 3, dtype=torch.int64), "floating-point.*torch.int64"),
        (torch.ones(4, 3, dtype=torch.float64), "torch.float32, got torch.float64"),
    ]:
        with pytest.raises((ValueError, RuntimeError), match=words):
            layer(x)
