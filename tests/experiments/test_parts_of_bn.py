"""The parts of BN: each does its part and nothing else."""

import pytest
import torch
from torch import nn
from torch.nn.utils.parametrizations import weight_norm

from bnlib.experiments.data import load_digits
from bnlib.experiments.networks import mlp
from bnlib.experiments.parts_of_bn import (
    ARMS,
    Centring,
    LengthAndDirection,
    Scaling,
    network,
    scale_start,
    with_lengths,
)
from bnlib.experiments.recorder import hidden_inputs

X = torch.tensor(load_digits().x_train[:300])
Z = 3 + 2 * torch.randn(50, 4, generator=torch.Generator().manual_seed(0))


def test_centring_takes_out_the_mean_and_leaves_the_scale():
    layer = Centring(4)
    assert torch.allclose(layer(Z), Z - Z.mean(0))
    assert torch.allclose(layer.running_mean, 0.1 * Z.mean(0))
    assert torch.allclose(layer.eval()(Z), Z - 0.1 * Z.mean(0))


def test_scaling_divides_by_the_root_mean_square_and_leaves_the_mean():
    layer = Scaling(4)
    square = Z.square().mean(0)
    assert torch.allclose(layer(Z), Z / torch.sqrt(square + 1e-5))
    assert torch.allclose(layer.running_square, 0.9 + 0.1 * square)
    assert torch.allclose(layer.eval()(Z), Z / torch.sqrt(layer.running_square + 1e-5))


@pytest.mark.parametrize("part", [Centring, Scaling])
def test_its_statistics_get_a_gradient_in_training_mode_only(part):
    for training in (True, False):
        z = Z.clone().requires_grad_()
        part(4).train(training)(z)[0].sum().backward()
        others = z.grad[1:].abs().max() > 0
        assert others == training


def test_centring_and_scaling_together_are_bn():
    both = nn.Sequential(Centring(4), Scaling(4))
    assert torch.allclose(both(Z), nn.BatchNorm1d(4)(Z), atol=1e-6)


@pytest.mark.parametrize("bias", [True, False])
def test_length_and_direction_start_as_the_layer_and_are_weight_norm(bias):
    layer = nn.Linear(4, 3, bias=bias)
    ours = LengthAndDirection(layer)
    assert torch.allclose(ours(Z), layer(Z), atol=1e-5)
    theirs = weight_norm(layer)
    ours(Z).square().sum().backward()
    theirs(Z).square().sum().backward()
    g, v = theirs.parametrizations.weight.original0, theirs.parametrizations.weight.original1
    assert torch.allclose(ours.length.grad, g.grad[:, 0], rtol=1e-4)
    assert torch.allclose(ours.direction.grad, v.grad, rtol=1e-4, atol=1e-4)
    along = (ours.direction * ours.direction.grad).sum(1)
    assert torch.all(along.abs() < 1e-3 * ours.direction.grad.norm(dim=1) + 1e-3)


@pytest.mark.parametrize("lengths", [False, True])
def test_after_a_scaled_start_every_unit_has_mean_0_and_variance_1(lengths):
    model = mlp([64, 20, 20, 10], init=0.1)
    inputs = hidden_inputs(scale_start(with_lengths(model) if lengths else model, X), X)
    assert abs(inputs.mean(axis=1)).max() < 1e-4
    assert abs(inputs.std(axis=1) - 1).max() < 1e-4


def test_a_start_without_biases_is_scaled_alone():
    model = mlp([64, 20, 20, 10], init=0.1, norm=Centring)
    scale_start(model.train(), X)
    with torch.no_grad():
        first = model[0](X)
    assert torch.allclose(first.std(0, correction=0), torch.ones(20), atol=1e-4)
    assert first.mean(0).abs().max() > 0.1


@pytest.mark.parametrize("arm", ARMS)
def test_every_arm_is_a_network_that_can_be_trained(arm):
    model = network(arm, X, depth=2, init=0.1, activation="relu")
    model(X).square().sum().backward()
    assert all(p.grad is not None for p in model.parameters())
    kinds = {type(layer) for layer in model}
    assert (nn.BatchNorm1d in kinds) == (arm == "BN")
    assert (Centring in kinds) == ("centring" in arm)


def test_an_unknown_arm_is_no_arm():
    with pytest.raises(KeyError):
        network("luck", X)
