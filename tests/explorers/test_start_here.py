"""Lesson 00's explorer, beyond what every explorer is tested for."""

from bnlib.explorers.start_here import depth_explorer


def test_depth_shows_that_only_bn_keeps_the_images_apart():
    explorer = depth_explorer()
    explorer.set(depth=12, batch_norm=False)
    assert "Layer 12 without BN" in explorer.line and "7e-09" in explorer.line
    explorer.set(batch_norm=True)
    assert "Layer 12 with BN" in explorer.line and "0.2" in explorer.line
