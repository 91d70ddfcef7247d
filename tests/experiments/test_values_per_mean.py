"""How many values share a mean in the norms of a network."""

import pytest
import torch
from torch import nn

from bnlib.experiments.values_per_mean import values_per_mean


@pytest.mark.parametrize(
    ("norm", "values"),
    [
        (nn.BatchNorm2d(6), 5 * 4 * 3),
        (nn.GroupNorm(2, 6), 3 * 4 * 3),
        (nn.GroupNorm(6, 6), 4 * 3),
        (nn.LayerNorm([6, 4, 3]), 6 * 4 * 3),
        (nn.LayerNorm(3), 3),
    ],
)
def test_of_images(norm, values):
    assert values_per_mean(nn.Sequential(norm), torch.rand(5, 6, 4, 3)) == [values]


def test_in_their_order_and_the_network_stays_as_it_is():
    model = nn.Sequential(nn.Linear(7, 4), nn.BatchNorm1d(4), nn.Linear(4, 6), nn.LayerNorm(6))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    assert values_per_mean(model, torch.rand(3, 7)) == [3, 6]
    assert model.training and not model[1]._forward_pre_hooks
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_of_a_network_without_a_norm():
    assert values_per_mean(nn.Sequential(nn.Linear(7, 4)), torch.rand(3, 7)) == []
