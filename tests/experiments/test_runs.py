"""What is kept of trainings, and at which steps."""

import numpy as np
import pytest

from bnlib.experiments.runs import geometric_steps


@pytest.mark.parametrize(("last", "count"), [(1, 1), (10, 5), (1000, 60), (10**6, 60)])
def test_steps_are_dense_at_first_and_bounded(last, count):
    steps = geometric_steps(last, count)
    assert steps[0] == 0 and steps[-1] == last and len(steps) <= count + 1
    gaps = np.diff(steps)
    assert np.all(gaps >= 1) and gaps[0] == 1 and gaps[-1] == gaps.max()


@pytest.mark.parametrize(("last", "count"), [(0, 5), (5, 0)])
def test_impossible_steps_are_refused(last, count):
    with pytest.raises(ValueError, match=f"got {last} and {count}"):
        geometric_steps(last, count)
