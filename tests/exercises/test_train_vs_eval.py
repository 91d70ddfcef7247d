"""The update of the running averages, and an evaluation, as students write them."""

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from bnlib.exercises.train_vs_eval import (
    EVALUATION_SIGNS,
    SLIPS,
    check_evaluate,
    check_running,
)
from bnlib.numpy_bn import BatchNorm
from tests.exercises.student import named, written

PAIR = """
def update(running, batch, momentum):
    mean, var = running
    m = len(batch)
    batch_mean = batch.mean(axis=0)
    batch_var = batch.var(axis=0) * m / (m - 1)
    new_mean = (1 - momentum) * mean + momentum * batch_mean
    new_var = (1 - momentum) * var + momentum * batch_var
    return new_mean, new_var
"""
LOOP = """
def update(running, batch, momentum):
    new = [running[0].copy(), running[1].copy()]
    for c in range(batch.shape[1]):
        mu = sum(batch[:, c]) / len(batch)
        var = sum((batch[:, c] - mu) ** 2) / (len(batch) - 1)
        new[0][c] += momentum * (mu - new[0][c])
        new[1][c] += momentum * (var - new[1][c])
    return new
"""
LERP = """
def lerp(old, now, weight):
    return old + weight * (now - old)
def update(running, batch, momentum):
    now = batch.mean(0), batch.var(0, ddof=1)
    return tuple(lerp(old, value, momentum) for old, value in zip(running, now))
"""


def library(running, batch, momentum):
    bn = BatchNorm(batch.shape[1], momentum=momentum)
    bn.running_mean, bn.running_var = running
    bn(batch)
    return bn.running_mean, bn.running_var


RIGHT = {
    "a pair": written(PAIR),
    "a loop": written(LOOP),
    "as torch.lerp": written(LERP),
    "the library": library,
}


@pytest.mark.parametrize("style", RIGHT)
def test_every_right_style_is_right(style):
    finding = check_running(RIGHT[style])
    assert finding.right, finding


MEAN, VAR, RETURN = "batch.mean(axis=0)", "batch.var(axis=0) * m / (m - 1)", "new_mean, new_var\n"
OLD, OLD_MEAN, OLD_VAR = "(1 - momentum) * ", "(1 - momentum) * mean", "(1 - momentum) * var"

WRONG = {
    "the biased variance stored": [(VAR, "batch.var(axis=0)")],
    "m / (m - 1) upside down": [(VAR, "batch.var(axis=0) * (m - 1) / m")],
    "m / (m - 1) twice": [("var(axis=0)", "var(axis=0, ddof=1)")],
    "the variance of the batch mean": [(VAR, "batch.var(axis=0, ddof=1) / m")],
    "a sum of squares for the variance": [(VAR, "((batch - batch_mean) ** 2).sum(axis=0)")],
    "the standard deviation where the variance belongs": [(VAR, "batch.std(axis=0, ddof=1)")],
    "the variance around the running mean": [(VAR, "((batch - mean) ** 2).sum(axis=0) / (m - 1)")],
    "statistics of each example": [("axis=0", "axis=1"), ("len(batch)", "batch.shape[1]")],
    "one mean and one variance for the whole batch": [
        (MEAN, "batch.mean()"),
        (VAR, "batch.var(ddof=1)"),
    ],
    "momentum the wrong way round": [
        (OLD, "momentum * "),
        ("+ momentum *", "+ (1 - momentum) *"),
    ],
    "momentum is always 0.1": [("m = len", "momentum = 0.1; m = len")],
    "the old values keep their full weight": [(OLD, "")],
    "the old values are ignored": [(f"{OLD_MEAN} + ", ""), (f"{OLD_VAR} + ", "")],
    "the batch replaces the running averages": [(RETURN, "batch_mean, batch_var\n")],
    "a plain average of old and new": [
        (RETURN, "(mean + batch_mean) / 2, (var + batch_var) / 2\n")
    ],
    "the running averages stay as they were": [(RETURN, "mean, var\n")],
    "the mean is not updated": [(RETURN, "mean, new_var\n")],
    "the variance is not updated": [(RETURN, "new_mean, var\n")],
    "mean and variance exchanged": [(RETURN, "new_var, new_mean\n")],
}
WITH_SIDE_EFFECT = {
    "running changed in place": [("new_mean = (", "mean *= 1 - momentum; new_mean = 1 * (")],
    "batch changed in place": [("m = len", "batch -= 0.5; m = len")],
}


@pytest.mark.parametrize("slip", WRONG)
def test_a_slip_is_named(slip):
    finding = check_running(written(PAIR, *WRONG[slip]))
    assert named(finding) == {slip}
    assert "\n  with running = (" in finding.says


def test_the_standard_deviation_of_numpy_is_two_slips():
    assert named(check_running(written(PAIR, (VAR, "batch.std(axis=0)")))) == {
        "the biased variance stored",
        "the standard deviation where the variance belongs",
    }


@pytest.mark.parametrize("slip", WITH_SIDE_EFFECT)
def test_an_argument_that_is_changed_is_named(slip):
    assert named(check_running(written(PAIR, *WITH_SIDE_EFFECT[slip]))) == {slip}


def test_running_averages_updated_in_place_are_right_numbers_and_still_a_slip():
    in_place = """
def update(running, batch, momentum):
    for old, now in zip(running, (batch.mean(0), batch.var(0, ddof=1))):
        old += momentum * (now - old)
    return running
"""
    assert named(check_running(written(in_place))) == {"running changed in place"}


def test_every_known_slip_is_tested():
    assert [slip.name for slip in SLIPS] == [*WRONG]


def test_the_smallest_case_can_be_done_on_paper():
    says = check_running(written(PAIR, *WRONG["the biased variance stored"])).says
    assert says.splitlines()[-3:] == [
        "  with running = ([0], [1]), batch = [[2], [8]], momentum = 0.1",
        "  expected var = [2.7]",
        "  got      var = [1.8]",
    ]


def test_a_stub_is_not_written_yet():
    stub = written("def update(running, batch, momentum):\n    ...")
    assert check_running(stub).says == "Not written yet. Your function is to return mean, var."


@settings(max_examples=12, deadline=None, derandomize=True)
@given(
    st.sampled_from(["batch_mean", "batch_var", "new_mean", "new_var"]),
    st.floats(1e-3, 1),
    st.sampled_from(["{0} * (1 + {1})", "{0} * (1 - {1})", "{0} + {1}", "np.roll({0} + {1}, 1)"]),
)
def test_a_term_that_is_off_is_never_right(term, size, spoiled):
    line = next(line for line in PAIR.splitlines() if line.startswith(f"    {term} = "))
    wrong = written(PAIR, (line, f"{line}; {term} = {spoiled.format(term, size)}"))
    assert check_running(wrong).says.startswith("Not yet: ")


# An evaluation

FLAGS = """
import torch

def evaluate(model, x, y):
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    with torch.no_grad():
        share = (model(x).argmax(1) == y).float().mean().item()
    for module, training in modes:
        module.training = training
    return share
"""
COPY = """
import torch
from copy import deepcopy
@torch.inference_mode()
def evaluate(model, x, y):
    answers = deepcopy(model).eval()(x).argmax(dim=1)
    return sum(answers == y) / len(y)
"""
LIBRARY = """
from bnlib.experiments.training import accuracy
def evaluate(model, x, y):
    return accuracy(model, x, y)
"""
RIGHT_EVALUATIONS = {"all flags": FLAGS, "a copy": COPY, "the library's": LIBRARY}


@pytest.mark.parametrize("style", RIGHT_EVALUATIONS)
def test_every_right_evaluation_is_right(style):
    finding = check_evaluate(written(RIGHT_EVALUATIONS[style]))
    assert finding.right, finding


CALLED, NO_GRAD, EVAL = "model(x)", "torch.no_grad()", "    model.eval()\n"
SHARE = "(model(x).argmax(1) == y).float().mean().item()"
BACK = "module.training = training"
WRONG_EVALUATIONS = {
    "the network is never called": [(SHARE, "0.5")],
    "the BN layers are in training mode while they are asked": [(EVAL, "")],
    "dropout is still on": [(EVAL, "    model[1].eval(); model[5].eval()\n")],
    "gradients are recorded": [(NO_GRAD, "torch.enable_grad()")],
    "the running averages have moved": [(BACK, f"{BACK}; model[1].reset_running_stats()")],
    "how many are right, not which share of them": [("mean()", "sum()")],
    "per cent, not a share from 0 to 1": [("return share", "return 100 * share")],
    "the share of wrong answers": [("== y", "!= y")],
    "what is returned is not the accuracy": [("argmax", "argmin")],
    "the network is left in evaluation mode": [(BACK, "pass")],
    "train() at the end, whatever the mode was before": [(BACK, "module.train()")],
    "a frozen BN layer is thawed": [(BACK, "module.training = modes[0][1]")],
    "the modes are not as they were": [(BACK, f"{BACK} != isinstance(module, torch.nn.ReLU)")],
}


@pytest.mark.parametrize("slip", WRONG_EVALUATIONS)
def test_a_slip_of_an_evaluation_is_named(slip):
    assert named(check_evaluate(written(FLAGS, *WRONG_EVALUATIONS[slip]))) == {slip}


def test_every_known_slip_of_an_evaluation_is_tested():
    assert [sign.name for sign in EVALUATION_SIGNS] == [*WRONG_EVALUATIONS]


def test_an_evaluation_without_a_number_is_not_right():
    assert not check_evaluate(written(FLAGS, ("return share", "return 'good'"))).right
    assert not check_evaluate(written(FLAGS, ("return share", "return model(x)"))).right


def test_what_an_evaluation_raises_is_told():
    wrong = written(FLAGS, (CALLED, "model(x.T)"))
    assert "raises RuntimeError" in check_evaluate(wrong).says


@pytest.mark.parametrize("body", ["...", "raise NotImplementedError"])
def test_an_evaluation_that_is_a_stub_is_not_written_yet(body):
    stub = written(f"def evaluate(model, x, y):\n    {body}")
    assert check_evaluate(stub).says.startswith("Not written yet")


def test_what_cannot_evaluate_is_refused():
    assert "it is called with (model, x, y)" in check_evaluate(lambda model: 1).says
