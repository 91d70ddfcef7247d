"""Folding a layer and repairing the printed network as students do it, right and wrong."""

import numpy as np
import pytest
import torch
from torch import nn

from bnlib.exercises.convolutional_networks import (
    ALL_FAULTS,
    DAMAGE,
    FAULTS,
    FOLD_SLIPS,
    check_fold,
    check_simple_cnn,
)
from tests.exercises.student import named, written

# Fold

STEPS = """
def fold(gamma, beta, mean, var, eps, weight, bias):
    sigma = np.sqrt(var + eps)
    scale = gamma / sigma
    shift = beta - mean * scale
    kernel = weight * scale.reshape(1, -1, 1, 1)
    constants = weight.sum((2, 3)) @ shift
    return kernel, bias + constants
"""
EINSUM = """
def fold(gamma, beta, mean, var, eps, weight, bias):
    scale = gamma * (var + eps) ** -0.5
    kernel = np.einsum("oihw,i->oihw", weight, scale)
    return kernel, bias + np.einsum("oihw,i->o", weight, beta - scale * mean)
"""
LOOP = """
def fold(gamma, beta, mean, var, eps, weight, bias):
    weight, bias = weight.copy(), bias.copy()
    for k in range(len(gamma)):
        scale = gamma[k] / np.sqrt(var[k] + eps)
        bias += weight[:, k].sum(axis=(1, 2)) * (beta[k] - mean[k] * scale)
        weight[:, k] *= scale
    return weight, bias
"""
LIBRARY = """
import torch
from torch import nn
from bnlib.experiments import folding
def fold(gamma, beta, mean, var, eps, weight, bias):
    conv = nn.Conv2d(weight.shape[1], len(weight), weight.shape[2]).double()
    bn = nn.BatchNorm2d(len(gamma), eps=eps).double().eval()
    pairs = zip((conv.weight, conv.bias, bn.weight, bn.bias, bn.running_mean, bn.running_var),
                (weight, bias, gamma, beta, mean, var))
    for target, array in pairs:
        target.data = torch.tensor(array)
    new = folding.fold_into_next(bn, conv)
    return new.weight.detach().numpy(), new.bias.detach().numpy()
"""
RIGHT_FOLDS = {"step by step": STEPS, "einsum": EINSUM, "a loop": LOOP, "the library": LIBRARY}


@pytest.mark.parametrize("style", RIGHT_FOLDS)
def test_every_right_fold_is_right(style):
    finding = check_fold(written(RIGHT_FOLDS[style]))
    assert finding.right, finding


ROOT, SCALE = "np.sqrt(var + eps)", "scale.reshape(1, -1, 1, 1)"
SHIFT, SUM = "beta - mean * scale", "weight.sum((2, 3)) @ shift"
WRONG_FOLDS = {
    "eps forgotten": (ROOT, "np.sqrt(var)"),
    "the running variance taken for a standard deviation": (ROOT, "var + eps"),
    "the running variance taken for a standard deviation, and eps forgotten": (ROOT, "var"),
    "eps outside the root": (ROOT, "np.sqrt(var) + eps"),
    "γ forgotten": ("gamma / sigma", "1 / sigma"),
    "the scale upside down": ("gamma / sigma", "sigma / gamma"),
    "the kernel scaled along its output channels": (SCALE, "scale.reshape(-1, 1, 1, 1)"),
    "the kernel scaled along its columns": (SCALE, "scale"),
    "the kernel not scaled": (f"weight * {SCALE}", "weight"),
    "the running mean forgotten": (SHIFT, "beta"),
    "the sign of the running mean": (SHIFT, "beta + mean * scale"),
    "the running mean not scaled": (SHIFT, "beta - mean"),
    "β forgotten": (SHIFT, "-mean * scale"),
    "the shift goes through the new kernel": (SUM, "kernel.sum((2, 3)) @ shift"),
    "the shift weighed by one pixel of the kernel": (SUM, "weight.mean((2, 3)) @ shift"),
    "the shift does not go through the convolution": (SUM, "shift"),
    "the shift forgotten": ("bias + constants", "bias"),
    "the old bias forgotten": ("bias + constants", "constants"),
    "kernel and bias exchanged": ("kernel, bias + constants", "bias + constants, kernel"),
}


@pytest.mark.parametrize("slip", WRONG_FOLDS)
def test_a_slip_of_folding_is_named(slip):
    assert named(check_fold(written(STEPS, WRONG_FOLDS[slip]))) == {slip}


def test_two_slips_of_folding_are_both_named():
    edits = WRONG_FOLDS["eps forgotten"], WRONG_FOLDS["the old bias forgotten"]
    assert named(check_fold(written(STEPS, *edits))) == {"eps forgotten", "the old bias forgotten"}


def test_every_known_slip_of_folding_is_tested():
    assert [slip.name for slip in FOLD_SLIPS] == [*WRONG_FOLDS]


@pytest.mark.parametrize("body", ["...", "raise NotImplementedError", "pass"])
def test_a_stub_of_folding_is_not_written_yet(body):
    stub = written(f"def fold(gamma, beta, mean, var, eps, weight, bias):\n    {body}")
    assert check_fold(stub).says.startswith("Not written yet")


def test_a_kernel_changed_in_place_is_told():
    wrong = written(
        STEPS,
        (f"kernel = weight * {SCALE}", "kernel = weight"),
        ("return", f"weight *= {SCALE}; return"),
    )
    assert "changed in place" in check_fold(wrong).says


# The printed network

PRINTED = """
from torch import nn

class SimpleCNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 3)
        self.bn1 = nn.BatchNorm2d(32)
        self.fc1 = nn.Linear(5408, 64)
        self.bn2 = nn.BatchNorm1d(64)
        self.fc2 = nn.Linear(64, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 2)
        x = x.view(-1, 5408)
        x = F.relu(self.bn2(self.fc1(x)))
        return self.fc2(x)
"""
IMPORTED = "import torch.nn.functional as F\nfrom torch import nn"
REPAIRS = {  # of each fault
    "F is never imported": [("from torch import nn", IMPORTED)],
    "The size of the images is fixed": [
        ("__init__(self)", "__init__(self, side)"),
        ("Linear(5408, 64", "Linear(32 * ((side - 2) // 2) ** 2, 64"),
        ("-1, 5408", "-1, self.fc1.in_features"),
    ],
    "Images are regrouped": [("x.view(-1, 5408)", "x.flatten(1)")],
    "Biases are dead": [("32, 3)", "32, 3, bias=False)"), (", 64)\n", ", 64, bias=False)\n")],
}  # fmt: skip


def repaired(*names: str, edits=()) -> type:
    """The printed network with these faults repaired, and then edited."""
    source = PRINTED
    for name in sorted(names, key=[*REPAIRS].index, reverse=True):  # view() before its number
        for old, new in REPAIRS[name]:
            source = source.replace(old, new)
    return written(source, *edits)


def faults(finding) -> set[str]:
    """The faults that a finding names."""
    assert not finding.right
    lines = finding.says.splitlines()[1:]
    return {line[3:].split(".")[0] for line in lines if line[:3] in ("1. ", "2. ", "3. ", "4. ")}


def test_the_printed_network_has_the_parameters_of_the_tutorial():
    assert sum(p.numel() for p in repaired()().parameters()) == 347_338


def test_of_the_printed_network_nothing_is_given_away():
    assert check_simple_cnn(repaired()).says == ALL_FAULTS


@pytest.mark.parametrize("fault", REPAIRS)
def test_the_one_fault_that_is_left_is_named(fault):
    assert faults(check_simple_cnn(repaired(*{*REPAIRS} - {fault}))) == {fault}


@pytest.mark.parametrize("fault", REPAIRS)
def test_the_three_faults_that_are_left_are_named(fault):
    assert faults(check_simple_cnn(repaired(fault))) == {*REPAIRS} - {fault}


def test_every_fault_is_tested():
    assert [f"{name[0].upper()}{name[1:]}" for name in FAULTS] == [*REPAIRS]


def test_how_many_answers_and_how_many_biases_is_counted():
    says = " ".join(check_simple_cnn(repaired("F is never imported")).says.split())
    assert "10 images of 54 × 54 pixels give 40 answers" in says
    assert "96 numbers can be set to anything" in says


def test_the_name_f_is_given_for_a_while_only():
    network = repaired("Images are regrouped")
    check_simple_cnn(network)
    with pytest.raises(NameError):
        network()(torch.rand(2, 1, 28, 28))


def sequential(side):
    return nn.Sequential(
        nn.Conv2d(1, 32, 3, bias=False), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(32 * ((side - 2) // 2) ** 2, 64, bias=False),
        nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 10),
    )  # fmt: skip


REPAIRED, SIZE = [*REPAIRS], "nn.Linear(32 * ((side - 2) // 2) ** 2, "
EDITS = {
    "flatten": [],
    "view with the batch": [("x.flatten(1)", "x.view(x.shape[0], -1)")],
    "torch for F": [
        ("F.relu", "torch.relu"),
        ("F.max", "torch.max"),
        ("from", "import torch\nfrom"),
    ],
    "a size with a default": [("self, side", "self, side=28")],
    "a lazy layer": [(SIZE, "nn.LazyLinear(")],
}
RIGHT_NETWORKS = {name: repaired(*REPAIRED, edits=edits) for name, edits in EDITS.items()}
RIGHT_NETWORKS["sequential"] = sequential


@pytest.mark.parametrize("style", RIGHT_NETWORKS)
def test_every_right_repair_is_right(style):
    finding = check_simple_cnn(RIGHT_NETWORKS[style])
    assert finding.right, finding


BROKEN = {
    "the output layer has lost its bias": ("64, 10)", "64, 10, bias=False)"),
    "the answers are probabilities": ("return self.fc2(x)", "return self.fc2(x).softmax(1)"),
    "the layers are other ones": ("nn.BatchNorm1d(64)", "nn.Identity()"),
    "the answers are other ones": ("F.relu(self.bn2(self.fc1(x)))", "F.relu(self.fc1(x))"),
}


@pytest.mark.parametrize("damage", BROKEN)
def test_what_a_repair_has_broken_is_named(damage):
    assert named(check_simple_cnn(repaired(*REPAIRED, edits=[BROKEN[damage]]))) == {damage}


def test_every_known_damage_is_tested():
    assert {*DAMAGE} == {*BROKEN}


def test_what_the_network_raises_is_told():
    wrong = repaired(*REPAIRED, edits=[("return self.fc2", "return self.fc3")])
    assert "your network raises AttributeError in line" in check_simple_cnn(wrong).says


def test_a_network_in_place_of_its_class_is_refused():
    assert "without parentheses" in check_simple_cnn(sequential(8)).says
    assert "without parentheses" in check_simple_cnn(np.zeros(3)).says


def test_the_readers_random_numbers_stay_as_they_are():
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    check_simple_cnn(repaired(*REPAIRED))
    assert torch.equal(torch.rand(1), expected)
