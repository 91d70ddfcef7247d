"""Lesson 00's explorer, beyond what every explorer is tested for."""

import io

import numpy as np
from PIL import Image

from bnlib.explorers.start_here import depth_explorer
from bnlib.pictures.parts import WITH_BN


def test_depth_shows_that_only_bn_keeps_the_images_apart():
    explorer = depth_explorer()
    explorer.set(depth=12, batch_norm=False)
    assert "Layer 12 without BN" in explorer.line and "7e-09" in explorer.line
    explorer.set(batch_norm=True)
    assert "Layer 12 with BN" in explorer.line and "0.2" in explorer.line


def test_the_curve_with_bn_appears_with_its_box():
    explorer = depth_explorer()
    blue = np.array([int(WITH_BN[i : i + 2], 16) for i in (1, 3, 5)])
    for ticked in (False, True, False):
        explorer.set(batch_norm=ticked)
        picture = np.asarray(Image.open(io.BytesIO(explorer.png())).convert("RGB"), int)
        right = picture[:, picture.shape[1] * 3 // 5 :]
        assert ((abs(right - blue).sum(axis=2) < 40).sum() > 200) == ticked
