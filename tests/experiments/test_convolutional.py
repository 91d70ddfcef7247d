"""Convolutional networks: their layers, their shapes, what they start from."""

import pytest
import torch
from torch import nn

from bnlib.experiments.convolutional import cnn
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
