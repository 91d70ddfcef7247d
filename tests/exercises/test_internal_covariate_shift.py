"""The shift and the noise as students write them, right and wrong."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from bnlib.exercises.internal_covariate_shift import (
    SHIFT,
    SLIPS,
    check_noise,
    check_shift,
)
from bnlib.experiments.shift import distance_travelled
from tests.exercises.student import named, written

VECTORIZED = """
def shift(inputs, steps):
    mu = inputs.mean(axis=1)
    sigma = inputs.std(axis=1)
    of_mean = np.abs(np.diff(mu, axis=0))
    of_spread = np.abs(np.diff(sigma, axis=0))
    shares = (of_mean + of_spread) / sigma[:-1]
    return 100 * shares.sum(axis=0) / (steps[-1] - steps[0])
"""
LOOP = """
def shift(inputs, steps):
    looks, images, units = inputs.shape
    total = np.zeros(units)
    for unit in range(units):
        for k in range(looks - 1):
            now, then = inputs[k, :, unit], inputs[k + 1, :, unit]
            total[unit] += (abs(then.mean() - now.mean()) + abs(then.std() - now.std())) / now.std()
    return total * 100 / (steps[-1] - steps[0])
"""
ONE_LOOK_AFTER_THE_OTHER = """
def shift(inputs, steps):
    looks = [(z.mean(0), z.var(0) ** 0.5) for z in inputs]
    pairs = zip(looks, looks[1:])
    travelled = [(abs(n - m) + abs(t - s)) / s for (m, s), (n, t) in pairs]
    return sum(travelled) / ((steps[-1] - steps[0]) / 100)
"""
RIGHT = {
    "vectorized": written(VECTORIZED),
    "a loop": written(LOOP),
    "one look after the other": written(ONE_LOOK_AFTER_THE_OTHER),
    "the library": distance_travelled,
}


@pytest.mark.parametrize("style", RIGHT)
def test_every_right_style_is_right(style):
    finding = check_shift(RIGHT[style])
    assert finding.right, finding


MEAN, SPREAD, UNIT = "inputs.mean(axis=1)", "inputs.std(axis=1)", "sigma[:-1]"
BOTH = "(of_mean + of_spread)"
WRONG = {
    "mean and spread over the wrong axis": [("axis=1", "axis=2")],
    "one mean and one spread for all units": [
        (MEAN, "inputs.mean(axis=(1, 2))[:, None].repeat(inputs.shape[2], 1)"),
        (SPREAD, "inputs.std(axis=(1, 2))[:, None].repeat(inputs.shape[2], 1)"),
    ],
    "the variance for the spread": [("std", "var")],
    "N - 1 in the spread": [("std(axis=1", "std(axis=1, ddof=1")],
    "signed distances": [("np.abs", "")],
    "the distance of the mean alone": [(BOTH, "of_mean")],
    "the distance of the spread alone": [(BOTH, "of_spread")],
    "the straight line in the plane of mean and spread": [(BOTH, "np.hypot(of_mean, of_spread)")],
    "not divided by the spread": [(f" / {UNIT}", "")],
    "divided by the spread at the later look": [(UNIT, "sigma[1:]")],
    "always divided by the first spread": [(UNIT, "sigma[0]")],
    "the mean over the looks instead of their sum": [("shares.sum", "shares.mean")],
    "divided by the number of looks": [("(steps[-1] - steps[0])", "len(steps)")],
    "divided by the last step": [(" - steps[0]", "")],
    "per step": [("100 * ", "")],
}


@pytest.mark.parametrize("slip", WRONG)
def test_a_slip_of_the_measure_is_named(slip):
    assert named(check_shift(written(VECTORIZED, *WRONG[slip]))) == {slip}


def test_every_known_slip_is_tested():
    assert [slip.name for slip in SLIPS] == [*WRONG]


@pytest.mark.parametrize("slip", SLIPS, ids=lambda slip: slip.name)
def test_a_slip_is_taken_for_no_other_and_told_in_sentences(slip):
    assert check_shift(SHIFT.with_slips(slip)).says.startswith(f"Not yet: {slip.name}.\n")
    assert slip.why.endswith(".") and not slip.name.endswith(".")


def test_slips_made_together_are_all_named():
    slips = {"signed distances", "divided by the last step"}
    edits = [edit for slip in slips for edit in WRONG[slip]]
    assert named(check_shift(written(VECTORIZED, *edits))) == slips


def test_the_smallest_case_can_be_done_on_paper():
    says = check_shift(written(VECTORIZED, *WRONG["per step"])).says
    assert says.splitlines()[-3:] == [
        "  with inputs = [[[0], [2]], [[3], [5]], [[1], [5]]], steps = [10, 20, 60]",
        "  expected shift = [10]",
        "  got      shift = [0.1]",
    ]


def test_a_stub_is_not_written_yet():
    stub = written("def shift(inputs, steps):\n    ...")
    assert check_shift(stub).says == "Not written yet. Your function is to return shift."


def test_inputs_changed_in_place_are_named():
    spoils = written(VECTORIZED, (f"mu = {MEAN}", f"mu = {MEAN}; inputs -= 1"))
    assert named(check_shift(spoils)) == {"inputs changed in place"}


@settings(max_examples=12, deadline=None, derandomize=True)
@given(st.sampled_from(["mu", "sigma", "of_mean", "of_spread"]), st.floats(1e-3, 1))
def test_a_term_that_is_off_is_never_right(term, size):
    line = next(line for line in VECTORIZED.splitlines() if line.startswith(f"    {term} = "))
    wrong = written(VECTORIZED, (line, f"{line}; {term} = {term} * (1 + {size} * {term})"))
    assert check_shift(wrong).says.startswith("Not yet: ")


# The noise

DRAWS = """
def noise(y, training, rng):
    if not training:
        return y
    a = rng.uniform(0.5, 2, y.shape[1])
    b = rng.uniform(-1, 1, y.shape[1])
    return a * y + b
"""
STANDARD_UNIFORM = """
def noise(y, training, rng):
    b, a = 2 * rng.random((1, y.shape[1])) - 1, 0.5 + 1.5 * rng.random((1, y.shape[1]))
    return a * y + b if training else y.copy()
"""
UNIT_BY_UNIT = """
def noise(y, training, rng):
    z = y.copy()
    for unit in range(y.shape[1]):
        if training:
            z[:, unit] = rng.uniform(0.5, 2) * y[:, unit] + rng.uniform(-1, 1)
    return z
"""


@pytest.mark.parametrize("source", [DRAWS, STANDARD_UNIFORM, UNIT_BY_UNIT])
def test_every_right_noise_is_right(source):
    finding = check_noise(written(source))
    assert finding.right, finding


A, B, OUT = "rng.uniform(0.5, 2, y.shape[1])", "rng.uniform(-1, 1, y.shape[1])", "a * y + b"
WRONG_NOISE = {
    "no noise in training mode": [(OUT, "y")],
    "noise of its own for each image": [("y.shape[1]", "y.shape")],
    "one draw for all units": [(", y.shape[1]", "")],
    "shifted, not scaled": [(OUT, "y + b")],
    "scaled, not shifted": [(OUT, "a * y")],
    "one a for all units": [(A, "rng.uniform(0.5, 2)")],
    "one b for all units": [(B, "rng.uniform(-1, 1)")],
    "the noise is drawn once": [("    a =", "    rng = np.random.default_rng(0)\n    a =")],
    "a is drawn once": [(A, f"np.random.default_{A.replace('rng', 'rng(0)', 1)}")],
    "b is drawn once": [(B, f"np.random.default_{B.replace('rng', 'rng(0)', 1)}")],
    "one draw for both": [(B, "(a - 1.25) / 0.75")],
    "a has another distribution": [(A, "rng.normal(1, 0.5, y.shape[1])")],
    "the summand is scaled, too": [(OUT, "a * (y + b)")],
    "b has another distribution": [("-1, 1", "0, 1")],
    "noise in evaluation mode, too": [("not training", "False")],
    "y changed in place": [(OUT, "np.multiply(a, y, out=y) + b")],
}


@pytest.mark.parametrize("slip", WRONG_NOISE)
def test_a_slip_of_the_noise_is_named(slip):
    assert named(check_noise(written(DRAWS, *WRONG_NOISE[slip]))) == {slip}


def test_noise_of_each_image_alone_is_named():
    wrong = written(DRAWS, ("y.shape[1]", "(len(y), 1)"))
    assert named(check_noise(wrong)) == {"noise of its own for each image"}


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda y, training, rng: ..., "Not written yet"),
        (lambda y: y, "takes (y)"),
        (lambda y, training, rng: y[100], "raises IndexError"),
        (lambda y, training, rng: y[:1], "has the shape (1, 20), not (6, 20)"),
        (lambda y, training, rng: y * np.nan, "NaN"),
        (lambda y, training, rng: 3, "z is no array of numbers but int"),
        (lambda y, training, rng: rng.uniform(0, 2, 20) * y + rng.uniform(-1, 1, 20), "0.0"),
        (lambda y, training, rng: y if training else None, "no noise"),
        (1, "not a function"),
    ],
)
def test_what_is_no_noise_is_told_so(wrong, words):
    finding = check_noise(wrong)
    assert not finding.right and words in finding.says


def test_the_same_is_said_each_time():
    assert check_noise(written(DRAWS)) == check_noise(written(DRAWS))


@settings(max_examples=10, deadline=None, derandomize=True)
@given(st.floats(0.05, 1), st.sampled_from([A, B]))
def test_a_draw_that_is_off_is_never_right(size, term):
    assert not check_noise(written(DRAWS, (term, f"{term} * {1 + size}"))).right
