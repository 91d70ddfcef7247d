"""The spread over a batch, and a repair of activations, as students write them."""

import numpy as np
import pytest

from bnlib.exercises.start_here import REPAIR_SIGNS, SLIPS, check_repair, check_spread
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


RIGHT_REPAIRS = {
    "less one image, magnified": "return (a - a[0]) * 1e4",
    "from 0 to 1": "return (a - a.min(axis=0)) / (a.max(axis=0) - a.min(axis=0))",
    "around the middle": "m = np.sort(a, axis=0)[50]\n    return (a - m) * 10_000",
    "the mean, by hand": "m = sum(a) / len(a)\n    return (a - m) / max(abs(a - m).ravel())",
    "less any other row": "return 20_000 * (a - a[57])",
}
WRONG_REPAIRS = {
    "all images are alike now": "return a - a",
    "nothing has changed": "return a",
    "each unit is only multiplied": "return a / a.std(axis=0)",
    "one number is subtracted from all units": "return a - 0.5",
    "each image gets a number of its own subtracted": "return a - a.mean(axis=1, keepdims=True)",
    "the right thing is subtracted, and nothing is magnified": "return a - a.mean(axis=0)",
    "the images still share too much, or differ too little": "return (a - 0.5) * 1e4",
    "it works, and it uses mean or std": "return (a - a.mean(axis=0)) / a.std(axis=0)",
}


def repair(body):
    return written(f"def f(a):\n    {body}")


@pytest.mark.parametrize("way", RIGHT_REPAIRS)
def test_every_right_repair_is_right(way):
    found = check_repair(repair(RIGHT_REPAIRS[way]))
    assert found.right, found


def test_every_sign_of_a_repair_is_tried():
    assert WRONG_REPAIRS.keys() == {sign.name for sign in REPAIR_SIGNS}


@pytest.mark.parametrize("sign", WRONG_REPAIRS)
def test_a_wrong_repair_is_named(sign):
    found = check_repair(repair(WRONG_REPAIRS[sign]))
    assert not found.right and sign in found.says


@pytest.mark.parametrize("body", ["return a[0]", "return 3", "return a - a[0] + np.nan"])
def test_a_repair_of_another_form_is_refused(body):
    assert check_repair(repair(body)).says.startswith("Not yet")


def test_a_repair_may_be_a_stub_raise_or_be_no_function():
    assert check_repair(repair("...")).says.startswith("Not written yet")
    assert "NameError in line 2" in check_repair(repair("return a - missing")).says
    assert "not a function" in check_repair(3).says
