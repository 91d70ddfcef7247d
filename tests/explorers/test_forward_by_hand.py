"""Lesson 01's explorer, beyond what every explorer is tested for."""

from bnlib.explorers.forward_by_hand import five_values_explorer


def test_five_values_says_what_bn_computes():
    explorer = five_values_explorer()
    expected = "mean μ = 8.0; standard deviation σ = 4.00; outputs -1.50, -0.50, 0.00, 0.50, 1.50"
    assert explorer.line == expected
    explorer.set(x5=38)
    assert "outputs -0.84, -0.53, -0.37, -0.22, 1.96" in explorer.line
    explorer.set(**dict.fromkeys(explorer.controls, 7))
    assert "σ = 0.00; outputs 0.00, 0.00, 0.00, 0.00, 0.00" in explorer.line
