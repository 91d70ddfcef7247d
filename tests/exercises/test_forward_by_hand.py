"""Batch normalization as students write it, right and wrong, and tests of it as they write them."""

import warnings

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from bnlib.exercises.forward_by_hand import (
    SLIPS,
    check_batch_norm,
    check_test,
    check_wrong_but_passing,
    weak_test,
)
from bnlib.numpy_bn import BatchNorm
from tests.exercises.student import named, written

VECTORIZED = """
def batch_norm(x, gamma, beta, eps):
    axes = (0, *range(2, x.ndim))
    shape = (1, -1, *[1] * (x.ndim - 2))
    mu = x.mean(axis=axes, keepdims=True)
    var = x.var(axis=axes, keepdims=True)
    x_hat = (x - mu) / np.sqrt(var + eps)
    gamma = gamma.reshape(shape)
    beta = beta.reshape(shape)
    y = gamma * x_hat + beta
    return y
"""
LOOP = """
def batch_norm(x, gamma, beta, eps):
    y = np.zeros_like(x)
    for c in range(x.shape[1]):
        values = [float(value) for value in x[:, c].flatten()]
        m = len(values)
        mu = sum(values) / m
        var = sum((value - mu) ** 2 for value in values) / m
        for i in np.ndindex(x[:, c].shape):
            where = (i[0], c, *i[1:])
            y[where] = gamma[c] * (x[where] - mu) / (var + eps) ** 0.5 + beta[c]
    return y
"""
MOVED_AXES = """
def batch_norm(x, gamma, beta, eps=1e-5):
    last = np.moveaxis(x, 1, -1)
    flat = last.reshape(-1, x.shape[1])
    centered = flat - flat.mean(0)
    var = np.einsum("mc,mc->c", centered, centered) / len(flat)
    out = centered * (gamma / np.sqrt(var + eps)) + beta
    return np.moveaxis(out.reshape(last.shape), -1, 1)
"""
DOUBLE_INSIDE = """
def batch_norm(x, gamma, beta, eps):
    z = x.astype(np.float64).swapaxes(0, 1).reshape(x.shape[1], -1)
    mu, mean_of_squares = z.mean(1), (z ** 2).mean(1)
    scale = gamma / np.sqrt(mean_of_squares - mu ** 2 + eps)
    shift = beta - mu * scale
    to = (-1, *[1] * (x.ndim - 2))
    return (x * scale.reshape(to) + shift.reshape(to)).astype(x.dtype)
"""
OBJECT = """
class Normalizer:
    def __init__(self, eps):
        self.eps = eps
    def normalize(self, x):
        mu = np.mean(x, axis=self.axes, keepdims=True)
        var = np.mean(np.square(x - mu), axis=self.axes, keepdims=True)
        return (x - mu) * np.power(var + self.eps, -0.5)
    def forward(self, x):
        self.axes = tuple(axis for axis in range(x.ndim) if axis != 1)
        return self.normalize(x)
def batch_norm(x, gamma, beta, eps):
    x_hat = Normalizer(eps).forward(x)
    new = [slice(None)] + [None] * (x.ndim - 2)
    return x_hat * gamma[tuple(new)] + beta[tuple(new)]
"""


def library(x, gamma, beta, eps):
    bn = BatchNorm(x.shape[1], eps=eps)
    bn.gamma, bn.beta = gamma, beta
    return bn(x)


def chatty(x, gamma, beta, eps):
    print("x has the shape", x.shape)
    return written(VECTORIZED)(x, gamma, beta, eps)


RIGHT = {
    "vectorized": written(VECTORIZED),
    "a loop": written(LOOP),
    "moved axes": written(MOVED_AXES),
    "float64 inside": written(DOUBLE_INSIDE),
    "an object": written(OBJECT),
    "the library": library,
    "it prints": chatty,
}


@pytest.mark.parametrize("style", RIGHT)
def test_every_right_style_is_right(style):
    finding = check_batch_norm(RIGHT[style])
    assert finding.right, finding
    assert finding.says.startswith("Right")


# Slips

AXES, MU = "axes = (0, *range(2, x.ndim))", "x.mean(axis=axes, keepdims=True)"
VAR, X_HAT = "x.var(axis=axes, keepdims=True)", "(x - mu) / np.sqrt(var + eps)"
GAMMA, BETA, Y = "gamma.reshape(shape)", "beta.reshape(shape)", "gamma * x_hat + beta"
SUM, SQUARES = "x.sum(axis=axes, keepdims=True)", "((x - mu) ** 2).sum(axis=axes, keepdims=True)"
SECOND_MOMENT = "(x ** 2).mean(axis=axes, keepdims=True)"

WRONG = {
    "statistics of each example": [(AXES, "axes = tuple(range(1, x.ndim))")],
    "the statistics of the rows, subtracted from the columns": [
        (MU, "x.mean(axis=1)"),
        (VAR, "x.var(axis=1)"),
    ],
    "one mean and one variance for the whole array": [(MU, "x.mean()"), (VAR, "x.var()")],
    "statistics of each image": [(AXES, "axes = (0,) if x.ndim == 2 else (2, 3)")],
    "statistics of each position": [(AXES, "axes = 0")],
    "statistics over the channels": [(AXES, "axes = 0 if x.ndim == 2 else 1")],
    "statistics that lie along the width": [(MU, "x.mean(axis=axes)"), (VAR, "x.var(axis=axes)")],
    "the mean is not subtracted": [(X_HAT, "x / np.sqrt(var + eps)")],
    "m - 1 in the variance": [(VAR, f"{SQUARES} / (x.size / x.shape[1] - 1)")],
    "a sum of squares, not their mean": [(VAR, SQUARES)],
    "the examples counted, not the entries": [
        (MU, f"{SUM} / x.shape[0]"),
        (VAR, f"{SQUARES} / x.shape[0]"),
    ],
    "the mean of x squared for the variance": [(VAR, SECOND_MOMENT)],
    "the standard deviation where the variance belongs": [(VAR, "x.std(axis=axes, keepdims=True)")],
    "the variance as mean of squares minus square of mean, in float32": [
        (VAR, f"{SECOND_MOMENT} - mu * mu")
    ],
    "eps outside the root": [(X_HAT, "(x - mu) / (np.sqrt(var) + eps)")],
    "eps forgotten": [(X_HAT, "(x - mu) / np.sqrt(var)")],
    "eps is always 1e-5": [(X_HAT, "(x - mu) / np.sqrt(var + 1e-5)")],
    "the root forgotten": [(X_HAT, "(x - mu) / (var + eps)")],
    "gamma forgotten": [(Y, "x_hat + beta")],
    "beta forgotten": [(Y, "gamma * x_hat")],
    "gamma and beta forgotten": [(Y, "x_hat")],
    "gamma and beta exchanged": [(Y, "beta * x_hat + gamma")],
    "beta added before gamma multiplies": [(Y, "gamma * (x_hat + beta)")],
    "one gamma for each example": [(GAMMA, "gamma.reshape(-1, *[1] * (x.ndim - 1))")],
    "one beta for each example": [(BETA, "beta.reshape(-1, *[1] * (x.ndim - 1))")],
    "gamma lies along the width": [(GAMMA, "gamma")],
    "beta lies along the width": [(BETA, "beta")],
}
WITH_SIDE_EFFECT = {
    "x changed in place": [(X_HAT, "x; x_hat -= mu; x_hat /= np.sqrt(var + eps)")],
    "gamma changed in place": [(GAMMA, "gamma.reshape(shape); gamma *= 2; gamma /= 4")],
    "dtype lost. For float32 input y is float64": [("return y", "return y.astype(np.float64)")],
    "dtype lost. For float64 input y is float32": [("return y", "return y.astype(np.float32)")],
}
MORE_WRONG = {  # the same slips, written in another way
    "m - 1 in the variance": (LOOP, ("for value in values) / m", "for value in values) / (m - 1)")),
    "eps outside the root": (LOOP, ("(var + eps) ** 0.5", "(var ** 0.5 + eps)")),
    "eps forgotten": (MOVED_AXES, ("var + eps", "var")),
    "gamma forgotten": (MOVED_AXES, ("gamma / np", "1 / np")),
    "statistics of each example": (OBJECT, ("if axis != 1", "if axis != 0")),
    "dtype lost. For float32 input y is float64": (DOUBLE_INSIDE, (".astype(x.dtype)", "")),
}


@pytest.mark.parametrize("slip", [*WRONG, *WITH_SIDE_EFFECT])
def test_a_slip_is_named(slip):
    finding = check_batch_norm(written(VECTORIZED, *(WRONG | WITH_SIDE_EFFECT)[slip]))
    assert named(finding) == {slip}
    assert "\n  with x = " in finding.says


@pytest.mark.parametrize("slip", MORE_WRONG)
def test_a_slip_is_named_whatever_the_style(slip):
    source, edit = MORE_WRONG[slip]
    assert named(check_batch_norm(written(source, edit))) == {slip}


def test_every_known_slip_is_tested():
    assert [slip.name for slip in SLIPS] == [*WRONG]


@pytest.mark.parametrize(
    "slips",
    [
        {"m - 1 in the variance", "eps outside the root"},
        {"statistics of each example", "eps forgotten", "gamma and beta forgotten"},
        {"gamma lies along the width", "beta lies along the width"},
        {"one gamma for each example", "one beta for each example"},
    ],
    ids=lambda slips: " and ".join(sorted(slips)),
)
def test_slips_made_together_are_all_named(slips):
    edits = [edit for slip in slips for edit in WRONG[slip]]
    finding = check_batch_norm(written(VECTORIZED, *edits))
    assert named(finding) == slips
    assert f"{'two' if len(slips) == 2 else 'three'} slips at once" in finding.says


def test_a_slip_comes_with_the_smallest_case_that_shows_it():
    finding = check_batch_norm(written(VECTORIZED, *WRONG["m - 1 in the variance"]))
    assert finding.says.splitlines() == [
        "Not yet: m - 1 in the variance.",
        "BN normalizes with the biased variance, which divides by m. (The unbiased one is kept for",
        "later use.)",
        "  with x = [[2], [8]], gamma = [1], beta = [0], eps = 16",
        "  expected y = [[-0.6], [0.6]]",
        "  got      y = [[-0.5145], [0.5145]]",
    ]


def test_a_function_for_matrices_alone_meets_the_first_image():
    matrices_only = """
def batch_norm(x, gamma, beta, eps):
    N, C = x.shape
    return gamma * (x - x.mean(0)) / np.sqrt(x.var(0) + eps) + beta
"""
    finding = check_batch_norm(written(matrices_only))
    assert "raises ValueError in line 3" in finding.says
    assert "x = [[[[1, 3]]], [[[4, 12]]]]" in finding.says


def test_a_constant_channel_without_eps_warns_nobody(capfd):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_batch_norm(written(VECTORIZED, *WRONG["eps forgotten"]))
    assert capfd.readouterr() == ("", "")


# What nobody foresaw

TERMS = [MU, VAR, GAMMA, BETA, "var + eps", "x - mu", "gamma * x_hat", "np.sqrt(var + eps)"]
SPOILED = [
    "np.roll(y, {k}, axis=0)",
    "np.where(np.arange(y.size).reshape(y.shape) == {k} % y.size, 0, y).astype(y.dtype)",
    "np.where(np.arange(y.size).reshape(y.shape) == {k} % y.size, y * 1.001, y).astype(y.dtype)",
    "y[:, ::-1] * (-1) ** {k}",
    "y + 0.001 * {k}",
    "np.abs(y) * {k}",
    "np.clip(y, -{k} / 2, {k} / 2)",
]


@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.sampled_from(TERMS), st.floats(1e-3, 1), st.sampled_from([-1, 1]))
def test_a_term_a_thousandth_too_large_is_never_right(term, size, sign):
    wrong = written(VECTORIZED, (term, f"({1 + sign * size} * ({term}))"))
    assert check_batch_norm(wrong).says.startswith("Not yet: ")


@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.sampled_from(SPOILED), st.sampled_from([1, 3, 5]))
def test_a_spoiled_output_is_never_right(spoiled, k):
    wrong = written(VECTORIZED, ("return y", f"return {spoiled.format(k=k)}"))
    finding = check_batch_norm(wrong)
    assert finding.says.startswith("Not yet: ") and not finding.right


def test_of_an_unforeseen_slip_the_channel_is_named():
    wrong = written(VECTORIZED, ("return y", "y[:, 1:] *= 1.01; return y"))
    assert (
        "y of shape (4, 3) differs in 8 of 12 entries, only in channels 1 and 2, by one factor"
        in (check_batch_norm(wrong).says)
    )


# Break the checker


@pytest.mark.parametrize(
    "slip",
    ["statistics of each example", "one mean and one variance for the whole array"],
)
def test_a_wrong_function_that_passes_the_weak_test_is_right(slip):
    finding = check_wrong_but_passing(written(VECTORIZED, *WRONG[slip]))
    assert finding.right
    assert f"Overlooked: {slip}." in finding.says


def test_even_a_function_that_ignores_x_passes_the_weak_test():
    noise = written("def f(x, gamma, beta, eps):\n return np.resize([-1.0, 1.0], x.shape)")
    assert check_wrong_but_passing(noise).right


@pytest.mark.parametrize(
    ("f", "words"),
    [
        (RIGHT["vectorized"], "this is a right batch norm"),
        (lambda x, gamma, beta, eps: x, "the weak test has caught it"),
        (lambda x, gamma, beta, eps: x[100], "raises IndexError"),
        (lambda x, gamma, beta, eps: ..., "Not written yet"),
        (lambda x: x, "takes (x)"),
    ],
)
def test_what_is_right_or_caught_does_not_break_the_checker(f, words):
    finding = check_wrong_but_passing(f)
    assert not finding.right and words in finding.says


GOOD_TEST = """
def test(batch_norm):
    x = np.array([[2.0, 10], [8, 30], [2, 20]])
    gamma, beta, eps = np.array([2.0, 3.0]), np.array([1.0, -1.0]), 8.0
    y = batch_norm(x, gamma, beta, eps)
    return bool(np.allclose(y.mean(0), beta) and np.allclose(y.std(0), GAMMA_AFTER))
"""
AFTER = "gamma * np.sqrt(x.var(0) / (x.var(0) + eps))"


def test_a_test_that_looks_at_each_channel_gamma_beta_and_a_large_eps_is_right():
    finding = check_test(written(GOOD_TEST, ("GAMMA_AFTER", AFTER)))
    assert finding.right, finding
    assert "catches 10 of the 10 slips that pass the weak test" in finding.says


def test_a_test_may_assert():
    asserting = ("return bool(", "assert ("), ("GAMMA_AFTER))", f"{AFTER}))\n    return True")
    assert check_test(written(GOOD_TEST, *asserting)).right


def test_what_slips_through_is_named():
    finding = check_test(written(GOOD_TEST, ("GAMMA_AFTER", AFTER), ("8.0", "1e-5")))
    assert not finding.right
    assert finding.says.splitlines() == [
        "Not yet: your test catches 7 of the 10 slips that pass the weak test. These still pass:",
        "  eps outside the root",
        "  eps forgotten",
        "  eps is always 1e-5",
    ]
    assert "catches 0 of the 10" in check_test(weak_test).says


@pytest.mark.parametrize(
    ("test", "words"),
    [
        (lambda f: ..., "Not written yet"),
        (lambda f: None, "Not written yet"),
        (lambda f: False, "fails a right batch norm"),
        (lambda f: f(0), "raises TypeError"),
        (lambda: True, "takes ()"),
        (True, "not a function"),
    ],
)
def test_a_test_that_is_none_is_told_so(test, words):
    finding = check_test(test)
    assert not finding.right and words in finding.says


def test_a_test_that_leaves_no_room_for_rounding_is_told_so():
    exact = """
def test(batch_norm):
    x = np.random.default_rng(0).normal(size=(6, 3))
    mu = x.mean(0)
    var = ((x - mu) ** 2).mean(0)
    return (batch_norm(x, np.ones(3), np.zeros(3), 0.1) == (x - mu) / np.sqrt(var + 0.1)).all()
"""
    assert "room for rounding" in check_test(written(exact)).says
    with_room = written(exact, (" == ", " - "), (").all()", ").max() < 1e-9"))
    assert "catches 6 of the 10" in check_test(with_room).says
