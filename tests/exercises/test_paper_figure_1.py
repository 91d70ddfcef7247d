"""The curves of Figure 1 (c), and a paired difference, as students write them."""

import numpy as np
import pytest

from bnlib.exercises.paper_figure_1 import (
    BAND_CASES,
    BAND_SLIPS,
    DIFFERENCE_SLIPS,
    check_bands,
    check_difference,
)
from bnlib.numpy_bn import BatchNorm
from tests.exercises.student import named, written

# Percentiles

STEPS = """
def bands(z, gamma, beta, running_mean, running_var, unit):
    rows = []
    for k in range(len(z)):
        batch = z[k]
        mean, var = batch.mean(axis=0), batch.var(axis=0)
        x_hat = (batch - mean) / np.sqrt(var + 1e-5)
        y = gamma[k] * x_hat + beta[k]
        rows.append(np.percentile(y[:, unit], [15, 50, 85]))
    return np.array(rows)
"""
AT_ONCE = """
def bands(z, gamma, beta, running_mean, running_var, unit):
    v = z[..., unit]
    x_hat = (v - v.mean(1, keepdims=True)) / np.sqrt(v.var(1, keepdims=True) + 1e-5)
    y = gamma[:, [unit]] * x_hat + beta[:, [unit]]
    return np.quantile(y, [0.15, 0.5, 0.85], axis=1).T
"""
SORTED = """
def percentile(values, p):
    ordered, place = sorted(values), p / 100 * (len(values) - 1)
    low = int(place)
    high = min(low + 1, len(values) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])
def bands(z, gamma, beta, running_mean, running_var, unit):
    out = np.zeros((len(z), 3))
    for k, batch in enumerate(z):
        v = batch[:, unit]
        for column, p in enumerate((15, 50, 85)):
            x_hat = (percentile(v, p) - v.mean()) / (v.var() + 1e-5) ** 0.5
            out[k, column] = gamma[k, unit] * x_hat + beta[k, unit]
    if (gamma[:, unit] < 0).any():
        raise ValueError("a negative gamma turns the order round")
    return out
"""


def library(z, gamma, beta, running_mean, running_var, unit):
    rows = []
    for k, batch in enumerate(z):
        bn = BatchNorm(z.shape[2])
        bn.gamma, bn.beta = gamma[k], beta[k]
        rows.append(np.percentile(bn(batch)[:, unit], [15, 50, 85]))
    return np.array(rows)


RIGHT_BANDS = {
    "step by step": written(STEPS),
    "at once": written(AT_ONCE),
    "by sorting": written(SORTED),
    "the library": library,
}


@pytest.mark.parametrize("style", RIGHT_BANDS)
def test_every_right_style_of_bands_is_right(style):
    finding = check_bands(RIGHT_BANDS[style])
    assert finding.right, finding


MEAN_VAR = "batch.mean(axis=0), batch.var(axis=0)"
PERCENTILE = "np.percentile(y[:, unit], [15, 50, 85])"
WRONG_BANDS = {
    "before BN": [("y[:, unit]", "batch[:, unit]")],
    "after the sigmoid": [("y[:, unit]", "1 / (1 + np.exp(-y[:, unit]))")],
    "x̂, without γ and β": [("gamma[k] * x_hat + beta[k]", "x_hat")],
    "γ and β of the last look for all looks": [
        ("gamma[k] * x_hat + beta[k]", "gamma[-1] * x_hat + beta[-1]")
    ],
    "normalized by the running averages": [(MEAN_VAR, "running_mean[k], running_var[k]")],
    "one mean and one variance for the whole layer": [(MEAN_VAR, "batch.mean(), batch.var()")],
    "one mean and one variance for all looks": [(MEAN_VAR, "z.mean((0, 1)), z.var((0, 1))")],
    "statistics of each example": [(MEAN_VAR, "batch.mean(1)[:, None], batch.var(1)[:, None]")],
    "the unbiased variance": [("var(axis=0)", "var(axis=0, ddof=1)")],
    "divided by the variance": [("np.sqrt(var + 1e-5)", "(var + 1e-5)")],
    "ε is missing": [("var + 1e-5", "var")],
    "over the units of one example": [("y[:, unit]", "y[unit]")],
    "all units together": [("y[:, unit]", "y")],
    "the unit counted from 1": [("y[:, unit]", "y[:, unit - 1]")],
    "0.15 is no 15th percentile": [("[15, 50, 85]", "[0.15, 0.5, 0.85]")],
    "the quartiles": [("[15, 50, 85]", "[25, 50, 75]")],
    "the mean for the 50th percentile": [
        (
            PERCENTILE,
            "[np.percentile(y[:, unit], p) if p else y[:, unit].mean() for p in (15, 0, 85)]",
        )
    ],
    "mean and standard deviation": [
        (PERCENTILE, "y[:, unit].mean() + np.array([-1, 0, 1]) * y[:, unit].std()")
    ],
    "a row for each percentile": [("np.array(rows)", "np.array(rows).T")],
}


@pytest.mark.parametrize("slip", WRONG_BANDS)
def test_a_slip_of_bands_is_named(slip):
    assert named(check_bands(written(STEPS, *WRONG_BANDS[slip]))) == {slip}


def test_two_slips_at_once_are_both_named():
    edits = WRONG_BANDS["the quartiles"] + WRONG_BANDS["after the sigmoid"]
    assert named(check_bands(written(STEPS, *edits))) == {"the quartiles", "after the sigmoid"}


def test_every_known_slip_of_bands_is_tested():
    assert [slip.name for slip in BAND_SLIPS] == [*WRONG_BANDS]


def test_no_unit_of_the_cases_is_turned_round():
    """Else percentiles of x̂, scaled, would come in another order: no slip, but no right way."""
    assert all(gamma[:, unit].min() > 0 for _, gamma, *_, unit in BAND_CASES)


# A paired difference

PAIRED = """
def difference(right_a, right_b):
    d = right_a - right_b
    n = d.shape[1]
    mean = d.mean(axis=1)
    s2 = ((d - mean[:, np.newaxis]) ** 2).sum(axis=1) / (n - 1)
    return mean, np.sqrt(s2 / n)
"""
STD = """
def difference(right_a, right_b):
    d = right_a - right_b
    return d.mean(1), d.std(1, ddof=1) / d.shape[1] ** 0.5
"""
COUNTS = """
def difference(right_a, right_b):
    n = right_a.shape[1]
    only_a = (right_a > right_b).sum(1)
    only_b = (right_a < right_b).sum(1)
    d = (only_a - only_b) / n
    return d, np.sqrt(((only_a + only_b) / n - d**2) / (n - 1))
"""
COVARIANCE = """
def difference(right_a, right_b):
    rows = []
    for a, b in zip(right_a, right_b):
        c = np.cov(a, b)
        rows.append((a.mean() - b.mean(), ((c[0, 0] + c[1, 1] - 2 * c[0, 1]) / len(a)) ** 0.5))
    return tuple(np.array(rows).T)
"""
RIGHT_DIFFERENCES = {"formula": PAIRED, "std": STD, "counts": COUNTS, "covariance": COVARIANCE}


@pytest.mark.parametrize("style", RIGHT_DIFFERENCES)
def test_every_right_style_of_a_difference_is_right(style):
    finding = check_difference(written(RIGHT_DIFFERENCES[style]))
    assert finding.right, finding


S2, ROOT = "((d - mean[:, np.newaxis]) ** 2).sum(axis=1) / (n - 1)", "np.sqrt(s2 / n)"
WRONG_DIFFERENCES = {
    "as if other images had been shown to each network": [
        (S2, "right_a.var(axis=1, ddof=1) + right_b.var(axis=1, ddof=1)")
    ],
    "the standard error of one network alone": [(S2, "right_a.var(axis=1, ddof=1)")],
    "the standard deviation of the images": [(ROOT, "np.sqrt(s2)")],
    "no root": [(ROOT, "s2 / n")],
    "divided by n, not by its root": [(ROOT, "np.sqrt(s2) / n")],
    "n counts both networks": [(ROOT, "np.sqrt(s2 / (2 * n))")],
    "n counts the images of all seeds": [(ROOT, "np.sqrt(s2 / d.size)")],
    "n counts only the images on which they differ": [(ROOT, "np.sqrt(s2 / (d != 0).sum(axis=1))")],
    "s² divides by n": [("(n - 1)", "n")],
    "over the seeds": [
        ("d.shape[1]", "len(d)"),
        ("d.mean(axis=1)", "d.mean(axis=0)"),
        (S2, "d.var(axis=0, ddof=1)"),
    ],
    "in per cent": [(f"mean, {ROOT}", f"100 * mean, 100 * {ROOT}")],
    "one in per cent, one as a share": [(f"mean, {ROOT}", f"100 * mean, {ROOT}")],
    "two standard errors": [(ROOT, f"2 * {ROOT}")],
    "b − a": [("right_a - right_b", "right_b - right_a")],
}


@pytest.mark.parametrize("slip", WRONG_DIFFERENCES)
def test_a_slip_of_a_difference_is_named(slip):
    assert named(check_difference(written(PAIRED, *WRONG_DIFFERENCES[slip]))) == {slip}


def test_every_known_slip_of_a_difference_is_tested():
    assert [slip.name for slip in DIFFERENCE_SLIPS] == [*WRONG_DIFFERENCES]


def test_a_constant_is_never_right():
    assert not check_bands(lambda z, *_: np.zeros((len(z), 3))).right
    assert not check_difference(lambda a, b: (np.zeros(len(a)), np.zeros(len(a)))).right
