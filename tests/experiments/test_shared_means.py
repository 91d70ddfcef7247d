"""Which values share a mean, against the norms of NumPy."""

import numpy as np
import pytest

from bnlib.experiments.shared_means import company, marked, normalized
from bnlib.numpy_bn import BatchNorm
from bnlib.numpy_norms import GroupNorm, InstanceNorm, LayerNorm

SHAPE = 3, 6, 2, 4
X = np.random.default_rng(0).normal(3, 2, SHAPE)


@pytest.mark.parametrize("chosen", [(0, 0, 0, 0), (2, 3, 1, 2), (1, 5, 1, 3)])
@pytest.mark.parametrize(
    ("norm", "groups", "layer"),
    [
        ("BN", 1, BatchNorm(6)),
        ("LN", 1, LayerNorm(SHAPE[1:])),
        ("IN", 1, InstanceNorm(6)),
        ("GN", 2, GroupNorm(2, 6)),
        ("GN", 3, GroupNorm(3, 6)),
        ("GN", 1, LayerNorm(SHAPE[1:])),
        ("GN", 6, InstanceNorm(6)),
    ],
)
def test_a_value_is_normalized_by_its_company(norm, groups, layer, chosen):
    others = company(norm, chosen, 6, groups)
    assert normalized(X, chosen, others) == pytest.approx(layer(X)[chosen], abs=1e-12)


def test_all_of_the_company_is_marked_and_the_chosen_value_is_in_it():
    others = company("GN", (1, 4, 0, 0), 6, 2)
    values = marked(SHAPE, others)
    assert values.sum() == X[others].size == 3 * 2 * 4
    assert values[1, 3:].all() and not values[1, :3].any() and not values[[0, 2]].any()


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="divide the 6 channels, got 4"):
        company("GN", (0, 0, 0, 0), 6, 4)
    with pytest.raises(ValueError, match="expected a norm out of"):
        company("RMS", (0, 0, 0, 0), 6)
