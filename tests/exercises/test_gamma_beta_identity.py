"""The exercises of lesson 04 as students write them, right and wrong."""

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given, settings

from bnlib.exercises.gamma_beta_identity import SLIPS, WHY, check_groups, check_line
from bnlib.numpy_bn import BatchNorm
from tests.exercises.student import named, written

# γ and β that make a line

PAIR = """
def line(running_mean, running_var, eps, a, b):
    gamma = a * np.sqrt(running_var + eps)
    beta = a * running_mean + b
    return gamma, beta
"""
LOOP = """
def line(running_mean, running_var, eps, a, b):
    gamma, beta = np.zeros(len(running_mean)), np.zeros(len(running_mean))
    for c in range(len(running_mean)):
        gamma[c] = (running_var[c] + eps) ** 0.5 * a
        beta[c] = b + a * running_mean[c]
    return [gamma, beta]
"""


def by_solving(running_mean, running_var, eps, a, b):
    """Send two values through BN in evaluation mode; γ and β follow from where they land."""
    bn = BatchNorm(len(running_mean), eps=eps)
    bn.running_mean, bn.running_var = running_mean, running_var
    bn.eval()
    zero, one = bn(np.stack([np.zeros_like(running_mean), np.ones_like(running_mean)]))
    gamma = a / (one - zero)
    return gamma, b - gamma * zero


RIGHT = {"a pair": written(PAIR), "a loop": written(LOOP), "two points": by_solving}


@pytest.mark.parametrize("style", RIGHT)
def test_every_right_style_is_right(style):
    finding = check_line(RIGHT[style])
    assert finding.right, finding


@pytest.mark.parametrize(("a", "b"), [(1, 0), (2, 1)])
def test_what_is_called_right_makes_the_line(a, b):
    rng = np.random.default_rng(0)
    bn, x = BatchNorm(3, eps=0.5), rng.normal(3, 2, (50, 3))
    bn(x)
    bn.gamma, bn.beta = written(PAIR)(bn.running_mean, bn.running_var, bn.eps, a, b)
    bn.eval()
    assert np.abs(bn(x) - (a * x + b)).max() < 1e-12


ROOT, GAMMA, BETA = (
    "np.sqrt(running_var + eps)",
    "a * np.sqrt(running_var + eps)",
    "a * running_mean",
)
WRONG = {
    "eps forgotten": [(ROOT, "np.sqrt(running_var)")],
    "the variance where its root belongs": [(ROOT, "(running_var + eps)")],
    "the variance where its root belongs, and eps forgotten": [(ROOT, "running_var")],
    "eps outside the root": [(ROOT, "(np.sqrt(running_var) + eps)")],
    "γ upside down": [(ROOT, f"1 / {ROOT}")],
    "γ without the spread": [(ROOT, "np.ones(len(running_var))")],
    "γ without a": [(GAMMA, ROOT)],
    "β without the mean": [(BETA, "np.zeros(len(running_mean))")],
    "the sign of the mean": [(BETA, "-a * running_mean")],
    "β without a": [(BETA, "running_mean")],
    "β multiplied by γ": [(BETA, "gamma * running_mean")],
    "β without b": [(f"{BETA} + b", BETA)],
    "γ and β exchanged": [("return gamma, beta", "return beta, gamma")],
}


@pytest.mark.parametrize("slip", WRONG)
def test_a_slip_is_named(slip):
    finding = check_line(written(PAIR, *WRONG[slip]))
    assert named(finding) == {slip}
    assert "\n  with running_mean = [" in finding.says


def test_two_slips_are_both_named():
    edits = WRONG["eps forgotten"] + WRONG["the sign of the mean"]
    assert named(check_line(written(PAIR, *edits))) == {"eps forgotten", "the sign of the mean"}


def test_every_known_slip_is_tested():
    assert [slip.name for slip in SLIPS] == [*WRONG]


def test_the_smallest_case_can_be_done_on_paper():
    says = check_line(written(PAIR, *WRONG["eps forgotten"])).says
    assert says.splitlines()[-3:] == [
        "  with running_mean = [5], running_var = [9], eps = 7, a = 2, b = 1",
        "  expected gamma = [8]",
        "  got      gamma = [6]",
    ]


def test_stubs_are_not_written_yet():
    stub = written("def line(running_mean, running_var, eps, a, b):\n    ...")
    assert check_line(stub).says.startswith("Not written yet.")
    stub = written("def groups(model, weight_decay):\n    ...")
    assert check_groups(stub).says.startswith("Not written yet.")


@settings(max_examples=12, deadline=None, derandomize=True)
@given(
    st.sampled_from([GAMMA, BETA]),
    st.floats(1e-3, 1),
    st.sampled_from(["{0} * (1 + {1})", "{0} * (1 - {1})", "{0} + {1}", "np.roll({0} + {1}, 1)"]),
)
def test_a_term_that_is_off_is_never_right(term, size, spoiled):
    wrong = written(PAIR, (term, spoiled.format(term, size)))
    assert check_line(wrong).says.startswith("Not yet: ")


# Groups of parameters

BY_AXES = """
def groups(model, weight_decay):
    decayed = [p for p in model.parameters() if p.dim() > 1]
    spared = [p for p in model.parameters() if p.dim() <= 1]
    return [
        {"params": decayed, "weight_decay": weight_decay},
        {"params": spared, "weight_decay": 0.0},
    ]
"""
BY_LAYER = """
def groups(model, weight_decay):
    groups = []
    for layer in model.modules():
        for name, p in layer.named_parameters(recurse=False):
            spared = name == "bias" or hasattr(layer, "running_var")
            groups.append({"params": [p], "weight_decay": 0 if spared else weight_decay})
    return groups
"""
BY_ID = """
def groups(model, weight_decay):
    spared = {}
    for layer in model.modules():
        if hasattr(layer, "num_batches_tracked"):
            spared |= {id(p): p for p in layer.parameters()}
        elif getattr(layer, "bias", None) is not None:
            spared[id(layer.bias)] = layer.bias
    decayed = (p for p in model.parameters() if id(p) not in spared)
    return (
        dict(params=decayed, weight_decay=weight_decay),
        dict(params=spared.values(), weight_decay=0),
    )
"""
RIGHT_GROUPS = {"by axes": BY_AXES, "by layer": BY_LAYER, "by id": BY_ID}


@pytest.mark.parametrize("style", RIGHT_GROUPS)
def test_every_right_style_of_groups_is_right(style):
    finding = check_groups(written(RIGHT_GROUPS[style]))
    assert finding.right, finding


DECAYED, SPARED = "if p.dim() > 1", "if p.dim() <= 1"
WRONG_GROUPS = {
    "γ decays": (
        BY_LAYER,
        [('name == "bias" or hasattr(layer, "running_var")', 'name == "bias"')],
    ),
    "β decays": (
        BY_LAYER,
        [
            (
                'name == "bias" or hasattr(layer, "running_var")',
                '(name == "bias") != hasattr(layer, "running_var")',
            )
        ],
    ),
    "biases decay": (
        BY_LAYER,
        [('name == "bias" or hasattr(layer, "running_var")', 'hasattr(layer, "running_var")')],
    ),
    "weights do not decay": (BY_AXES, [("weight_decay},", "0},")]),
    "a parameter is missing": (BY_LAYER, [("model.modules()", "model.children()")]),
    "a parameter twice": (BY_AXES, [(f" {DECAYED}]", "]"), ("weight_decay},", "0},")]),
    "a stranger": (BY_AXES, [(f" {SPARED}]", f" {SPARED}] + [weight_decay]")]),
    "a group without its weight_decay": (BY_AXES, [(', "weight_decay": 0.0', "")]),
    "another decay": (BY_AXES, [('"weight_decay": weight_decay', '"weight_decay": 0.1')]),
}


@pytest.mark.parametrize("slip", WRONG_GROUPS)
def test_a_slip_of_groups_is_named(slip):
    source, edits = WRONG_GROUPS[slip]
    finding = check_groups(written(source, *edits))
    assert not finding.right and f"Not yet: {slip}.\n" in finding.says, finding


def test_all_decay_is_three_slips():
    finding = check_groups(
        lambda model, decay: [{"params": model.parameters(), "weight_decay": decay}]
    )
    slips = [line for line in finding.says.splitlines() if line.startswith("Not yet: ")]
    assert slips == ["Not yet: γ decays.", "Not yet: β decays.", "Not yet: biases decay."]


def test_groups_exchanged_are_named_by_what_follows():
    finding = check_groups(
        written(BY_AXES, (DECAYED, "if p.dim() < 2"), (SPARED, "if p.dim() > 1"))
    )
    assert "Not yet: weights do not decay." in finding.says and "Not yet: γ decays." in finding.says


def test_every_known_slip_of_groups_is_tested():
    assert {*WHY} == {*WRONG_GROUPS}


@pytest.mark.parametrize(
    ("f", "words"),
    [
        (lambda model, decay: model.parameters(), "is not a list of dictionaries"),
        (lambda model, decay: [*model.parameters()], "is not a list of dictionaries"),
        (lambda model, decay: [{"params": 3}], "is not a list of dictionaries"),
        (lambda model, decay: model.weight, "raises AttributeError"),
        (lambda model: [], "takes (model)"),
        (7, "not a function"),
    ],
)
def test_what_is_no_groups_is_told_so(f, words):
    finding = check_groups(f)
    assert not finding.right and words in finding.says


def test_right_groups_are_taken_by_an_optimizer():
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4))
    optimizer = torch.optim.SGD(written(BY_AXES)(model, 0.1), lr=0.1)
    assert [group["weight_decay"] for group in optimizer.param_groups] == [0.1, 0.0]
