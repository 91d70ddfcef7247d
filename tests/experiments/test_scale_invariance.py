"""Weights in front of BN: their scale, their length, and what decay is to them."""

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from bnlib.experiments.data import load_digits
from bnlib.experiments.scale_invariance import hidden_weights, invariant_mlp, train_hidden
from bnlib.experiments.training import train

X64, Y = (torch.tensor(array[:300]) for array in load_digits()[:2])
X64 = X64.double()
OPTIONS = {"lr": 0.5, "steps": 20}


def gradients(scale: float) -> tuple[float, list]:
    model = invariant_mlp(scale).train()
    loss = cross_entropy(model(X64), Y)
    loss.backward()
    return loss.item(), hidden_weights(model)


@pytest.mark.parametrize("scale", [0.1, 3, 100])
def test_the_loss_does_not_see_the_scale_and_the_gradient_goes_with_its_inverse(scale):
    (one, weights), (other, scaled) = gradients(1), gradients(scale)
    assert other == pytest.approx(one, rel=1e-12)
    assert len(weights) == 3
    for weight, other_weight in zip(weights, scaled, strict=True):
        assert torch.allclose(scale * weight, other_weight)
        assert torch.allclose(weight.grad, scale * other_weight.grad, rtol=1e-9, atol=1e-12)
        assert abs((weight * weight.grad).sum()) < 1e-12 * weight.norm() * weight.grad.norm()


def test_a_step_lengthens_the_weights_by_pythagoras():
    model = invariant_mlp(0.3)
    _, weights = gradients(0.3)
    batch = torch.randperm(len(X64), generator=torch.Generator().manual_seed(0))[:60]
    probe = invariant_mlp(0.3).train()
    cross_entropy(probe(X64[batch]), Y[batch]).backward()
    squares = train_hidden(model, X64, Y, lr=0.5, steps=1).squares
    assert squares.shape == (2, 3)
    for layer, weight in enumerate(hidden_weights(probe)):
        grown = weight.norm() ** 2 + 0.25 * weight.grad.norm() ** 2
        assert squares[1, layer] == pytest.approx(grown.item(), rel=1e-12)


def test_ten_times_the_weights_train_alike_at_a_hundred_times_the_rate():
    one = train_hidden(invariant_mlp(), X64, Y, **OPTIONS)
    other = train_hidden(invariant_mlp(10), X64, Y, rate=lambda t: 50.0, **OPTIONS)
    np.testing.assert_allclose(other.losses, one.losses, rtol=1e-9)
    np.testing.assert_allclose(other.squares, 100 * one.squares, rtol=1e-9)


def test_decay_is_a_schedule_of_rates():
    decayed = train_hidden(invariant_mlp(), X64, Y, decay=0.05, **OPTIONS)

    def rate(t: int) -> float:
        return 0.5 * (1 - 0.5 * 0.05) ** -(2 * t + 1)

    grown = train_hidden(invariant_mlp(), X64, Y, rate=rate, **OPTIONS)
    np.testing.assert_allclose(grown.losses, decayed.losses, rtol=1e-9)
    assert np.all(grown.squares[-1] > 2 * decayed.squares[-1])


def test_a_length_that_is_kept_stays():
    squares = train_hidden(invariant_mlp(0.1), X64, Y, keep_length=True, **OPTIONS).squares
    np.testing.assert_allclose(squares[1:], np.tile(squares[0], (20, 1)), rtol=1e-12)


def test_without_options_it_is_plain_gradient_descent():
    model, same = invariant_mlp(seed=1), invariant_mlp(seed=1)
    found = train_hidden(model, X64, Y, seed=4, **OPTIONS)
    plain = train(same, X64, Y, batch_size=60, seed=4, **OPTIONS)
    assert found.losses.tolist() == [*plain]
    for ours, theirs in zip(model.parameters(), same.parameters(), strict=True):
        assert torch.equal(ours, theirs)
