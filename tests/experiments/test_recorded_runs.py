"""Recorded trainings are what they were, but for the rounding that is promised."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from bnlib.experiments.data import load_digits
from bnlib.experiments.recorded_runs import STEPS, PackedInputs, record_of_images, record_of_units
from bnlib.experiments.runs import Variant, batch_norm
from bnlib.explorers.compared_trainings import trained

INPUTS = arrays(
    np.float32,
    array_shapes(min_dims=4, max_dims=4, max_side=5),
    elements=st.floats(-1e6, 1e6, width=32),
)


@given(INPUTS, st.sampled_from([0, 2]))
def test_inputs_are_half_a_step_off_at_most(inputs, axis):
    packed = PackedInputs.of(inputs, axis)
    expected = np.sort(inputs, axis=2) if axis == 2 else inputs
    step = np.ptp(inputs, axis=2, keepdims=True) / STEPS
    off = np.abs(packed.unpacked().astype(float) - expected)
    assert (off <= step / 2 + 1e-6 * np.abs(inputs).max()).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_no_number_is_refused(bad):
    with pytest.raises(ValueError, match="expected finite inputs"):
        PackedInputs.of(np.array([[[[1.0], [bad]]]]), axis=0)


@pytest.mark.parametrize("record", [record_of_images, record_of_units])
def test_a_record_says_what_the_trainings_say(record):
    variants = (Variant("plain"), Variant("with BN", {"norm": batch_norm}))
    runs = trained(variants, depth=2, steps=4, snapshots=3)
    kept = record(runs)
    assert (kept.depth, kept.steps, kept.examples) == (2, [*runs.steps], len(load_digits().y_train))
    for label, recorder in runs.recorders.items():
        assert kept.recorders[label].accuracy == [*recorder.accuracy]
        unit = runs.unit_inputs(label, 1, 5)
        expected = np.sort(unit, axis=1) if record is record_of_units else unit
        half = float(np.ptp(unit)) / STEPS / 2
        assert kept.unit_inputs(label, 1, 5) == pytest.approx(expected, abs=half * 1.01)
