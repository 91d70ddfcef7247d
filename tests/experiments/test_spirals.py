"""The two spirals, and the map of what a network sees in them."""

import numpy as np
import torch
from torch import nn

from bnlib.experiments.spirals import CELLS, EDGE, map_of_decisions, two_spirals


def test_the_points_depend_on_count_and_seed_alone():
    x, y = two_spirals(500, 3)
    again, _ = two_spirals(500, 3)
    assert (x.dtype, x.shape) == (np.float32, (500, 2)) and np.array_equal(x, again)
    assert (y.dtype, set(y)) == (np.int64, {0, 1})
    assert not np.array_equal(x, two_spirals(500, 4)[0])


def test_all_points_lie_on_the_map():
    assert np.abs(two_spirals(10_000, 0)[0]).max() < EDGE


def test_no_line_tells_the_classes_apart():
    x, y = two_spirals(10_000, 0)
    angles = np.linspace(0, np.pi, 50)
    sides = x @ np.stack([np.cos(angles), np.sin(angles)]) > 0  # of 50 lines through the middle
    right = (sides == y[:, np.newaxis]).mean(axis=0)
    assert np.all(np.abs(right - 0.5) < 0.3)


def test_half_a_turn_makes_one_spiral_the_other():
    x, y = two_spirals(20_000, 0)
    turned = np.where(y[:, np.newaxis] == 1, -x, x)
    for first, second in zip(turned[y == 0].T, turned[y == 1].T, strict=True):
        assert abs(first.mean() - second.mean()) < 0.03
        assert abs(first.std() - second.std()) < 0.03


def test_the_map_has_its_rows_from_the_bottom_up_and_keeps_the_mode():
    model = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.9))
    with torch.no_grad():
        model[0].weight.copy_(torch.tensor([[0.0, 0], [0, 5]]))  # class 1 lies above
        model[0].bias.zero_()
    seen = map_of_decisions(model.train())
    assert seen.shape == (CELLS, CELLS) and model.training
    assert np.all(seen[0] < 0.01) and np.all(seen[-1] > 0.99)
    assert np.allclose(seen, seen[:, :1])
