"""Verdicts on the seven reports, and steps as students write them, right and wrong."""

import numpy as np
import pytest

from bnlib.exercises.why_it_works import (
    CONTROLS,
    REPORTS,
    SLIPS,
    STEP,
    VERDICTS,
    check_referee,
    check_step,
)
from tests.exercises.student import named, written

# Referee

RIGHT = {number: (report.verdict, report.control) for number, report in REPORTS.items()}


def test_the_right_verdicts_are_right():
    assert check_referee(RIGHT).right
    assert check_referee(dict(reversed(RIGHT.items()))).right


@pytest.mark.parametrize("number", REPORTS)
@pytest.mark.parametrize("verdict", VERDICTS)
@pytest.mark.parametrize("control", CONTROLS)
def test_any_other_verdict_is_wrong_and_this_report_alone_is_named(number, verdict, control):
    finding = check_referee({**RIGHT, number: (verdict, control)})
    assert finding.right == ((verdict, control) == RIGHT[number])
    if not finding.right:
        assert finding.says.startswith("Not yet: 1 of 7 reports.\n" + f"Report {number}: ")
        assert finding.says.count("Report ") == 1


NAMES = {
    (1, "supported", "a"): "a number that depends on the scale of the weights",
    (2, "undecided", "c"): "a control asked for where none is missing",
    (3, "supported", "a"): "one rate for both",
    (4, "supported", "a"): "a gap as small as chance",
    (5, "supported", "a"): "the start forgotten",
    (7, "supported", "a"): "two things that come together, taken for cause and effect",
    (3, "undecided", "b"): "a refutation overlooked",
    (7, "not supported", "e"): "no evidence for it, taken for evidence against it",
    (1, "not supported", "c"): "the right verdict, for another reason",
}


@pytest.mark.parametrize("case", NAMES)
def test_what_was_overlooked_is_named(case):
    number, verdict, control = case
    says = check_referee({**RIGHT, number: (verdict, control)}).says
    assert f"Report {number}: {NAMES[case]}." in says


def test_a_reason_does_not_give_the_letter_away():
    says = check_referee(dict.fromkeys(REPORTS, ("supported", "a"))).says
    assert says.startswith("Not yet: 5 of 7")
    assert not any(f"{verdict} " in says for verdict in ("not supported", "undecided"))


def test_all_kinds_of_verdicts_and_controls_occur():
    assert {verdict for verdict, _ in RIGHT.values()} == {*VERDICTS}
    assert {control for _, control in RIGHT.values()} == {*CONTROLS}


def test_the_stub_is_not_written_yet():
    assert check_referee(dict.fromkeys(REPORTS, ("?", "?"))).says.startswith("Not written yet")


@pytest.mark.parametrize(
    ("reports", "says"),
    [
        ({**RIGHT, 2: ("?", "?")}, "the verdict on report 2 is '?'"),
        ({k: v for k, v in RIGHT.items() if k != 3}, "nothing on report 3"),
        ({**RIGHT, 4: "undecided"}, "on report 4 expected"),
        ({**RIGHT, 5: ("wrong", "a")}, "the verdict on report 5 is 'wrong'"),
        ({**RIGHT, 5: ("undecided", "z")}, "the control on report 5 is 'z'"),
        ("undecided", "expected a dict"),
    ],
)
def test_what_cannot_be_read_is_told(reports, says):
    finding = check_referee(reports)
    assert not finding.right and says in finding.says


# The step

PLAIN = """
def step(u, r, g, lr, decay):
    w = r[:, None] * u
    w = w - lr * (g / r[:, None] + decay * w)
    length = np.sqrt((w**2).sum(axis=1))
    return w / length[:, None], length
"""
LOOP = """
def step(u, r, g, lr, decay):
    direction, length = np.zeros_like(u), np.zeros_like(r)
    for k in range(len(r)):
        w = (1 - lr * decay) * r[k] * u[k] - lr * g[k] / r[k]
        length[k] = np.linalg.norm(w)
        direction[k] = w / length[k]
    return direction, length
"""
ON_THE_SPHERE = """
def step(u, r, g, lr, decay):
    kept = 1 - lr * decay
    turned = kept * u - (lr / r**2)[:, np.newaxis] * g
    stretch = np.linalg.norm(turned, axis=1, keepdims=True)
    return turned / stretch, r * stretch[:, 0]
"""
PYTHAGORAS = """
def step(u, r, g, lr, decay):
    r = r.reshape(-1, 1)
    along, across = (1 - lr * decay) * r, lr * np.linalg.norm(g, axis=1, keepdims=True) / r
    length = np.hypot(along, across)
    return (along * u - lr * g / r) / length, length.ravel()
"""
STYLES = {"plain": PLAIN, "loop": LOOP, "on the sphere": ON_THE_SPHERE, "Pythagoras": PYTHAGORAS}


@pytest.mark.parametrize("style", STYLES)
def test_every_right_step_is_right(style):
    finding = check_step(written(STYLES[style]))
    assert finding.right, finding


GRADIENT, SHRINK, NORM = "g / r[:, None]", "decay * w", "np.sqrt((w**2).sum(axis=1))"
STEP_LINE = "w = w - lr * (g / r[:, None] + decay * w)"
WRONG = {
    "the gradient at the direction, taken for the one at the weights": [(GRADIENT, "g")],
    "the gradient divided by the length twice": [(GRADIENT, "g / r[:, None] ** 2")],
    "the gradient multiplied by the length": [(GRADIENT, "g * r[:, None]")],
    "weight decay forgotten": [(f" + {SHRINK}", "")],
    "decay of the direction instead of the weights": [(SHRINK, "decay * u")],
    "decay without the rate": [(STEP_LINE, "w = w - lr * g / r[:, None] - decay * w")],
    "uphill": [(STEP_LINE, "w = w - lr * (-g / r[:, None] + decay * w)")],
    "decay of the new weights": [
        (STEP_LINE, "w = (w - lr * g / r[:, None]) * (1 - lr * decay)"),
    ],
    "the direction not brought back to length 1": [("return w / length[:, None]", "return w")],
    "the old length": [("[:, None], length", "[:, None], r")],
    "the squared length": [("[:, None], length", "[:, None], length**2")],
    "one length for all units": [(NORM, "np.full(len(w), np.sqrt((w**2).sum()))")],
}


@pytest.mark.parametrize("slip", WRONG)
def test_a_slip_of_the_step_is_named(slip):
    assert named(check_step(written(PLAIN, *WRONG[slip]))) == {slip}


def test_two_slips_are_named_together():
    edits = WRONG["weight decay forgotten"] + WRONG["the old length"]
    assert named(check_step(written(PLAIN, *edits))) == {"weight decay forgotten", "the old length"}


def test_every_known_slip_is_tested():
    assert [slip.name for slip in SLIPS] == [*WRONG]


def test_the_first_case_can_be_done_on_paper():
    (u, r, g, lr, decay), *_ = STEP.stages[0]
    direction, length = STEP.right(u, r, g, lr, decay)
    np.testing.assert_allclose(length * direction, 0.95 * r * u - 0.25 * g)


@pytest.mark.parametrize("body", ["...", "raise NotImplementedError"])
def test_a_stub_is_not_written_yet(body):
    stub = written(f"def step(u, r, g, lr, decay):\n    {body}")
    assert check_step(stub).says == "Not written yet. Your function is to return direction, length."


@pytest.mark.parametrize("off", [0.5, 0.9, 1.1])
def test_a_term_that_is_off_is_never_right(off):
    wrong = written(PLAIN, (GRADIENT, f"{off} * {GRADIENT}"))
    assert check_step(wrong).says.startswith("Not yet: ")
