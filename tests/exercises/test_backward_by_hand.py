"""The backward pass as students write it, right and wrong."""

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from bnlib.exercises.backward_by_hand import (
    BLIND_SPOTS,
    SLIPS,
    check_backward,
    check_gradient_check,
)
from bnlib.numpy_bn import BatchNorm
from tests.exercises.student import named, written

STEPS = """
def backward(dy, x, gamma, eps):
    m = len(x)
    mu = x.mean(axis=0)
    var = x.var(axis=0)
    sigma = np.sqrt(var + eps)
    x_hat = (x - mu) / sigma
    dgamma = (dy * x_hat).sum(axis=0)
    dbeta = dy.sum(axis=0)
    dx_hat = gamma * dy
    dvar = (dx_hat * (x - mu)).sum(axis=0) * -0.5 * sigma ** -3
    dmu = -(dx_hat / sigma).sum(axis=0)
    dx = dx_hat / sigma + dvar * 2 * (x - mu) / m + dmu / m
    return dx, dgamma, dbeta
"""
ONE_LINE = """
def backward(dy, x, gamma, eps):
    sigma = np.sqrt(x.var(0) + eps)
    x_hat = (x - x.mean(0)) / sigma
    dx = gamma / sigma * (dy - dy.mean(0) - x_hat * (dy * x_hat).mean(0))
    return dx, (dy * x_hat).sum(0), dy.sum(0)
"""
LOOP = """
def backward(dy, x, gamma, eps):
    (m, C), dx = x.shape, np.empty_like(x)
    dgamma, dbeta = np.zeros_like(gamma), np.zeros_like(gamma)
    for c in range(C):
        mu = sum(x[:, c]) / m
        std = (sum((x[:, c] - mu) ** 2) / m + eps) ** 0.5
        hat = [(x[i, c] - mu) / std for i in range(m)]
        for i in range(m):
            dgamma[c] += dy[i, c] * hat[i]
            dbeta[c] += dy[i, c]
        for i in range(m):
            dx[i, c] = gamma[c] * (m * dy[i, c] - dbeta[c] - hat[i] * dgamma[c]) / (m * std)
    return [dx, dgamma, dbeta]
"""
JACOBIAN = """
def backward(dy, x, gamma, eps):
    m = len(x)
    centered = x - x.mean(0)
    inverse = (np.einsum("nc,nc->c", centered, centered) / m + eps) ** -0.5
    x_hat = centered * inverse
    jacobian = np.eye(m)[:, :, None] - 1 / m - x_hat[:, None] * x_hat[None] / m
    dx = np.einsum("ijc,jc->ic", jacobian, dy * gamma) * inverse
    return dx.astype(x.dtype), np.einsum("nc,nc->c", dy, x_hat), np.einsum("nc->c", dy)
"""


def library(dy, x, gamma, eps):
    bn = BatchNorm(x.shape[1], eps=eps)
    bn.gamma = gamma
    bn(x)
    return bn.backward(dy), bn.grad_gamma, bn.grad_beta


RIGHT = {
    "step by step": written(STEPS),
    "in one line": written(ONE_LINE),
    "a loop": written(LOOP),
    "a Jacobian": written(JACOBIAN),
    "the library": library,
}


@pytest.mark.parametrize("style", RIGHT)
def test_every_right_style_is_right(style):
    finding = check_backward(RIGHT[style])
    assert finding.right, finding
    assert finding.says.startswith("Right")


VAR_PATH, MU_PATH = " + dvar * 2 * (x - mu) / m", " + dmu / m"
DGAMMA, DBETA = "(dy * x_hat).sum(axis=0)", "dbeta = dy.sum(axis=0)"
SIGMA, RETURN = "np.sqrt(var + eps)", "return dx, dgamma, dbeta"

WRONG = {
    "the path through mu is missing": [(MU_PATH, "")],
    "the path through sigma^2 is missing": [(VAR_PATH, "")],
    "the paths through mu and sigma^2 are missing": [(VAR_PATH + MU_PATH, "")],
    "m - 1 in the means of the two paths": [("/ m", "/ (m - 1)")],
    "sums where the two paths need means": [("/ m", "")],
    "a sum where the path through mu needs a mean": [(MU_PATH, " + dmu")],
    "a sum where the path through sigma^2 needs a mean": [(VAR_PATH, " + dvar * 2 * (x - mu)")],
    "the sign of the path through mu": [("dmu = -", "dmu = ")],
    "the sign of the path through sigma^2": [("-0.5", "0.5")],
    "the path through sigma^2 is twice too large": [("-0.5", "-1")],
    "the path through sigma^2 is half as large as it should be": [("dvar * 2 *", "dvar *")],
    "the exponent of the path through sigma^2": [("sigma ** -3", "sigma ** -1")],
    "x_hat is missing from the path through sigma^2": [
        (VAR_PATH, " - (dx_hat * x_hat).mean(axis=0) / sigma")
    ],
    "m - 1 in the variance": [("x.var(axis=0)", "x.var(axis=0, ddof=1)")],
    "eps outside the root": [(SIGMA, "np.sqrt(var) + eps")],
    "eps forgotten": [(SIGMA, "np.sqrt(var)")],
    "eps is always 1e-5": [(SIGMA, "np.sqrt(var + 1e-5)")],
    "gamma forgotten in dx": [("dx_hat = gamma * dy", "dx_hat = dy")],
    "dx is not divided by the standard deviation": [
        ("dx_hat / sigma +", "dx_hat +"),
        ("sigma ** -3", "sigma ** -2"),
        ("(dx_hat / sigma)", "dx_hat"),
    ],
    "dx is divided by the variance": [(RETURN, "return dx / sigma, dgamma, dbeta")],
    "dgamma with x instead of x_hat": [(DGAMMA, "(dy * x).sum(axis=0)")],
    "dgamma with x - mu instead of x_hat": [(DGAMMA, "(dy * (x - mu)).sum(axis=0)")],
    "dgamma without x_hat": [(DGAMMA, "dy.sum(axis=0)")],
    "gamma in dgamma": [(DGAMMA, "gamma * (dy * x_hat).sum(axis=0)")],
    "gamma in dbeta": [(DBETA, "dbeta = gamma * dy.sum(axis=0)")],
    "a mean for dgamma": [(DGAMMA, "(dy * x_hat).mean(axis=0)")],
    "a mean for dbeta": [(DBETA, "dbeta = dy.mean(axis=0)")],
    "dgamma summed over the channels": [(DGAMMA, "(dy * x_hat).sum(axis=1)")],
    "dbeta summed over the channels": [(DBETA, "dbeta = dy.sum(axis=1)")],
    "dgamma and dbeta exchanged": [(RETURN, "return dx, dbeta, dgamma")],
}
WITH_SIDE_EFFECT = {
    "dy changed in place": [("dx_hat = gamma * dy", "dy *= gamma; dx_hat = dy")],
    "x changed in place": [("x_hat = (x - mu) / sigma", "x -= mu; mu = 0; x_hat = x / sigma")],
    "dtype lost. For float32 input dgamma is float64": [
        (RETURN, "return dx, np.float64(1) * dgamma, dbeta")
    ],
}


@pytest.mark.parametrize("slip", [*WRONG, *WITH_SIDE_EFFECT])
def test_a_slip_is_named(slip):
    finding = check_backward(written(STEPS, *(WRONG | WITH_SIDE_EFFECT)[slip]))
    assert named(finding) == {slip}
    assert "\n  with dy = " in finding.says


def test_every_known_slip_is_tested():
    assert [slip.name for slip in SLIPS] == [*WRONG]


def test_slips_made_together_are_all_named():
    slips = "the path through mu is missing", "dgamma with x instead of x_hat", "a mean for dbeta"
    edits = [edit for slip in slips for edit in WRONG[slip]]
    assert named(check_backward(written(STEPS, *edits))) == {*slips}


def test_only_the_gradient_that_differs_is_shown():
    says = check_backward(written(STEPS, *WRONG["a mean for dbeta"])).says
    assert says.splitlines()[2:] == [
        "  with dy = [[1], [3]], x = [[2], [8]], gamma = [1], eps = 16",
        "  expected dbeta = [4]",
        "  got      dbeta = [2]",
    ]


@pytest.mark.parametrize(
    ("returned", "words"),
    [
        ("return ...", "Not written yet. Your function is to return dx, dgamma, dbeta."),
        ("return ..., ..., ...", "Not written yet"),
        ("return dx, dgamma, None", "Not written yet"),
        ("return dx", "returns an array, not a tuple dx, dgamma, dbeta"),
        ("return dx, dgamma", "returns 2 results, not dx, dgamma, dbeta"),
        ("return dx, dgamma[None], dbeta", "dgamma has the shape (1, 1), not (1,)"),
        ("return dx, dgamma, dbeta.sum()", "dbeta is a float64, not a NumPy array"),
    ],
)
def test_what_cannot_be_compared_is_told_by_its_name(returned, words):
    assert words in check_backward(written(STEPS, (RETURN, returned))).says


@settings(max_examples=12, deadline=None, derandomize=True)
@given(
    st.sampled_from(["dx", "dgamma", "dbeta", "dvar", "dmu", "var", "sigma", "mu", "dx_hat"]),
    st.floats(1e-3, 1),
    st.sampled_from([-1, 1]),
)
def test_a_term_a_thousandth_too_large_is_never_right(term, size, sign):
    line = next(line for line in STEPS.splitlines() if line.startswith(f"    {term} = "))
    wrong = written(STEPS, (line, f"{line}; {term} = {1 + sign * size} * {term}"))
    assert check_backward(wrong).says.startswith("Not yet: ")


@settings(max_examples=8, deadline=None, derandomize=True)
@given(
    st.sampled_from(["dx", "dgamma", "dbeta"]),
    st.sampled_from(["np.roll({}, 1, axis=-1)", "{}[::-1]", "{} + 0.001", "np.abs({})"]),
)
def test_a_spoiled_gradient_is_never_right(gradient, spoiled):
    wrong = written(STEPS, (RETURN, f"{gradient} = {spoiled.format(gradient)}; {RETURN}"))
    finding = check_backward(wrong)
    assert not finding.right and finding.says.startswith("Not yet: ")


# The gradient check that a student writes

CHECK = """
def check(backward):
    rng = np.random.default_rng(0)
    dy, x = rng.normal(size=(2, 4, 3))
    gamma, eps, tolerance = rng.normal(size=3), 0.5, 1e-7

    def loss(x, gamma, beta=0):
        x_hat = (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + eps)
        return ((gamma * x_hat + beta) * dy).sum()

    def slope(f, at, h=1e-5):
        steps = h * np.eye(at.size).reshape(-1, *at.shape)
        return np.reshape([(f(at + s) - f(at - s)) / (2 * h) for s in steps], at.shape)

    dx, dgamma, dbeta = backward(dy, x, gamma, eps)
    right = np.abs(dx - slope(lambda x: loss(x, gamma), x)).max() < tolerance
    right &= np.abs(dgamma - slope(lambda g: loss(x, g), gamma)).max() < tolerance
    right &= np.abs(dbeta - slope(lambda b: loss(x, gamma, b), 0 * gamma)).max() < tolerance
    return right
"""
ASSERTING = """
def check(backward):
    rng = np.random.default_rng(1)
    x, dy = rng.normal(5, 2, (3, 2)), rng.normal(size=(3, 2))
    gamma, eps, h = np.array([3.0, -2]), 1, 1e-5
    def y(x, gamma, beta):
        return gamma * (x - x.mean(0)) / (x.var(0) + eps) ** 0.5 + beta
    ours = backward(dy, x, gamma, eps)
    for k, start in enumerate((x, gamma, np.zeros(2))):
        for i in np.ndindex(start.shape):
            moved = []
            for sign in (1, -1):
                at = [x, gamma, np.zeros(2)]
                at[k] = start.copy()
                at[k][i] += sign * h
                moved.append((y(*at) * dy).sum())
            assert abs((moved[0] - moved[1]) / (2 * h) - ours[k][i]) < 1e-6
    return True
"""
AGAINST_A_FORMULA = """
def check(backward):
    rng = np.random.default_rng(2)
    x, dy, gamma, eps = rng.normal(size=(5, 2)), rng.normal(size=(5, 2)), np.array([0.5, 2]), 0.3
    std = np.sqrt(x.var(0) + eps)
    hat = (x - x.mean(0)) / std
    dx = gamma * (dy - dy.mean(0) - hat * (dy * hat).mean(0)) / std
    ours = backward(dy, x, gamma, eps)
    pairs = zip(ours, (dx, (dy * hat).sum(0), dy.sum(0)), strict=True)
    return max(np.abs(a - b).max() for a, b in pairs) < 1e-9
"""
BLIND = {
    "the slopes dy are alike": ("    gamma, eps", "    dy = np.ones((4, 3)); gamma, eps"),
    "the tolerance is too wide": ("(2, 4, 3)", "(2, 256, 3)", "1e-7", "0.1"),
    "gamma is 1": ("rng.normal(size=3), 0.5", "np.ones(3), 0.5"),
    "eps does not count": ("0.5, 1e-7", "1e-5, 1e-7"),
    "dgamma and dbeta are not looked at": ("    right &=", "    unused ="),
}


@pytest.mark.parametrize("right", [CHECK, ASSERTING, AGAINST_A_FORMULA])
def test_a_check_that_catches_all_slips_is_right(right):
    finding = check_gradient_check(written(right))
    assert finding.right and f"catches {len(SLIPS)} of {len(SLIPS)}" in finding.says


@pytest.mark.parametrize("spot", BLIND)
def test_a_blind_spot_is_named(spot):
    edits = list(zip(BLIND[spot][::2], BLIND[spot][1::2], strict=True))
    finding = check_gradient_check(written(CHECK, *edits))
    assert not finding.right and f"{spot}.\n" in finding.says, finding.says


def test_every_blind_spot_is_tested():
    assert [spot.name for spot in BLIND_SPOTS] == [*BLIND]
    names = {slip.name for slip in SLIPS}
    assert all({*spot.slips} <= names for spot in BLIND_SPOTS)


@pytest.mark.parametrize(
    ("check", "words"),
    [
        ("def check(backward):\n    ...", "Not written yet"),
        ("def check(backward):\n    return True", "It says yes to everything"),
        ("def check(backward):\n    return False", "fails a right backward pass"),
        ("def check(backward):\n    return backward(1)", "raises TypeError"),
        ("def check():\n    return True", "it is called with (backward)"),
        ("check = 3", "an int, not a function"),
    ],
)
def test_what_is_no_check_is_told(check, words):
    assert words in check_gradient_check(written(check)).says


def test_a_check_that_looks_at_dbeta_alone_gets_the_slips_that_pass():
    source = "def check(backward):\n"
    source += "    return bool(backward(np.ones((2, 1)), np.eye(2)[:, :1], np.ones(1), 1)[2] == 2)"
    finding = check_gradient_check(written(source))
    assert not finding.right and "These still pass" not in finding.says


@pytest.mark.parametrize(("old", "new"), [("(2 * h)", "h"), ("var(axis=0)", "var(axis=0, ddof=1)")])
def test_a_check_that_is_wrong_itself_is_never_right(old, new):
    assert not check_gradient_check(written(CHECK, (old, new))).right
