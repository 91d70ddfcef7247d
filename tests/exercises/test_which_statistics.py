"""Recalibrating and freezing as students write them, right and wrong."""

import pytest

from bnlib.exercises.which_statistics import (
    FREEZE_SIGNS,
    RECALIBRATION_SIGNS,
    check_freeze,
    check_recalibrate,
)
from tests.exercises.student import named, written

# Recalibrate

STEPS = """
import torch
from bnlib.experiments.networks import batch_norms

@torch.no_grad()
def recalibrate(model, batches):
    model.eval()
    momenta = [bn.momentum for bn in batch_norms(model)]
    for bn in batch_norms(model):
        bn.reset_running_stats()
        bn.momentum = None
        bn.train()
    for batch in batches:
        model(batch)
    for bn, momentum in zip(batch_norms(model), momenta):
        bn.momentum = momentum
    model.eval()
"""
UPDATE_BN = """
import torch
def recalibrate(model, batches):
    torch.optim.swa_utils.update_bn(batches, model.train())
    return model.eval()
"""
BY_TYPE_OFF = """
import torch
@torch.no_grad()
def recalibrate(model, batches):
    model.train()
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.eval()
    layers = [m for m in model.modules() if isinstance(m, torch.nn.BatchNorm1d)]
    for bn in layers:
        bn.old, bn.momentum = bn.momentum, None
        bn.reset_running_stats()
    [model(batch) for batch in batches]
    for bn in layers:
        bn.momentum = bn.old
    return model.eval()
"""
COUNTED = """
import torch
from bnlib.experiments.networks import batch_norms
def recalibrate(model, batches):
    layers = batch_norms(model)
    old = [bn.momentum for bn in layers]
    for module in model.modules():
        module.training = module in layers
    with torch.inference_mode():
        for t, batch in enumerate(batches, start=1):
            for bn in layers:
                bn.momentum = 1 / t
            model(batch)
    for bn, momentum in zip(layers, old):
        bn.momentum = momentum
        bn.num_batches_tracked.fill_(len(batches))
    model.eval()
"""
LIBRARY = """
import torch
from bnlib.experiments import evaluation
def recalibrate(model, batches):
    return evaluation.recalibrate(model, torch.cat(batches), len(batches[0]))
"""
RIGHT_RECALIBRATIONS = {
    "step by step": STEPS,
    "dropout off by its type": BY_TYPE_OFF,
    "a momentum of 1 / t": COUNTED,
    "the library": LIBRARY,
}


@pytest.mark.parametrize("style", RIGHT_RECALIBRATIONS)
def test_every_right_recalibration_is_right(style):
    finding = check_recalibrate(written(RIGHT_RECALIBRATIONS[style]))
    assert finding.right, finding


NO_GRAD, RESET, NONE = "@torch.no_grad()\n", "bn.reset_running_stats()", "bn.momentum = None"
TRAIN, CALL, BACK = "        bn.train()\n", "model(batch)", "        bn.momentum = momentum\n"
END = "momentum\n    model.eval()\n"
STEP = """model(batch).square().mean().backward()
        with torch.no_grad():
            for p in model.parameters():
                p -= 0.1 * p.grad"""
WRONG_RECALIBRATIONS = {
    "the weights have changed": [(NO_GRAD, ""), (CALL, STEP)],
    "γ and β have changed": [(RESET, "bn.reset_parameters()")],
    "the network was in evaluation mode": [(TRAIN, "")],
    "the old averages are still in it, and the momentum is still 0.1": [
        (RESET, "pass"),
        (NONE, "pass"),
    ],
    "the momentum is still 0.1": [(NONE, "pass")],
    "the old averages are still in it": [(RESET, "pass")],
    "only the last batch counts": [(NONE, "bn.momentum = 1")],
    "only the first batch counts": [(CALL, f"{CALL}; break")],
    "the averages are not those of all batches": [("in batches:", "in batches[::2]:")],
    "dropout was on": [(TRAIN, "    model.train()\n")],
    "gradients are recorded": [(NO_GRAD, "")],
    "the network is left in training mode": [(END, "momentum\n    model.train()\n")],
    "the momentum is left at None": [(BACK, "        pass\n")],
}


@pytest.mark.parametrize("slip", WRONG_RECALIBRATIONS)
def test_a_slip_of_recalibration_is_named(slip):
    assert named(check_recalibrate(written(STEPS, *WRONG_RECALIBRATIONS[slip]))) == {slip}


def test_update_bn_of_torch_leaves_dropout_on():
    assert named(check_recalibrate(written(UPDATE_BN))) == {"dropout was on"}


def test_a_reset_inside_the_loop_leaves_the_last_batch():
    edit = (CALL, f"[bn.reset_running_stats() for bn in batch_norms(model)]; {CALL}")
    assert named(check_recalibrate(written(STEPS, edit))) == {"only the last batch counts"}


def test_every_known_slip_of_recalibration_is_tested():
    assert [sign.name for sign in RECALIBRATION_SIGNS] == [*WRONG_RECALIBRATIONS]


# Freeze

FREEZE = """
from bnlib.experiments.networks import batch_norms

def train_frozen(model):
    model.train()
    for bn in batch_norms(model):
        bn.eval()
        bn.requires_grad_(False)
"""
BY_TYPE = """
import torch
def train_frozen(model):
    for module in model.train().modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            module.training = False
            module.weight.requires_grad = module.bias.requires_grad = False
    return model
"""
APPLIED = """
import torch
def freeze(module):
    if isinstance(module, torch.nn.BatchNorm1d):
        module.eval().requires_grad_(False)
def train_frozen(model):
    model.train().apply(freeze)
"""
RIGHT_FREEZES = {"batch_norms": FREEZE, "by type": BY_TYPE, "apply": APPLIED}


@pytest.mark.parametrize("style", RIGHT_FREEZES)
def test_every_right_freeze_is_right(style):
    finding = check_freeze(written(RIGHT_FREEZES[style]))
    assert finding.right, finding


EVAL, GRAD, ALL = "bn.eval()", "bn.requires_grad_(False)", "batch_norms(model)"
FIRST = "    model.train()\n"
WRONG_FREEZES = {
    "the numbers of BN have changed": [(EVAL, "bn.eval().reset_running_stats()")],
    "the averages stand still, but batch statistics are in use": [(EVAL, "bn.momentum = 0")],
    "only γ and β are frozen": [(EVAL, "pass")],
    "all BN layers are in training mode": [(EVAL, "pass"), (GRAD, "pass")],
    "a BN layer inside a block is missed": [(ALL, "[m for m in model if hasattr(m, 'momentum')]")],
    "the whole network is in evaluation mode": [(FIRST, "    model.eval()\n")],
    "the other layers are frozen too": [(GRAD, "model.requires_grad_(False)")],
    "γ and β are still learned": [(GRAD, "pass")],
}


@pytest.mark.parametrize("slip", WRONG_FREEZES)
def test_a_slip_of_freezing_is_named(slip):
    assert named(check_freeze(written(FREEZE, *WRONG_FREEZES[slip]))) == {slip}


def test_train_at_the_end_undoes_it():
    undone = FREEZE.replace(FIRST, "").replace(GRAD, f"pass\n{FIRST}")
    assert named(check_freeze(written(undone))) == {"all BN layers are in training mode"}


def test_what_is_frozen_in_training_only_is_found_after_an_evaluation():
    assert not check_freeze(written(FREEZE, (FIRST, ""))).right


def test_every_known_slip_of_freezing_is_tested():
    assert [sign.name for sign in FREEZE_SIGNS] == [*WRONG_FREEZES]
