"""Residual networks: a block adds to its input, and a gain of 0 leaves it alone."""

import pytest
import torch
from torch import nn

from bnlib.experiments.residual import Residual, residual_mlp
from bnlib.torch_bn import BatchNorm


@pytest.mark.parametrize(("gain", "factor"), [(None, 1), (0, 0), (0.5, 0.5)])
def test_a_block_adds_its_branch_times_the_gain(gain, factor):
    branch, x = nn.Linear(4, 4), torch.randn(3, 4)
    assert torch.equal(Residual(branch, gain)(x), x + factor * branch(x))


def test_a_gain_is_learned_if_there_is_one():
    names = [[*dict(Residual(nn.ReLU(), gain).named_parameters())] for gain in (None, 0)]
    assert names == [[], ["gain"]]


@pytest.mark.parametrize("norm", [None, BatchNorm])
def test_the_layers_of_the_network(norm):
    model = residual_mlp(2, width=8, norm=norm)
    ready = [norm, nn.ReLU] if norm else [nn.ReLU]
    kinds = [type(layer) for layer in model]
    assert kinds == [nn.Linear, Residual, Residual, *ready, nn.Linear]
    assert [type(layer) for layer in model[1].branch] == [*ready, nn.Linear]
    assert model(torch.rand(5, 64)).shape == (5, 10)


def test_weights_depend_on_the_seed_alone():
    torch.manual_seed(1)
    first = residual_mlp(2, seed=5)[1].branch[-1].weight
    torch.manual_seed(2)
    assert torch.equal(first, residual_mlp(2, norm=BatchNorm, seed=5)[1].branch[-1].weight)


def test_without_a_block_there_is_no_network():
    with pytest.raises(ValueError, match="expected blocks to be at least 1, got 0"):
        residual_mlp(0)
