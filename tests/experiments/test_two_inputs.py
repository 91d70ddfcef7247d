"""One unit with BN and two inputs."""

import numpy as np
import pytest

from bnlib.experiments.two_inputs import SixOrNine, descend

UNIT = SixOrNine()
W = np.array([0.8, 0.3])


def test_the_inputs_are_those_of_the_sixes_and_nines():
    assert UNIT.inputs.shape == (len(UNIT.is_six), 2)
    np.testing.assert_allclose(UNIT.inputs.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(UNIT.inputs.std(axis=0), 1)
    upper, lower = UNIT.inputs[UNIT.is_six == 1].mean(axis=0)
    assert upper < 0 < lower  # a 6 has its loop below


def test_the_gradient_is_that_of_the_loss():
    _, gradient = UNIT.loss_and_gradient(W)
    for axis in range(2):
        step = np.zeros(2)
        step[axis] = 1e-6
        rise = UNIT.loss_and_gradient(W + step)[0] - UNIT.loss_and_gradient(W - step)[0]
        assert gradient[axis] == pytest.approx(rise / 2e-6, rel=1e-5)


def test_only_the_direction_counts():
    loss, gradient = UNIT.loss_and_gradient(W)
    tenfold, shorter = UNIT.loss_and_gradient(10 * W)
    assert tenfold == pytest.approx(loss, rel=1e-12)
    np.testing.assert_allclose(10 * shorter, gradient)
    assert gradient @ W == pytest.approx(0, abs=1e-12)


def test_weights_without_a_direction_are_refused():
    with pytest.raises(ValueError, match="expected weights with a direction"):
        UNIT.loss_and_gradient(np.zeros(2))


def test_each_step_goes_against_the_gradient_and_lengthens_the_weights():
    path = descend(UNIT, W, 0.3, 4)
    assert path.weights.shape == (5, 2) and path.losses.shape == (5,)
    _, gradient = UNIT.loss_and_gradient(path.weights[1])
    np.testing.assert_allclose(path.weights[2], path.weights[1] - 0.3 * gradient)
    lengths = np.linalg.norm(path.weights, axis=1)
    assert np.all(np.diff(lengths) > 0) and path.losses[-1] < path.losses[0]
