"""Convolutional networks: their layers, their shapes, what they start from."""

import pytest
import torch
from torch import nn

from bnlib.experiments.convolutional import cnn, outputs, residual_cnn, simple_cnn
from bnlib.experiments.residual import Residual
from bnlib.torch_bn import BatchNorm

PLAN = [16, 16, "pool", 32]


@pytest.mark.parametrize("norm", [None, BatchNorm])
def test_the_layers_follow_the_plan(norm):
    kinds = [type(layer) for layer in cnn(PLAN, norm=norm)]
    stage = [nn.Conv2d, norm, nn.ReLU] if norm else [nn.Conv2d, nn.ReLU]
    head = [nn.AdaptiveAvgPool2d, nn.Flatten, nn.Linear]
    assert kinds == [*stage, *stage, nn.MaxPool2d, *stage, *head]


@pytest.mark.parametrize("side", [8, 28])
def test_images_of_any_size_become_ten_scores(side):
    assert cnn(PLAN, norm=BatchNorm)(torch.rand(3, 1, side, side)).shape == (3, 10)


def test_a_convolution_before_a_norm_has_no_bias():
    for norm in None, BatchNorm:
        convolutions = [layer for layer in cnn(PLAN, norm=norm) if isinstance(layer, nn.Conv2d)]
        assert {layer.bias is None for layer in convolutions} == {norm is not None}


def test_weights_depend_on_the_seed_alone():
    torch.manual_seed(1)
    first = cnn(PLAN, seed=5)[0].weight
    torch.manual_seed(2)
    assert torch.equal(first, cnn(PLAN, norm=BatchNorm, seed=5)[0].weight)
    assert not torch.equal(first, cnn(PLAN, seed=6)[0].weight)


def test_the_variance_of_the_weights_is_2_over_n_in():
    weight = cnn([64, 256])[2].weight
    assert weight.var().item() == pytest.approx(2 / (64 * 9), rel=0.02)


@pytest.mark.parametrize("plan", [[], ["pool"], [16, "max"], [0], [-3]])
def test_a_plan_that_cannot_be_is_refused(plan):
    with pytest.raises(ValueError, match=r"expected .* in the plan, got"):
        cnn(plan)


# SimpleCNN

STAGES = {
    ("relu", "pool"): [nn.ReLU, nn.MaxPool2d],
    ("norm", "relu", "pool"): [nn.BatchNorm2d, nn.ReLU, nn.MaxPool2d],
    ("relu", "norm", "pool"): [nn.ReLU, nn.BatchNorm2d, nn.MaxPool2d],
    ("relu", "pool", "norm"): [nn.ReLU, nn.MaxPool2d, nn.BatchNorm2d],
    ("pool", "norm", "relu"): [nn.MaxPool2d, nn.BatchNorm2d, nn.ReLU],
}


@pytest.mark.parametrize("stage", STAGES, ids=" ".join)
@pytest.mark.parametrize("side", [8, 9, 28])
def test_bn_stands_where_the_stage_says_for_images_of_any_size(stage, side):
    network = simple_cnn(side, stage=stage)
    count = len(stage)
    assert [type(layer) for layer in network[1 : 1 + count]] == STAGES[stage]
    assert network(torch.rand(3, 1, side, side)).shape == (3, 10)


def test_the_head_has_its_own_order():
    kinds = [type(layer) for layer in simple_cnn(head=("relu", "norm"))[-4:]]
    assert kinds == [nn.Linear, nn.ReLU, nn.BatchNorm1d, nn.Linear]
    assert nn.BatchNorm1d not in map(type, simple_cnn(head=("relu",)))


@pytest.mark.parametrize("side, numbers", [(28, 347_338), (8, 19_658)])
def test_it_has_the_parameters_of_the_tutorials_but_the_dead_biases(side, numbers):
    assert sum(p.numel() for p in simple_cnn(side).parameters()) == numbers - 96
    order = ("relu", "norm")
    alive = simple_cnn(side, stage=(*order, "pool"), head=order)
    assert sum(p.numel() for p in alive.parameters()) == numbers


def test_a_bias_is_left_out_just_where_no_answer_depends_on_it():
    x = torch.rand(20, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    for stage in STAGES:
        network = simple_cnn(stage=stage, head=("relu",))
        before = network(x)
        bias = network[0].bias
        network[0].bias = nn.Parameter(torch.linspace(-1, 1, 32))
        dead = bool((network(x) - before).abs().max() < 1e-4)
        assert dead == (bias is None), stage


def test_orders_start_from_the_same_weights():
    for place in 0, -1:
        weights = [simple_cnn(stage=stage, seed=3)[place].weight for stage in STAGES]
        assert all(torch.equal(weights[0], weight) for weight in weights)
    assert not torch.equal(weights[0], simple_cnn(seed=4)[-1].weight)


@pytest.mark.parametrize(
    ("options", "what"),
    [
        (dict(side=3), "at least 4 x 4"),
        (dict(stage=("norm", "relu")), "stage to order"),
        (dict(stage=("norm", "norm", "relu", "pool")), "stage to order"),
        (dict(stage=("relu", "pool", "bn")), "stage to order"),
        (dict(head=("norm",)), "head to order"),
    ],
)
def test_a_simple_cnn_that_cannot_be_is_refused(options, what):
    with pytest.raises(ValueError, match=what):
        simple_cnn(**options)


# The residual network


def residuals(network: nn.Sequential) -> list[Residual]:
    return [layer for layer in network if isinstance(layer, Residual)]


def test_a_block_is_the_one_of_he_et_al():
    after = [nn.Conv2d, nn.BatchNorm2d, nn.ReLU, nn.Conv2d, nn.BatchNorm2d]
    [block] = residuals(residual_cnn(1))
    assert [type(layer) for layer in block.branch] == after
    [block] = residuals(residual_cnn(1, before=True))
    assert [type(layer) for layer in block.branch] == 2 * [nn.BatchNorm2d, nn.ReLU, nn.Conv2d]
    assert [type(layer) for layer in residual_cnn(1)[:5]][3:] == [Residual, nn.ReLU]
    ends = [type(layer) for layer in residual_cnn(1, before=True)[4:6]]
    assert ends == [nn.BatchNorm2d, nn.ReLU]


@pytest.mark.parametrize("before", [False, True])
@pytest.mark.parametrize("side", [8, 28])
def test_a_residual_network_takes_images_of_any_size(before, side):
    assert residual_cnn(2, before=before)(torch.rand(3, 1, side, side)).shape == (3, 10)


@pytest.mark.parametrize("before", [False, True])
def test_with_zero_gamma_every_block_starts_as_the_identity(before):
    network, x = residual_cnn(3, before=before, gamma=0.0), torch.rand(5, 1, 8, 8)
    h = network[:3](x)
    assert all(torch.equal(block(h), h) for block in residuals(network))


def test_zero_gamma_gets_a_gradient_only_where_no_relu_follows():
    x, y = torch.rand(20, 1, 8, 8), torch.arange(20) % 10
    for before, last in ((False, 4), (True, 3)):
        network = residual_cnn(2, before=before, gamma=0.0)
        nn.functional.cross_entropy(network(x), y).backward()
        gradients = [block.branch[last].weight.grad.abs().max() for block in residuals(network)]
        assert all((gradient == 0) == before for gradient in gradients)


def test_outputs_are_those_of_every_layer():
    network, x = simple_cnn().eval(), torch.rand(2, 1, 8, 8)
    found = outputs(network, x)
    assert len(found) == len(network) and torch.equal(found[-1], network(x))
    assert found[0].shape == (2, 32, 6, 6)


def test_a_residual_network_without_blocks_is_refused():
    with pytest.raises(ValueError, match="at least 1, got 0"):
        residual_cnn(0)
