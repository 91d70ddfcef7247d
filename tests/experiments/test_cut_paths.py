"""Batch normalization without a path of its gradient."""

import pytest
import torch

from bnlib.experiments.cut_paths import CutBatchNorm, train_with_cut
from bnlib.torch_bn import BatchNorm

CUTS = [(), ("mean",), ("variance",), ("mean", "variance")]
X = torch.randn(6, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
SLOPES = torch.randn(6, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def gradient(layer: torch.nn.Module) -> torch.Tensor:
    x = X.clone().requires_grad_()
    (layer.double()(x) * SLOPES).sum().backward()
    return x.grad


@pytest.mark.parametrize("cut", CUTS)
def test_the_outputs_are_those_of_bn(cut):
    assert torch.allclose(CutBatchNorm(3, cut).double()(X), BatchNorm(3).double()(X))


def test_with_nothing_cut_the_gradient_is_that_of_bn():
    layer = CutBatchNorm(3)
    assert torch.allclose(gradient(layer), gradient(BatchNorm(3)))
    assert layer.bias.grad.abs().max() < 1e-12


@pytest.mark.parametrize("cut", CUTS)
def test_what_is_cut_is_no_longer_removed(cut):
    sigma = (X.var(0, correction=0) + 1e-5).sqrt()
    hat = (X - X.mean(0)) / sigma
    expected = SLOPES.clone()
    if "mean" not in cut:
        expected -= SLOPES.mean(0)
    if "variance" not in cut:
        expected -= hat * (SLOPES * hat).mean(0)
    assert torch.allclose(gradient(CutBatchNorm(3, cut)), expected / sigma)


def test_an_unknown_path_is_refused():
    with pytest.raises(ValueError, match="'gamma'"):
        CutBatchNorm(3, ("gamma",))


def test_without_the_path_through_the_mean_the_bias_drifts():
    whole, cut = (train_with_cut(paths, lr=0.5, steps=20) for paths in [(), ("mean",)])
    assert whole.bias < 1e-3 < 0.5 < cut.bias
    assert cut.accuracy < whole.accuracy


def test_the_bias_can_be_held_and_the_pixels_centred():
    held = train_with_cut(("mean",), lr=0.5, steps=20, learn_bias=False)
    assert held.bias == 0 and held.weights > 0
    free, centred = (
        train_with_cut(("mean",), lr=0.5, steps=100, centred=centred) for centred in (False, True)
    )
    assert free.accuracy + 0.04 < centred.accuracy
    assert centred.bias > 1, "the bias drifts all the same"
