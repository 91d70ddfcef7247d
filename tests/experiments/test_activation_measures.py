"""What says how well a layer tells images apart."""

import numpy as np
import pytest

from bnlib.experiments.activation_measures import (
    activate,
    bands,
    dead_share,
    row_correlation,
    straight_share,
)

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_row_correlation_is_the_mean_over_all_pairs(dtype):
    rows = RNG.normal(size=(7, 20)) + RNG.normal(size=20)
    pairs = np.corrcoef(rows.astype(dtype))[~np.eye(7, dtype=bool)]
    assert row_correlation(rows.astype(dtype)) == pytest.approx(pairs.mean(), abs=1e-6)


def test_rows_that_are_alike_correlate_by_one_and_opposites_by_minus_one():
    row = RNG.normal(size=20)
    assert row_correlation(np.tile(row, (5, 1))) == pytest.approx(1)
    assert row_correlation(np.stack([row, 3 - 2 * row])) == pytest.approx(-1)


def test_a_row_of_one_value_has_no_correlation():
    assert np.isnan(row_correlation(np.zeros((5, 20))))


def test_rows_are_not_changed():
    rows = RNG.normal(size=(5, 20))
    before = rows.copy()
    row_correlation(rows)
    assert np.array_equal(rows, before)


def test_bands_are_what_rows_of_one_digit_have_in_common():
    digits, of_digit = np.arange(40) % 4, RNG.normal(size=(4, 300))
    noise = RNG.normal(size=(40, 300))
    assert bands(of_digit[digits], digits) == pytest.approx(1, abs=0.1)
    assert bands(of_digit[digits] + noise, digits) == pytest.approx(0.5, abs=0.1)
    assert abs(bands(noise, digits)) < 0.02
    assert abs(bands(noise + 3 * RNG.normal(size=300), digits)) < 0.02  # an offset for each unit


def test_bands_are_differences_of_mean_correlations():
    rows, digits = np.maximum(RNG.normal(size=(30, 20)), 0), RNG.integers(4, size=30)
    correlations, same = np.corrcoef(rows), digits[:, np.newaxis] == digits
    others = ~np.eye(30, dtype=bool)
    expected = correlations[same & others].mean() - correlations[~same].mean()
    assert bands(rows, digits) == pytest.approx(expected)


def test_a_unit_is_dead_if_no_image_passes():
    inputs = np.array([[-1.0, 0, 1, 2], [-2, 0, -1, 3]])  # (2 images, 4 units)
    assert dead_share(inputs) == 0.5
    assert dead_share(np.full((2, 4), 1e-9)) == 0


def test_activate():
    inputs = np.array([-1e30, -1, 0, 2, 1e30], np.float32)
    assert activate(inputs, "relu").tolist() == [0, 0, 0, 2, np.float32(1e30)]
    assert activate(inputs, "sigmoid") == pytest.approx([0, 0.26894, 0.5, 0.88080, 1], abs=1e-5)


def test_a_linear_layer_is_straight_and_noise_is_not():
    x = RNG.normal(size=(2000, 3)).astype(np.float32)
    assert straight_share(x, x @ RNG.normal(size=(3, 20)) + 7) == pytest.approx(1)
    assert straight_share(x, RNG.normal(size=(2000, 20))) < 0.01


def test_of_a_square_beside_a_line_the_line_is_straight():
    x = np.linspace(-1, 1, 1001)[:, np.newaxis]
    both = np.hstack([x / x.std(), x**2 / (x**2).std()])
    assert straight_share(x, both) == pytest.approx(0.5)
