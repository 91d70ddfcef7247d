"""The loss along the gradient, and how far it keeps what the gradient promises."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from bnlib.experiments.landscape import (
    curvature,
    loss_of_all,
    train_to_loss,
    walk,
    weight_matrices,
)
from bnlib.experiments.networks import mlp
from tests.experiments.test_networks import SIZES
from tests.experiments.test_training import X, Y

SHARES = (1e-4, 1e-3, 0.01, 0.1)


def network(**options) -> nn.Sequential:
    return mlp(SIZES, activation="tanh", init="he", **options).double()


def moved(model: nn.Sequential, share: float) -> float:
    """The loss after the step, with what it was before in the gradients."""
    loss = cross_entropy(model.train()(X.double()), Y)
    loss.backward()
    with torch.no_grad():
        for weight in weight_matrices(model):
            weight -= share * weight.norm() / weight.grad.norm() * weight.grad
    return cross_entropy(model(X.double()), Y).item()


@pytest.mark.parametrize("norm", [None, nn.BatchNorm1d])
def test_each_matrix_moves_by_a_share_of_its_norm(norm):
    found = walk(network(norm=norm), X.double(), Y, SHARES)
    for place, share in enumerate(SHARES):
        assert found.losses[place] == pytest.approx(moved(network(norm=norm), share))


def test_a_short_step_keeps_the_promise_and_the_direction():
    found = walk(network(), X.double(), Y, SHARES)
    assert found.kept[0] == pytest.approx(1, abs=0.01)
    assert found.cosines[0] == pytest.approx(1, abs=0.01)
    assert np.all(np.diff(found.kept) < 0) and found.slope < 0


@pytest.mark.parametrize("norm", [None, nn.BatchNorm1d])
def test_the_network_stays_as_it_is(norm):
    model = network(norm=norm).eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    walk(model, X.double(), Y, SHARES)
    curvature(model, X.double(), Y)
    loss_of_all(model, X.double(), Y)
    assert not model.training and all(p.grad is None for p in model.parameters())
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])


def test_with_bn_the_walk_does_not_see_the_scale_of_the_weights_and_curvature_does():
    model, tenfold = (network(norm=lambda n: nn.BatchNorm1d(n, eps=1e-30)) for _ in range(2))
    with torch.no_grad():
        for weight in weight_matrices(tenfold)[:-1]:
            weight *= 10
    kept = [walk(net, X.double(), Y, SHARES).kept for net in (model, tenfold)]
    np.testing.assert_allclose(*kept, rtol=1e-6)
    assert curvature(model, X.double(), Y) == pytest.approx(
        100 * curvature(tenfold, X.double(), Y), rel=1e-6
    )


def test_the_curvature_is_the_second_derivative():
    model, h = network(), 1e-4
    hidden = weight_matrices(model)[:-1]
    gradients = torch.autograd.grad(cross_entropy(model(X.double()), Y), hidden)
    length = sum(g.square().sum() for g in gradients).sqrt()
    losses = []
    for times in (-1, 0, 1):
        with torch.no_grad():
            for weight, g in zip(hidden, gradients, strict=True):
                weight += times * h * g / length
            losses.append(cross_entropy(model(X.double()), Y).item())
            for weight, g in zip(hidden, gradients, strict=True):
                weight -= times * h * g / length
    expected = (losses[0] - 2 * losses[1] + losses[2]) / h**2
    assert curvature(model, X.double(), Y) == pytest.approx(expected, rel=1e-3)


def test_a_network_is_trained_down_to_a_loss_and_no_further():
    model = mlp(SIZES, init=1.0)
    start = loss_of_all(model, X, Y)
    steps = train_to_loss(model, X, Y, 0.9 * start, lr=0.1)
    assert 0.6 * start < loss_of_all(model, X, Y) < 0.9 * start and steps > 1
    with pytest.raises(ValueError, match="not below 0 after 3 steps"):
        train_to_loss(model, X, Y, 0, lr=0.1, at_most=3)


@pytest.mark.parametrize("share", [0, -0.1])
def test_a_walk_goes_forward(share):
    with pytest.raises(ValueError, match="expected shares above 0"):
        walk(network(), X.double(), Y, [0.1, share])
