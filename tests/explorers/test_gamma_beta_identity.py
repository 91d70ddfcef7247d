"""Lesson 04's explorers, beyond what every explorer is tested for."""

import numpy as np
import pytest

from bnlib.explorers.gamma_beta_identity import identity_explorer, sigmoid_explorer
from bnlib.live.explorer import Explorer

[BUTTON] = identity_explorer().actions


def residual(explorer: Explorer) -> float:
    """The largest |y − x| of the dots in the picture."""
    dots = explorer.live.figure.axes[1].lines[-1]
    return np.abs(dots.get_ydata() - dots.get_xdata()).max()


def snap(control) -> None:
    """Do as a slider in a page does, which can only stand on its steps, and says so."""
    steps = round((control.value - control.min) / control.step)
    control.value = control.min + steps * control.step


@pytest.mark.parametrize("batch", [1, 10])
def test_the_button_makes_y_equal_to_x_although_sliders_snap(batch):
    explorer = identity_explorer()
    explorer.set(batch=batch)
    for _ in range(2):
        explorer.buttons[BUTTON].click()
        for name in ("gamma", "beta"):
            snap(explorer.controls[name])
        assert residual(explorer) < 1e-5
        explorer.set(batch=5)
        assert residual(explorer) > 0.1
        explorer.buttons["Reset"].click()
        assert residual(explorer) > 1
        explorer.set(batch=batch)


def test_a_slider_that_is_moved_after_the_button_counts():
    explorer = identity_explorer()
    explorer.buttons[BUTTON].click()
    for name in ("gamma", "beta"):
        snap(explorer.controls[name])
    explorer.controls["gamma"].value = 1.7
    assert explorer.values["gamma"] == 1.7 and 0.1 < residual(explorer) < 1
    explorer.controls["gamma"].value = 1.6  # where the button had put it, and now its own value
    assert explorer.values["gamma"] == 1.6 and residual(explorer) > 0.01
    assert explorer.line.startswith("γ = 1.6, β = 2.88")


@pytest.mark.parametrize(("gamma", "middle", "flat"), [(0.1, 100, 0), (1, 73, 2), (5, 15, 55)])
def test_sigmoid_counts_the_middle_and_the_ends(gamma, middle, flat):
    explorer = sigmoid_explorer()
    explorer.controls["gamma"].value = gamma
    assert f"(|y| < 1): {middle}%" in explorer.line and f"(|y| > 3): {flat}%" in explorer.line
