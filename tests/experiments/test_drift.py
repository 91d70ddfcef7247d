"""Images that change after the training."""

import pytest
import torch

from bnlib.experiments import drift
from bnlib.experiments.data import load_digits

IMAGES = torch.tensor(load_digits().x_test)


@pytest.mark.parametrize("change", drift.DRIFTS.values(), ids=[*drift.DRIFTS])
def test_at_0_nothing_changes_and_later_something_does(change):
    assert torch.equal(change(IMAGES, 0), IMAGES)
    before = IMAGES.clone()
    changed = change(IMAGES, 0.6)
    assert changed.shape == IMAGES.shape and not torch.allclose(changed, IMAGES)
    assert torch.equal(change(IMAGES, 0.6), changed), "the same each time"
    assert torch.equal(IMAGES, before), "what is handed over stays"


def test_at_1_the_ends_are_reached():
    assert not drift.fade(IMAGES, 1).any()
    assert torch.all(drift.haze(IMAGES, 1) == 1)
    assert torch.allclose(drift.invert(IMAGES, 1), 1 - IMAGES)
    moved = drift.move(IMAGES, 1).view(-1, 8, 8)
    assert torch.equal(moved[:, :, 1:], IMAGES.view(-1, 8, 8)[:, :, :7])
    assert not moved[:, :, 0].any()


def test_the_lamp_hits_about_half_of_the_images():
    untouched = (drift.flicker(IMAGES, 0.8) == IMAGES).all(dim=1).float().mean()
    assert 0.4 < untouched < 0.6


def test_noise_has_its_standard_deviation():
    assert (drift.add_noise(IMAGES, 0.5) - IMAGES).std() == pytest.approx(0.5, rel=0.02)
