"""Images at two contrasts, and which norms see the contrast."""

import pytest
import torch
from torch import nn

from bnlib.experiments.contrast import at_two_contrasts, with_biases
from bnlib.experiments.data import load_digits
from bnlib.experiments.norm_and_batch import network


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    return torch.tensor(load_digits().x_test[:20]).view(-1, 1, 8, 8)


def test_every_image_comes_twice(images):
    both, classes = at_two_contrasts(images, 0.25)
    assert torch.equal(both[:20], images) and torch.equal(both[20:], images / 4)
    assert classes.tolist() == [0] * 20 + [1] * 20


def moved(model: nn.Module, images: torch.Tensor) -> float:
    """How far half of the contrast moves the answers, in training mode."""
    with torch.no_grad():
        both = model(at_two_contrasts(images)[0])
    return (both[:20] - both[20:]).abs().max().item()


@pytest.mark.parametrize("norm", ["LN", "GN", "IN"])
def test_without_biases_these_do_not_see_the_contrast(images, norm):
    assert moved(network("CNN", norm), images) < 0.01


@pytest.mark.parametrize(
    ("norm", "sees"), [("BN", True), ("LN", True), ("GN", True), ("IN", False)]
)
def test_with_biases_only_one_does_not(images, norm, sees):
    assert (moved(with_biases(norm), images) > 0.1) == sees


def test_the_weights_are_those_of_the_network_without_biases():
    with_them, without = with_biases("GN", 3), network("CNN", "GN", seed=3)
    assert torch.equal(with_them[0].weight, without[0].weight)
    assert without[0].bias is None and with_them[0].bias.abs().max() <= 1 / 3
