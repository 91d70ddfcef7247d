"""The gradient of the first step, beside what the recorder sees of it."""

import numpy as np
import pytest

from bnlib.experiments.comparison import Comparison
from bnlib.experiments.first_step import gradient_norms
from bnlib.experiments.runs import Variant, batch_norm


@pytest.mark.parametrize("norm", [None, batch_norm])
def test_it_is_what_the_recorder_sees(norm):
    options = {"activation": "relu", "norm": norm}
    run = Comparison([Variant("a", options)], depth=4, init="he", lr=0.1, steps=1, seed=3)
    list(run.train())
    norms = gradient_norms(4, "he", 3, **options)
    assert norms.shape == (4,) and np.allclose(norms, run.recorders["a"].gradient_norms[1])
