"""The measure of dead units and the initial weights as students write them, right and wrong."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from bnlib.exercises.relu_vs_sigmoid import (
    DEAD_SLIPS,
    STD_SLIPS,
    check_dead_share,
    check_initial_stds,
)
from bnlib.experiments.activation_measures import dead_share
from tests.exercises.student import named, written

# Dead units

SHORT = """
def dead(z):
    off = z <= 0
    return off.all(axis=1).mean(axis=1)
"""
AS_MAXIMUM = """
def dead(z):
    return (z.max(axis=1) <= 0).mean(axis=-1)
"""
AFTER_RELU = """
def dead(z):
    h = np.maximum(z, 0)
    working = (h > 0).any(1)
    return 1 - working.sum(1) / z.shape[2]
"""
LOOP = """
def dead(z):
    shares = []
    for layer in z:
        count = 0
        for unit in layer.T:
            count += all(unit <= 0)
        shares.append(count / layer.shape[1])
    return np.array(shares)
"""


def library(z):
    return np.array([dead_share(layer) for layer in z])


RIGHT_DEAD = {
    "short": written(SHORT),
    "the largest input": written(AS_MAXIMUM),
    "after ReLU": written(AFTER_RELU),
    "a loop": written(LOOP),
    "the library": library,
}
MEAN = "off.all(axis=1).mean(axis=1)"
WRONG_DEAD = {
    "any where all belongs": [(".all(", ".any(")],
    "the wrong axis": [("all(axis=1)", "all(axis=2)")],
    "< 0 where <= 0 belongs": [("<=", "<")],
    "the sign turned round": [("<=", ">=")],
    "the share of inputs that are off": [(MEAN, "off.mean(axis=(1, 2))")],
    "judged by the mean input": [("z <= 0", "z.mean(axis=1, keepdims=True) <= 0")],
    "judged by one image": [(MEAN, "off[:, 0].mean(axis=1)")],
    "the share of units that are alive": [(MEAN, f"1 - {MEAN}")],
    "a number of units where a share belongs": [(MEAN, "off.all(axis=1).sum(axis=1)")],
    "per cent": [(MEAN, f"100 * {MEAN}")],
}

# Initial weights

ONE_LINE = """
def stds(sizes, kept):
    n_in = sizes[:-1]
    share = np.array([1] + [kept] * (len(n_in) - 1))
    return np.sqrt(1 / (n_in * share))
"""
STEP_BY_STEP = """
def stds(sizes, kept):
    found, arriving = [], 1.0
    for n_in in sizes[:-1]:
        found.append((n_in * arriving) ** -0.5)
        arriving = kept
    return np.array(found)
"""
IN_PLACE = """
def stds(sizes, kept):
    std = 1 / np.sqrt(sizes[:-1] * kept)
    std[0] *= np.sqrt(kept)
    return std
"""
RIGHT_STDS = {
    "in one line": written(ONE_LINE),
    "step by step": written(STEP_BY_STEP),
    "the first one mended": written(IN_PLACE),
}
ROOT, PRODUCT = "np.sqrt(1 / (n_in * share))", "n_in * share"
WRONG_STDS = {
    "the units above counted (fan-out)": [("sizes[:-1]", "sizes[1:]")],
    "Glorot's mean of both numbers of units": [("sizes[:-1]", "(sizes[:-1] + sizes[1:]) / 2")],
    "the variance where the standard deviation belongs": [(ROOT, "1 / (n_in * share)")],
    "what the activation takes away is forgotten": [(PRODUCT, "n_in")],
    "the activation counted in the first layer as well": [(PRODUCT, "n_in * kept")],
    "multiplied by the share that is kept": [(ROOT, "np.sqrt(share / n_in)")],
    "the share that is kept outside of the root": [(ROOT, "1 / np.sqrt(n_in) / share")],
    "the share of ReLU, whatever is handed over": [("[kept]", "[0.5]")],
    "the limit of a uniform distribution": [(ROOT, "np.sqrt(3 / (n_in * share))")],
}

CASES = [
    *((check_dead_share, SHORT, *wrong) for wrong in WRONG_DEAD.items()),
    *((check_initial_stds, ONE_LINE, *wrong) for wrong in WRONG_STDS.items()),
]


@pytest.mark.parametrize(
    ("check", "style"),
    [
        *((check_dead_share, style) for style in RIGHT_DEAD.items()),
        *((check_initial_stds, style) for style in RIGHT_STDS.items()),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_every_right_style_is_right(check, style):
    finding = check(style[1])
    assert finding.right, finding


@pytest.mark.parametrize(("check", "source", "slip", "edits"), CASES, ids=[c[2] for c in CASES])
def test_a_slip_is_named(check, source, slip, edits):
    assert named(check(written(source, *edits))) == {slip}


def test_two_slips_at_once_are_named():
    both = written(SHORT, (".all(", ".any("), ("<=", "<"))
    assert named(check_dead_share(both)) == {"any where all belongs", "< 0 where <= 0 belongs"}


def test_every_known_slip_is_tested():
    assert [slip.name for slip in DEAD_SLIPS] == [*WRONG_DEAD]
    assert [slip.name for slip in STD_SLIPS] == [*WRONG_STDS]


def test_the_smallest_cases_can_be_done_on_paper():
    any_for_all = check_dead_share(written(SHORT, *WRONG_DEAD["any where all belongs"])).says
    assert any_for_all.splitlines()[-3:] == [
        "  with z = [[[-1, 2], [-3, -4], [-2, 1]]]",
        "  expected share = [0.5]",
        "  got      share = [1]",
    ]
    fan_out = check_initial_stds(written(ONE_LINE, ("sizes[:-1]", "sizes[1:]"))).says
    assert fan_out.splitlines()[-3:-1] == [
        "  with sizes = [4, 9, 16], kept = 0.25",
        "  expected stds = [0.5, 0.6667]",
    ]


@pytest.mark.parametrize(
    ("check", "stub", "wanted"),
    [
        (check_dead_share, "def dead(z):\n    ...", "share"),
        (check_initial_stds, "def stds(sizes, kept):\n    ...", "stds"),
    ],
)
def test_a_stub_is_not_written_yet(check, stub, wanted):
    assert check(written(stub)).says == f"Not written yet. Your function is to return {wanted}."


@settings(max_examples=12, deadline=None, derandomize=True)
@given(
    st.sampled_from(
        [
            (check_dead_share, SHORT, "off = z <= 0", "off = z <= {0}"),
            (check_dead_share, SHORT, "mean(axis=1)", "mean(axis=1) + {0}"),
            (check_initial_stds, ONE_LINE, ROOT, f"{ROOT} * (1 + {{0}})"),
            (check_initial_stds, ONE_LINE, ROOT, f"{ROOT} - {{0}}"),
        ]
    ),
    st.floats(0.5, 1),
)
def test_a_term_that_is_off_is_never_right(case, size):
    check, source, old, new = case
    assert check(written(source, (old, new.format(size)))).says.startswith("Not yet: ")
