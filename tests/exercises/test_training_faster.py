"""Dropout, ghost batches and plans as students write them, right and wrong."""

import numpy as np
import pytest

from bnlib.exercises import training_faster
from bnlib.exercises.training_faster import (
    DROPOUT_SIGNS,
    GHOST_SLIPS,
    NETWORKS,
    TRAINED_SIGNS,
    Trained,
    check_dropout,
    check_ghost_batch_norm,
    check_plan,
)
from tests.exercises.student import named, written

# Dropout

DROPOUT = """
def dropout(x, p, training, rng):
    if not training:
        return x
    kept = rng.random(x.shape) >= p
    return x * kept / (1 - p)
"""
WHERE = """
def dropout(x, p, training, rng):
    if training:
        x = np.where(rng.random(x.shape) < p, 0, x / (1 - p))
    return x
"""
DRAWN = """
def dropout(x, p, training, rng):
    if not training:
        return x.copy()
    mask = rng.binomial(1, 1 - p, size=x.shape)
    out = np.zeros_like(x)
    out[mask == 1] = x[mask == 1] / (1 - p)
    return out
"""
LOOP = """
def dropout(x, p, training, rng):
    out = np.array(x)
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            if training:
                out[i, j] = 0 if rng.uniform() < p else x[i, j] * (1 / (1 - p))
    return out
"""
RIGHT_DROPOUTS = {"a mask": DROPOUT, "np.where": WHERE, "binomial": DRAWN, "a loop": LOOP}


@pytest.mark.parametrize("style", RIGHT_DROPOUTS)
def test_every_right_dropout_is_right(style):
    finding = check_dropout(written(RIGHT_DROPOUTS[style]))
    assert finding.right, finding


OFF, KEPT, SCALED = "    if not training:\n        return x\n", "rng.random(x.shape)", " / (1 - p)"
WRONG_DROPOUTS = {
    "x changed in place": [("return x * kept / (1 - p)", "x *= kept / (1 - p)\n    return x")],
    "the result has not the form of x": [("return x * kept", "return x.sum() * kept[0]")],
    "it drops in evaluation mode, too": [(OFF, "")],
    "scaled in evaluation mode instead of in training": [
        ("return x\n", "return x * (1 - p)\n"),
        (SCALED, ""),
    ],
    "scaled in evaluation mode": [("return x\n", "return x * (1 - p)\n")],
    "nothing is dropped in training": [(">= p", ">= 0")],
    "the whole batch shares one mask": [(KEPT, "rng.random(x.shape[1])")],
    "all units of an image share one number": [(KEPT, "rng.random((len(x), 1))")],
    "p is taken for the share that is kept": [(">= p", "< p")],
    "another share than p is dropped": [(KEPT, "rng.normal(size=x.shape)")],
    "not scaled": [(SCALED, "")],
    "divided by p": [(SCALED, " / p")],
    "multiplied by 1 − p": [(SCALED, " * (1 - p)")],
    "what is kept has the wrong factor": [(SCALED, " / (1 - p) ** 2")],
    "every call has the same mask": [("rng.random", "np.random.default_rng(0).random")],
    "the mask is not drawn from rng": [("rng.random(", "np.random.random_sample(")],
}


@pytest.mark.parametrize("slip", WRONG_DROPOUTS)
def test_a_slip_of_dropout_is_named(slip):
    assert named(check_dropout(written(DROPOUT, *WRONG_DROPOUTS[slip]))) == {slip}


def test_a_kept_share_that_is_scaled_to_match_is_named_as_well():
    edits = (">= p", "< p"), (SCALED, " / p")
    assert named(check_dropout(written(DROPOUT, *edits))) == {
        "p is taken for the share that is kept"
    }


def test_a_list_is_no_array():
    wrong = written(DROPOUT, ("return x\n", "return x.tolist()\n"))
    assert named(check_dropout(wrong)) == {"the result has not the form of x"}


def test_every_known_slip_of_dropout_is_tested():
    assert [sign.name for sign in DROPOUT_SIGNS] == [*WRONG_DROPOUTS]


# Ghost batches

RESHAPED = """
def ghost(x, size):
    groups = x.reshape(-1, size, x.shape[1])
    mean, var = groups.mean(axis=1, keepdims=True), groups.var(axis=1, keepdims=True)
    return ((groups - mean) / np.sqrt(var + 1e-5)).reshape(x.shape)
"""
SPLIT = """
def ghost(x, size):
    parts = np.split(x, len(x) // size)
    return np.concatenate([(p - p.mean(0)) / (p.var(0) + 1e-5) ** 0.5 for p in parts])
"""
FILLED = """
def ghost(x, size):
    out = np.empty_like(x)
    for start in range(0, len(x), size):
        group = x[start : start + size]
        centred = group - group.mean(axis=0)
        var = (centred**2).sum(axis=0) / size
        out[start : start + size] = centred / np.sqrt(var + 1e-5)
    return out
"""
RIGHT_GHOSTS = {"reshaped": RESHAPED, "split": SPLIT, "filled": FILLED}


@pytest.mark.parametrize("style", RIGHT_GHOSTS)
def test_every_right_ghost_batch_norm_is_right(style):
    finding = check_ghost_batch_norm(written(RIGHT_GHOSTS[style]))
    assert finding.right, finding


MEAN, VAR = "groups.mean(axis=1", "groups.var(axis=1"
WRONG_GHOSTS = {
    "the whole batch is one group": [("axis=1", "axis=(0, 1)")],
    "the variance is that of the whole batch": [(VAR, "groups.var(axis=(0, 1)")],
    "the mean is that of the whole batch": [(MEAN, "groups.mean(axis=(0, 1)")],
    "the images of a group do not stand together": [
        ("x.reshape(-1, size, x.shape[1])", "x.reshape(size, -1, x.shape[1]).swapaxes(0, 1)"),
        ("(var + 1e-5))", "(var + 1e-5)).swapaxes(0, 1)"),
    ],
    "the statistics are taken over the features": [("axis=1", "axis=2")],
    "one mean and one variance for all features of a group": [("axis=1", "axis=(1, 2)")],
    "the unbiased variance": [(VAR, "groups.var(ddof=1, axis=1")],
    "ε is missing": [(" + 1e-5", "")],
    "ε outside the root": [("np.sqrt(var + 1e-5)", "(np.sqrt(var) + 1e-5)")],
    "the variance in place of its root": [("np.sqrt(var + 1e-5)", "(var + 1e-5)")],
    "not centred": [("(groups - mean)", "groups")],
}  # fmt: skip


@pytest.mark.parametrize("slip", WRONG_GHOSTS)
def test_a_slip_of_ghost_batches_is_named(slip):
    assert named(check_ghost_batch_norm(written(RESHAPED, *WRONG_GHOSTS[slip]))) == {slip}


def test_a_mean_over_the_groups_deals_the_images_out():
    assert named(check_ghost_batch_norm(written(RESHAPED, ("axis=1", "axis=0")))) == {
        "the images of a group do not stand together"
    }


def test_every_known_slip_of_ghost_batches_is_tested():
    assert [slip.name for slip in GHOST_SLIPS] == [*WRONG_GHOSTS]


# A plan

WITHOUT, WITH = NETWORKS
GOOD = {WITHOUT: [0.01, 0.03, 0.1, 0.2, 0.5], WITH: [0.03, 0.1, 0.3, 1, 3], "seeds": 3}
REFUSED = [
    ({WITHOUT: [], WITH: [], "seeds": 1}, "Not written yet"),
    ([0.1], "a dict with the keys"),
    ({WITHOUT: [0.1]}, "a dict with the keys"),
    (GOOD | {"seeds": 2}, "fewer than three seeds"),
    (GOOD | {"seeds": 4}, "40 trainings, and you have 30"),
    (GOOD | {"seeds": 2.5}, "a whole number"),
    (GOOD | {WITHOUT: [0.1]}, "one rate only"),
    (GOOD | {WITH: []}, "fewer than three rates"),
    (GOOD | {WITHOUT: [0.1, 0.2]}, "fewer than three rates"),
    (GOOD | {WITH: [0.1, -1, 3]}, "positive numbers"),
]


@pytest.mark.parametrize(("plan", "words"), REFUSED)
def test_a_plan_that_cannot_be_judged_is_refused_before_anything_is_trained(
    plan, words, monkeypatch
):
    monkeypatch.delattr(training_faster, "_carried_out")
    finding = check_plan(plan)
    assert not finding.right and words in finding.says


# What a plan would give: the accuracy over the rate, with a peak at 0.1 and at 1.
PEAKS = {WITHOUT: 0.1, WITH: 1.0}
JUDGED = {
    f"the best rate {WITHOUT} is at an end of your range": {WITHOUT: [0.1, 0.2, 0.5]},
    f"the steps between the rates {WITHOUT} are too wide around the best one": {
        WITHOUT: [0.001, 0.1, 10]
    },
    f"the best rate {WITH} is at an end of your range": {WITH: [0.01, 0.03, 0.1]},
    f"the steps between the rates {WITH} are too wide around the best one": {WITH: [0.3, 1, 20]},
}


def as_if_trained(plan) -> Trained:
    rates = {name: sorted(plan[name]) for name in NETWORKS}
    far = {name: np.abs(np.log10(np.divide(rates[name], PEAKS[name]))) for name in NETWORKS}
    return Trained(rates, {name: 0.95 - 0.1 * far[name] for name in NETWORKS})


@pytest.mark.parametrize("slip", JUDGED)
def test_a_slip_of_a_plan_is_named(slip, monkeypatch):
    monkeypatch.setattr(training_faster, "_carried_out", as_if_trained)
    assert named(check_plan(GOOD | JUDGED[slip])) == {slip}


@pytest.mark.parametrize(
    "rates",
    [{}, {WITHOUT: [0.1, 0.02, 0.5]}, {WITH: [5, 1, 0.3]}, {WITH: (0.3, 1.0, 3.0, 10.0)}],
    ids=str,
)
def test_every_right_plan_is_right(rates, monkeypatch):
    monkeypatch.setattr(training_faster, "_carried_out", as_if_trained)
    finding = check_plan(GOOD | rates)
    assert finding.right and "at rate 0.1; with BN" in finding.says


def test_every_known_slip_of_a_plan_is_tested():
    assert [sign.name for sign in TRAINED_SIGNS] == [*JUDGED]


def test_a_plan_is_carried_out():
    """That of the solution, the notebook's tests carry out whole."""
    plan = {WITHOUT: [0.1, 0.03], WITH: [0.1], "seeds": 1}
    trained = training_faster._carried_out(plan)
    assert trained.rates[WITHOUT] == [0.03, 0.1]
    assert trained.accuracies[WITHOUT].shape == (2,) and trained.accuracies[WITH][0] > 0.9
