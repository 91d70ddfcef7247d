"""The exercises of lesson 11: referee claims, and a step of weights of which the direction counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from textwrap import fill, indent

import numpy as np
from numpy.typing import NDArray

from bnlib.exercises.checking import WIDTH, Exercise, Finding, Slip

# Referee: each report has one right verdict and one control that is missing.

VERDICTS = ("supported", "not supported", "undecided")
CONTROLS = {
    "a": "nothing is missing",
    "b": "each network at its own best rate",
    "c": "more seeds and more test images",
    "d": "the same function with other weights",
    "e": "an intervention on the claimed cause",
    "f": "the good start without what follows",
}


@dataclass(frozen=True)
class Report:
    """A claim with its experiment, as the notebook tells it.

    Attributes:
        verdict: the right one.
        control: the letter of what is missing.
        slip: what somebody overlooks who believes the claim, or who doubts one that stands.
        why: a sentence or two.
    """

    verdict: str
    control: str
    slip: str
    why: str


REPORTS = {
    1: Report(
        "not supported",
        "d",
        "a number that depends on the scale of the weights",
        "A second derivative has a unit. What would it be if the hidden weights with BN were a "
        "tenth as large, for the same loss on every image? Step 5 has done it.",
    ),
    2: Report(
        "supported",
        "a",
        "a control asked for where none is missing",
        "This is an identity: it was derived, and the losses agree to rounding. One seed would do "
        "to catch a mistake in the derivation; more cannot make it truer.",
    ),
    3: Report(
        "not supported",
        "b",
        "one rate for both",
        "A rate at which one network does well may be the other's worst. Look at the panels of "
        "step 2.",
    ),
    4: Report(
        "undecided",
        "c",
        "a gap as small as chance",
        "One training each, and a few images of 355: a share near 97 % has a standard error of 0.9 "
        "points, and another seed may turn the order round.",
    ),
    5: Report(
        "not supported",
        "f",
        "the start forgotten",
        "BN changes two things at once, the first step and all later ones. Step 6 has separated "
        "them.",
    ),
    6: Report(
        "supported",
        "a",
        "a control asked for where none is missing",
        "The claim is about the start, so no rate plays a part; the depth was varied, the network "
        "without BN is the control, and each seed says the same.",
    ),
    7: Report(
        "undecided",
        "e",
        "two things that come together, taken for cause and effect",
        "BN changes both. Is one the reason of the other, or do both have a third one? Lesson 03 "
        "has shown how such a question is decided for the shift.",
    ),
}


def check_referee(reports: Mapping[int, tuple[str, str]]) -> Finding:
    """Check the verdicts of a reader on the seven reports, and name what was overlooked.

    Args:
        reports: number of a report → (verdict, control), out of `VERDICTS` and the letters of
            `CONTROLS`.

    Returns: whether all are right, and what to do if not.
    """
    if words := _unreadable(reports):
        return Finding(False, words)
    wrong = {
        number: _overlooked(report, *reports[number])
        for number, report in REPORTS.items()
        if tuple(reports[number]) != (report.verdict, report.control)
    }
    if not wrong:
        return Finding(True, "Right: all seven, each with the control that decides it.")
    text = f"Not yet: {len(wrong)} of {len(REPORTS)} reports."
    for number, (name, why) in wrong.items():
        text += f"\nReport {number}: {name}.\n{indent(fill(why, WIDTH - 3), '   ')}"
    return Finding(False, text)


def _unreadable(reports: Mapping[int, tuple[str, str]]) -> str:
    """Return what is missing or unknown in the form of the verdicts, or nothing."""
    if not isinstance(reports, Mapping):
        return f"Not yet: expected a dict, number → (verdict, control), got {reports!r}."
    if all(set(pair) <= {"?", ""} for pair in reports.values() if isinstance(pair, tuple)):
        return "Not written yet. Put a verdict and a letter in the place of each '?'."
    if missing := REPORTS.keys() - reports.keys():
        return f"Not yet: there is nothing on report {min(missing)}."
    for number in REPORTS:
        pair = reports[number]
        if not isinstance(pair, tuple) or len(pair) != 2:
            return f"Not yet: on report {number} expected (verdict, letter), got {pair!r}."
        verdict, control = pair
        if verdict not in VERDICTS:
            return f"Not yet: the verdict on report {number} is {verdict!r}, not one of {VERDICTS}."
        if control not in CONTROLS:
            return f"Not yet: the control on report {number} is {control!r}, not one of a to f."
    return ""


def _overlooked(report: Report, verdict: str, control: str) -> tuple[str, str]:
    """Return the name of what was overlooked, and why it matters."""
    if verdict == report.verdict:
        return (
            "the right verdict, for another reason",
            f"You miss: {CONTROLS[control]}. Would its outcome, whichever it is, decide "
            f"this claim? {report.why}",
        )
    if "supported" in (verdict, report.verdict):
        return report.slip, report.why
    if report.verdict == "not supported":
        return (
            "a refutation overlooked",
            f"The control has been run in this course, and it speaks against the claim. "
            f"{report.why}",
        )
    return (
        "no evidence for it, taken for evidence against it",
        f"Nothing here speaks against the claim; it is only not shown. {report.why}",
    )


# A step of weights of which only the direction counts.


def _step(
    u: NDArray,
    r: NDArray,
    g: NDArray,
    lr: float,
    decay: float,
    *,
    gradient: Callable = lambda g, r: g / r[:, None],
    shrink: Callable = lambda w, u, lr, decay: lr * decay * w,
    moved: Callable = lambda w, lr, g, shrink: w - lr * g - shrink,
    norm: Callable = lambda w: np.sqrt((w**2).sum(axis=1)),
    direction: Callable = lambda w, length: w / length[:, None],
    length: Callable = lambda r, new: new,
) -> tuple[NDArray, NDArray]:
    """Take one step, in steps that a slip may replace."""
    w = r[:, None] * u
    w = moved(w, lr, gradient(g, r), shrink(w, u, lr, decay))
    new = norm(w)
    return direction(w, new), length(r, new)


SLIPS = (
    Slip(
        "the gradient at the direction, taken for the one at the weights",
        "g belongs to weights of length 1. At r u the same loss has the gradient g / r.",
        {"gradient": lambda g, r: g},
    ),
    Slip(
        "the gradient divided by the length twice",
        "At r u the gradient is g / r. The second r comes by itself, when the step is seen from "
        "the direction.",
        {"gradient": lambda g, r: g / r[:, None] ** 2},
    ),
    Slip(
        "the gradient multiplied by the length",
        "Longer weights turn less: the same change is a smaller share of them, so the loss feels "
        "it less, and the gradient is g / r.",
        {"gradient": lambda g, r: g * r[:, None]},
    ),
    Slip(
        "weight decay forgotten",
        "The step takes lr · decay · w off the weights as well.",
        {"shrink": lambda w, u, lr, decay: 0 * w},
    ),
    Slip(
        "decay of the direction instead of the weights",
        "What decays is w = r u, so the longer weights lose more.",
        {"shrink": lambda w, u, lr, decay: lr * decay * u},
    ),
    Slip(
        "decay without the rate",
        "In plain gradient descent decay is part of the gradient, so it is multiplied by lr too.",
        {"shrink": lambda w, u, lr, decay: decay * w},
    ),
    Slip(
        "uphill",
        "A step goes against the gradient.",
        {"moved": lambda w, lr, g, shrink: w + lr * g - shrink},
    ),
    Slip(
        "decay of the new weights",
        "Both parts of the step are taken from the old weights.",
        {"moved": lambda w, lr, g, shrink: (w - lr * g) * (w - shrink) / w},
    ),
    Slip(
        "the direction not brought back to length 1",
        "The new direction is w / |w| with the new weights in both places.",
        {"direction": lambda w, length: w},
    ),
    Slip(
        "the old length",
        "The step is at a right angle to the weights, so without decay they get longer each time.",
        {"length": lambda r, new: r},
    ),
    Slip(
        "the squared length",
        "Asked is the length itself, the root of the sum of squares.",
        {"length": lambda r, new: new**2},
    ),
    Slip(
        "one length for all units",
        "Each unit, a row, has a length and a direction of its own: sum over axis 1.",
        {"norm": lambda w: np.full(len(w), np.sqrt((w**2).sum()))},
    ),
)


def _cases() -> tuple[tuple, ...]:
    rng = np.random.default_rng(11)
    cases: list[tuple] = [
        (np.array([[0.6, 0.8]]), np.array([2.0]), np.array([[1.6, -1.2]]), 0.5, 0.1)
    ]
    for units, inputs, lr, decay in ((3, 3, 0.3, 0.2), (4, 6, 2.0, 0.05)):
        u = rng.normal(size=(units, inputs))
        u /= np.sqrt((u**2).sum(axis=1, keepdims=True))
        g = rng.normal(size=(units, inputs))
        g -= (g * u).sum(axis=1, keepdims=True) * u  # at a right angle, as with BN
        cases.append((u, rng.uniform(0.5, 3, units), g, lr, decay))
    return tuple(cases)


STEP = Exercise(
    right=_step,
    results=("direction", "length"),
    stages=(_cases(),),
    slips=SLIPS,
    praise="Right: without decay the length can only grow, and with it the rate falls.",
)


def check_step(f: Callable) -> Finding:
    """Check a step that a student wrote, and name the slip if there is one.

    Args:
        f: called as `f(u, r, g, lr, decay)`, with the directions u (units, inputs) of length 1,
            the lengths r (units,), and the gradients g (units, inputs) of the loss at weights u; it
            returns the direction and the length of each unit after a step of gradient descent on
            the weights r u with weight decay, (units, inputs) and (units,).

    Returns: whether it is right, and what to do if not.
    """
    return STEP.check(f)
