"""The clinic: examinations, illnesses by their signs, and treatments.

A patient is a set of options; an illness changes some of them, and so does a treatment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnlib.experiments.charts import Chart, Patient


@dataclass(frozen=True)
class Examination:
    """One that can be ordered.

    Attributes:
        label: what is examined, in a word or two.
        question: that it answers.
        values: what of a chart is to be seen.
        note: the same in numbers, at most three short lines; a format string that gets the chart
            as `c`.
    """

    label: str
    question: str
    values: Callable[[Chart], NDArray]
    note: str


LAYER = (
    "std over images {{c.{0}.over_images:.3f}} (train {{c.{0}.in_training_mode:.2f}})\n"
    "std over units {{c.{0}.over_units:.2f}}\n"
    "beyond ±3: {{c.{0}.beyond:.0%}}, dead: {{c.{0}.dead:.0%}}"
)
EXAMINATIONS = {
    "loss": Examination(
        "loss",
        "Does it come down,\nrest, or jump?",
        lambda c: c.losses,
        "mean of the last 30 steps:\n{c.late_loss:.2f} (a guess: 2.30)",
    ),
    "modes": Examination(
        "both modes",
        "Do training and\nevaluation mode\nagree?",
        lambda c: c.accuracies,
        "new images: {c.in_training:.0%} train,\n{c.in_evaluation:.0%} eval",
    ),
    "first": Examination(
        "first layer",
        "What goes into the\nfirst activations?\nIs it still alive?",
        lambda c: c.first.inputs,
        LAYER.format("first"),
    ),
    "gradients": Examination(
        "gradients",
        "How much reaches\nthe first layer?",
        lambda c: c.gradients,
        "norms in the last step: {c.gradients[0]:.2g}\nfirst layer, {c.gradients[5]:.2g} last",
    ),
    "mates": Examination(
        "batch-mates",
        "Do other batch-mates\nchange an answer?",
        lambda c: np.array([c.truth, *c.answers]),
        "other mates change the answer\nto {c.wavering:.0%} of 40 images",
    ),
    "last": Examination(
        "last layer",
        "What goes into the\nlast activations?\nIs it still alive?",
        lambda c: c.last.inputs,
        LAYER.format("last"),
    ),
}


@dataclass(frozen=True)
class Illness:
    """What is wrong with a patient, and how one knows.

    Attributes:
        what: a sentence, to follow the name.
        change: the options of a healthy patient that it changes.
        treatment: the name of the one that cures it.
        twin: the illness that looks most like it, by name.
        sign: what decides between the two; a format string that gets the chart as `c`.
        fits: whether a chart shows this illness; no other one fits the charts of its patients.
    """

    what: str
    change: Mapping[str, Any]
    treatment: str
    twin: str
    sign: str
    fits: Callable[[Chart], bool]


LEAVE_ALONE = "leave it alone"
TREATMENTS: dict[str, Mapping[str, Any]] = {  # name → options of a patient that it changes
    LEAVE_ALONE: {},
    "put BN before each activation": {"norm": True},
    "normalize over the batch axis": {"axis": 0},
    "call model.train() to train": {"training": True},
    "call model.eval() to answer": {"served_in": 0},
    "let the running averages catch up": {"caught_up": True},
    "draw Glorot's initial weights": {"init": "xavier"},
    "start the biases at 0": {"bias": 0.0},
    "lower the rate to 0.1": {"lr": 0.1},
}
GUESSING = 2.5  # a loss that has settled at ln 10 = 2.3, that of a guess, stays below
NOT_LEARNT, LEARNT = 0.5, 0.8  # accuracies


def _never_learnt(c: Chart) -> bool:
    """Whether it is wrong in both modes, and its loss has come to rest."""
    return max(c.in_training, c.in_evaluation) < NOT_LEARNT and c.late_loss < 2 * GUESSING


def _lost_the_images(c: Chart) -> bool:
    """Whether, besides, the last layer says the same to all of them, in either mode, yet works."""
    works = c.last.dead < 0.5 and c.last.beyond < 0.5
    return _never_learnt(c) and works and c.last.in_training_mode < 0.5


ILLNESSES: dict[str, Illness] = {
    "healthy": Illness(
        "It learns, and it answers as well as it has learnt.",
        {},
        LEAVE_ALONE,
        "eval() forgotten",
        "in service {c.in_service:.0%} are right, and batch-mates change the answer to "
        "{c.wavering:.0%} of the images",
        lambda c: c.in_service > LEARNT,
    ),
    "wrong axis": Illness(
        "Its norm takes mean and variance over the units of each image, not over the batch: that "
        "is layer normalization, good elsewhere, but not against units that say the same to all.",
        {"axis": 1},
        "normalize over the batch axis",
        "vanished signal",
        "in the last layer an image's inputs vary by {c.last.over_units:.2f} over the units, "
        "near 1 as after a norm, and a unit's by {c.last.over_images:.3f} over the images",
        lambda c: _lost_the_images(c) and c.last.over_units > 0.6,
    ),
    "eval() forgotten": Illness(
        "It has learnt well, but answers in training mode, in batches of 3.",
        {"served_in": 3},
        "call model.eval() to answer",
        "averages too young",
        "evaluation mode has {c.in_evaluation:.0%} right, and batch-mates change the answer to "
        "{c.wavering:.0%} of the images",
        lambda c: c.in_service < LEARNT < c.in_evaluation,
    ),
    "averages too young": Illness(
        "It has learnt well, but with a momentum of 0.01 its running averages are still near the "
        "0 and 1 that they started from.",
        {"momentum": 0.01},
        "let the running averages catch up",
        "eval() forgotten",
        "training mode has {c.in_training:.0%} right, evaluation mode {c.in_evaluation:.0%}",
        lambda c: c.in_evaluation < NOT_LEARNT and c.in_training > LEARNT,
    ),
    "trained in eval mode": Illness(
        "It was in evaluation mode while it trained, so its BN used the 0 and 1 that the running "
        "averages start from: it normalized nothing.",
        {"training": False},
        "call model.train() to train",
        "vanished signal",
        "over the images the last layer's inputs vary by {c.last.over_images:.3f}, and in training "
        "mode they would by {c.last.in_training_mode:.2f}: there is BN, and it has been off",
        lambda c: _never_learnt(c) and c.last.over_images < 0.2 < c.last.in_training_mode,
    ),
    "dead ReLU": Illness(
        "Its biases start at −2, below anything that the weights bring: the units give 0 for every "
        "image, no gradient comes back, and so it stays. A step far too large ends there too.",
        {"activation": "relu", "init": "he", "norm": False, "lr": 0.1, "bias": -2.0},
        "start the biases at 0",
        "vanished signal",
        "{c.last.dead:.0%} of the last layer's units are dead, and no gradient reaches the first",
        lambda c: _never_learnt(c) and c.last.dead > 0.5,
    ),
    "vanished signal": Illness(
        "Six sigmoid layers without BN, with small weights: each lets less of the difference "
        "between two images through, until the last layer says the same to all.",
        {"norm": False},
        "put BN before each activation",
        "wrong axis",
        "in the last layer an image's inputs vary by only {c.last.over_units:.2f} over the units: "
        "no norm has made that 1",
        lambda c: _lost_the_images(c) and c.last.over_units < 0.6,
    ),
    "saturated": Illness(
        "Its initial weights are so large that the activations end up in their flat parts, where "
        "the last layer says nearly the same to every image.",
        {"activation": "tanh", "init": 1.0, "norm": False, "lr": 0.1},
        "draw Glorot's initial weights",
        "vanished signal",
        "{c.last.beyond:.0%} of the last layer's inputs lie beyond ±3",
        lambda c: _never_learnt(c) and c.last.beyond > 0.5 > c.last.dead,
    ),
    "rate too high": Illness(
        "Each step overshoots: the loss jumps about and settles nowhere. BN allows for larger "
        "steps, but not for steps as large as these.",
        {"activation": "tanh", "lr": 6.0},
        "lower the rate to 0.1",
        "saturated",
        "the loss goes on jumping, at {c.late_loss:.0f} on average over the last 30 steps, "
        "instead of resting at the 2.3 of a guess",
        lambda c: c.in_service < NOT_LEARNT and c.late_loss > 2 * GUESSING,
    ),
}
SEEDS = 5
PATIENTS = SEEDS * len(ILLNESSES)


def admitted(number: int) -> tuple[str, Patient]:
    """Return the illness, by name, and the patient with a `number` from 1 to 45.

    Each illness comes with five seeds; the numbers are shuffled and tell nothing.

    Raises:
        ValueError: there is no such number.
    """
    if not 1 <= number <= PATIENTS:
        raise ValueError(f"expected a number from 1 to {PATIENTS}, got {number}")
    place = int(np.random.default_rng(0).permutation(PATIENTS)[number - 1])
    illness = [*ILLNESSES][place % len(ILLNESSES)]
    return illness, Patient(seed=place // len(ILLNESSES), **ILLNESSES[illness].change)


def treated(patient: Patient, treatment: str) -> Patient:
    """Return who a patient would be with a treatment from the start, whether it helps or not."""
    return replace(patient, **TREATMENTS[treatment])


def verdict(illness: str, named: str, treatment: str, before: Chart, after: float) -> str:
    """Return what is to be said of a diagnosis and a treatment, and of the sign that decides.

    Args:
        illness: the name of the true one.
        named: of the one that was named.
        treatment: of the one that was carried out.
        before: the chart of the patient.
        after: the share of right answers in service, 0 to 1, with the treatment.
    """
    true = ILLNESSES[illness]
    said = (
        f"You say “{named}”, and so it is."
        if named == illness
        else (f"You say “{named}”; it is “{illness}”.")
    )
    decides = f"It looks most like “{true.twin}”; what decides: {true.sign.format(c=before)}."
    effect = f"“{treatment}”: from {before.in_service:.0%} to {after:.0%} right in service"
    if after > LEARNT:
        effect += "."
    else:
        effect += f", no cure. What helps: {true.treatment}."
    return " ".join([said, true.what, decides, f"Treatment {effect}"])
