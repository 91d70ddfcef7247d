"""Lesson 02's explorer, beyond what every explorer is tested for."""

import re

import numpy as np

from bnlib.explorers.backward_by_hand import three_arrows_explorer


def rows(line: str) -> dict[str, np.ndarray]:
    """The rows of three numbers that a line says, by what stands before them."""
    found = re.findall(r"([\ŵ ]+) \(([^)]+)\)", line)
    return {name.strip(): np.array(numbers.split(","), float) for name, numbers in found}


def test_what_is_left_lies_on_the_tangent():
    explorer = three_arrows_explorer()
    for moved in ({}, {"turn": 0}, {"turn": 120, "slope3": -1.25}):
        explorer.set(**moved)
        said = rows(explorer.line)
        left = said["is left"]
        assert abs(left.sum()) < 0.03 and abs(left @ said["x̂"]) < 0.05
        assert np.isclose(left @ left, left @ said["arrives"], atol=0.05)  # a projection


def test_a_gradient_along_the_ring_is_left_as_it_is():
    explorer = three_arrows_explorer()
    explorer.set(turn=200, slope1=0.5, slope2=-1, slope3=0.5)  # x̂ is (-1.22, 0, 1.22)
    said = rows(explorer.line)
    assert np.array_equal(said["is left"], said["arrives"])


def test_of_a_gradient_upward_nothing_is_left():
    explorer = three_arrows_explorer()
    explorer.set(slope1=1, slope2=1, slope3=1)
    assert "is left (0.00, 0.00, 0.00)" in explorer.line
