"""The map of initial weights and rates."""

import numpy as np
import pytest

from bnlib.experiments import border
from bnlib.experiments.border import CELLS, INITS, RATES, Place

NAN = np.nan


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """Fewer steps, and nothing known at first."""
    monkeypatch.setattr(border, "STEPS", 10)
    monkeypatch.setattr(border, "_known", {})


def test_every_cell_has_a_bit_that_javascript_can_hold():
    assert len(CELLS) == len(INITS) * len(RATES) <= 53


def test_a_place_is_trained_once(monkeypatch):
    asked = [Place(True, 4, 3, 0), Place(False, 0, 6, 0), Place(True, 4, 3, 1)]
    first = border.accuracies(asked)
    assert [*first] == asked and all(0 <= share <= 1 for share in first.values())
    monkeypatch.delattr(border, "_training")
    assert border.accuracies(asked) == first


def test_what_is_remembered_is_not_trained(monkeypatch):
    monkeypatch.delattr(border, "_training")
    place = Place(False, 2, 2, 0)
    border.remember({place: 0.25})
    assert border.accuracies([place]) == {place: 0.25}


def test_the_whole_map_comes_row_by_row():
    course = [*border.whole_map(with_bn=False, seed=0)]
    shares = [share for share, _ in course]
    assert shares == sorted(shares) and shares[-1] == 1 and len(shares) > 10 * len(INITS)
    unknown = [int(np.isnan(seen).sum()) for _, seen in course]
    assert sorted({*unknown}, reverse=True) == [49, 42, 35, 28, 21, 14, 7, 0]
    assert unknown == sorted(unknown, reverse=True)
    np.testing.assert_array_equal(course[0][1], np.full((7, 7), np.nan))
    assert len([*border.whole_map(with_bn=False, seed=0)]) == len(INITS)  # it is remembered


@pytest.mark.parametrize(
    ("known", "guess"),
    [
        ([[1, NAN, NAN]], [[1, 1, 1]]),
        ([[1, NAN, NAN, 0]], [[1, 1, 0, 0]]),
        ([[1, NAN, 0]], [[1, 0.5, 0]]),  # equally near: their mean
        ([[1, NAN], [NAN, 0]], [[1, 0.5], [0.5, 0]]),
    ],
)
def test_a_cell_is_guessed_from_its_nearest(known, guess):
    np.testing.assert_array_equal(border.guessed(np.array(known, float)), guess)
