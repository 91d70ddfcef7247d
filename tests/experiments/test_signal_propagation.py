"""What reaches the layers of an untrained network."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bnlib.experiments.signal_propagation import (
    flat_share,
    linear_share,
    propagate,
    sigmoid,
    spread,
)

settings.register_profile("steady", derandomize=True, deadline=None)
settings.load_profile("steady")
X = np.random.default_rng(0).uniform(size=(50, 64))


def test_sigmoid_is_the_logistic_function():
    assert sigmoid(np.array([0.0, np.log(3)])) == pytest.approx([0.5, 0.75])
    slope = (sigmoid(1 + 1e-6) - sigmoid(1 - 1e-6)) / 2e-6
    assert slope == pytest.approx(sigmoid(1) * (1 - sigmoid(1)))


@pytest.mark.parametrize("batch_norm", [False, True])
def test_every_layer_has_its_width_and_lies_in_0_to_1(batch_norm):
    layers = propagate(X, 3, batch_norm=batch_norm, width=7)
    assert [layer.shape for layer in layers] == [(50, 7)] * 3
    assert all((layer > 0).all() and (layer < 1).all() for layer in layers)


def test_a_layer_is_the_sigmoid_of_its_normalized_inputs():
    weights = np.random.default_rng(3).normal(0, 0.1, (64, 100))
    z = X @ weights
    [with_bn] = propagate(X, 1, batch_norm=True, seed=3)
    [without] = propagate(X, 1, batch_norm=False, seed=3)
    np.testing.assert_allclose(without, sigmoid(z))
    np.testing.assert_allclose(with_bn, sigmoid((z - z.mean(0)) / np.sqrt(z.var(0) + 1e-5)))


def test_a_layer_may_subtract_a_number_first_and_bn_may_have_another_gamma():
    weights = np.random.default_rng(3).normal(0, 0.1, (64, 100))
    [without] = propagate(X, 1, batch_norm=False, minus=0.5, seed=3)
    np.testing.assert_allclose(without, sigmoid((X - 0.5) @ weights))
    [one], [third] = (propagate(X, 1, batch_norm=True, gamma=g, seed=3) for g in (1, 1 / 3))
    np.testing.assert_allclose(np.log(third / (1 - third)), np.log(one / (1 - one)) / 3)


def test_deeper_networks_begin_with_the_same_layers():
    shallow, deep = (propagate(X, depth, batch_norm=True) for depth in (2, 5))
    for layer in range(2):
        np.testing.assert_array_equal(shallow[layer], deep[layer])


@pytest.mark.parametrize("seed", range(5))
def test_small_weights_lose_the_differences_and_bn_keeps_them(seed):
    without, with_bn = (
        [spread(h) for h in propagate(X, 6, batch_norm=bn, seed=seed)] for bn in (False, True)
    )
    assert without[5] < without[0] / 100
    assert with_bn[5] == pytest.approx(with_bn[0], rel=0.2)


@given(st.floats(-10, 10), st.floats(0.1, 10))
def test_spread_ignores_a_shift_and_follows_a_stretch(shift, stretch):
    assert spread(X * stretch + shift) == pytest.approx(stretch * spread(X))


def test_shares_of_the_linear_middle_and_the_flat_ends():
    y = np.array([-3.5, -2.0, -0.5, 0.0, 0.9, 1.1, 3.1, 100.0])
    assert linear_share(y) == 3 / 8
    assert flat_share(y) == 3 / 8


def test_the_bounds_of_middle_and_ends_mean_what_the_docstrings_say():
    slope = sigmoid(np.array([0.0, 1.0, 3.0])) * (1 - sigmoid(np.array([0.0, 1.0, 3.0])))
    assert slope[1] / slope[0] == pytest.approx(0.79, abs=0.005)
    assert slope[2] / slope[0] == pytest.approx(0.18, abs=0.005)
