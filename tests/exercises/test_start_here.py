"""The spread over a batch as students write it, right and wrong."""

import numpy as np
import pytest

from bnlib.exercises.start_here import SLIPS, check_spread
from bnlib.experiments.signal_propagation import spread
from tests.exercises.student import written

LOOP = """
def spread(activations):
    total = 0
    for unit in activations.T:
        total += sum((unit - sum(unit) / len(unit)) ** 2 / len(unit)) ** 0.5
    return total / activations.shape[1]
"""
TORCH_LIKE = """
def spread(activations):
    return activations.std(0).mean()
"""
ONE_ENTRY = """
def spread(activations):
    centred = activations - activations.mean(axis=0, keepdims=True)
    return np.sqrt((centred ** 2).mean(axis=0)).mean(keepdims=True)
"""
RIGHT = {
    "the library": spread,
    "a loop": written(LOOP),
    "as in torch": written(TORCH_LIKE),
    "an array of one entry": written(ONE_ENTRY),
}
WRONG = {
    "the spread over the units of each image": "return activations.std(axis=1).mean()",
    "one spread of the whole array": "return activations.std()",
    "the variance": "return activations.var(axis=0).mean()",
    "divided by N - 1": "return activations.std(axis=0, ddof=1).mean()",
    "one spread for each unit": "return activations.std(axis=0)",
    "the largest of the spreads": "return float(activations.std(axis=0).max())",
    "the sum of the spreads": "return activations.std(axis=0).sum()",
}


@pytest.mark.parametrize("style", RIGHT)
def test_every_right_style_is_right(style):
    assert check_spread(RIGHT[style]).right


def test_every_slip_is_tried():
    assert WRONG.keys() == {slip.name for slip in SLIPS}


@pytest.mark.parametrize("slip", WRONG)
def test_a_slip_is_named(slip):
    finding = check_spread(written(f"def f(activations):\n    {WRONG[slip]}"))
    assert not finding.right and slip in finding.says


def test_two_slips_at_once_are_named():
    finding = check_spread(lambda a: a.var(axis=1).mean())
    assert not finding.right


@pytest.mark.parametrize("body", ["...", "return None", "raise NotImplementedError"])
def test_a_stub_is_not_written_yet(body):
    assert check_spread(written(f"def f(activations):\n    {body}")).says.startswith("Not written")


def test_what_is_no_function_is_refused():
    assert "this is a float" in check_spread(0.2).says
    assert "takes ()" in check_spread(lambda: 0).says


def test_the_students_own_line_is_shown():
    finding = check_spread(written("def f(activations):\n    return activations / missing"))
    assert "NameError in line 2" in finding.says


def test_something_unforeseen_shows_the_case():
    finding = check_spread(lambda a: 0.5 + np.mean(a))
    assert not finding.right and "expected spread" in finding.says
