"""Folding BN: the same outputs, and refused where they would not be the same."""

import pytest
import torch
from torch import nn

from bnlib.experiments.convolutional import simple_cnn
from bnlib.experiments.folding import fold, fold_into_next, folded, seconds
from bnlib.torch_bn import BatchNorm

LAYERS = {
    "stride": dict(stride=2),
    "padding": dict(padding=1),
    "reflected": dict(padding=1, padding_mode="reflect"),
    "dilation": dict(dilation=2),
    "groups": dict(groups=3),
    "no bias": dict(bias=False),
    "all": dict(stride=2, dilation=2, groups=3, padding=2),
}
UNPADDED = {name: options for name, options in LAYERS.items() if name not in ("padding", "all")}


def drawn(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def used(bn):
    """A BN layer as it is after some training, in float64 and in evaluation mode."""
    for values in (bn.weight, bn.bias, bn.running_mean):
        if values is not None:
            values.data = drawn(len(values)) + 0.3
    bn.running_var = drawn(len(bn.running_var)) ** 2 + 0.01
    return bn.double().eval()


def same(one: torch.Tensor, other: torch.Tensor) -> bool:
    return one.shape == other.shape and bool((one - other).abs().max() < 1e-12)


@pytest.mark.parametrize("options", LAYERS.values(), ids=LAYERS)
@pytest.mark.parametrize("norm", [nn.BatchNorm2d, BatchNorm])
def test_a_convolution_takes_the_bn_after_it(options, norm):
    conv, bn, x = nn.Conv2d(6, 9, 3, **options).double(), used(norm(9)), drawn(4, 6, 9, 8)
    assert same(fold(conv, bn)(x), bn(conv(x)))


@pytest.mark.parametrize("options", UNPADDED.values(), ids=UNPADDED)
def test_a_convolution_takes_the_bn_before_it(options):
    conv, bn, x = nn.Conv2d(6, 9, 3, **options).double(), used(nn.BatchNorm2d(6)), drawn(4, 6, 9, 8)
    assert same(fold_into_next(bn, conv)(x), conv(bn(x)))


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("affine", [True, False])
def test_a_linear_layer_takes_either(bias, affine):
    layer, x = nn.Linear(5, 7, bias=bias).double(), drawn(4, 5)
    after, before = used(nn.BatchNorm1d(7, affine=affine)), used(nn.BatchNorm1d(5, affine=affine))
    assert same(fold(layer, after)(x), after(layer(x)))
    assert same(fold_into_next(before, layer)(x), layer(before(x)))


def test_what_is_folded_stays_as_it_is():
    conv, bn = nn.Conv2d(1, 2, 3).double(), used(nn.BatchNorm2d(2))
    weight, bias = conv.weight.clone(), conv.bias.clone()
    new = fold(conv, bn)
    assert torch.equal(conv.weight, weight) and torch.equal(conv.bias, bias)
    assert isinstance(new.weight, nn.Parameter) and new.weight.requires_grad


@pytest.mark.parametrize("side", [8, 28])
def test_a_whole_network_gives_the_same_without_bn(side):
    model, x = simple_cnn(side).double().eval(), drawn(5, 1, side, side)
    used(model[1]), used(model[6])
    lean = folded(model)
    assert same(lean(x), model(x))
    names = [type(layer).__name__ for layer in lean]
    assert names == ["Conv2d", "ReLU", "MaxPool2d", "Flatten", "Linear", "ReLU", "Linear"]
    assert len(model) == 9


def test_a_bn_at_the_start_goes_into_the_next_layer():
    model, x = nn.Sequential(used(nn.BatchNorm1d(5)), nn.Linear(5, 7).double()).eval(), drawn(4, 5)
    assert same(folded(model)(x), model(x)) and len(folded(model)) == 1


def test_two_in_a_row_are_both_folded():
    layers = nn.Linear(5, 7).double(), used(nn.BatchNorm1d(7)), used(nn.BatchNorm1d(7))
    model, x = nn.Sequential(*layers).eval(), drawn(4, 5)
    assert same(folded(model)(x), model(x)) and len(folded(model)) == 1


# Refused, with a sentence why

CONV = nn.Conv2d(6, 9, 3)


@pytest.mark.parametrize(
    ("bn", "why"),
    [
        (nn.BatchNorm2d(9), "training mode"),
        (nn.BatchNorm2d(9, track_running_stats=False).eval(), "no running averages"),
        (nn.BatchNorm2d(6).eval(), "6 channels and the layer 9"),
    ],
)
def test_a_bn_that_cannot_be_folded_is_refused(bn, why):
    with pytest.raises(ValueError, match=why):
        fold(CONV, bn)


def test_a_bn_for_other_channels_is_refused_by_the_next_layer():
    with pytest.raises(ValueError, match="9 channels and the layer takes 6"):
        fold_into_next(nn.BatchNorm2d(9).eval(), CONV)


@pytest.mark.parametrize("padding", [1, "same"])
def test_a_convolution_that_pads_with_zeros_is_refused(padding):
    with pytest.raises(ValueError, match="pads with zeros"):
        fold_into_next(nn.BatchNorm2d(6).eval(), nn.Conv2d(6, 9, 3, padding=padding))


@pytest.mark.parametrize(
    "layers",
    [
        (nn.Conv2d(1, 4, 3), nn.ReLU(), nn.BatchNorm2d(4)),
        (nn.BatchNorm2d(1), nn.ReLU(), nn.Conv2d(1, 4, 3)),
        (nn.BatchNorm2d(1),),
    ],
)
def test_an_activation_between_is_refused(layers):
    with pytest.raises(ValueError, match="stands between"):
        folded(nn.Sequential(*layers).eval())


def test_other_layers_are_refused():
    with pytest.raises(TypeError, match="got ReLU"):
        fold(nn.ReLU(), nn.BatchNorm2d(9).eval())
    with pytest.raises(TypeError, match="got LayerNorm"):
        fold(CONV, nn.LayerNorm(9))


def test_seconds_are_measured_in_turns():
    order = []

    class Noted(nn.Module):
        def __init__(self, name: str):
            super().__init__()
            self.name = name

        def forward(self, x):
            order.append(self.name)
            return x

    found = seconds([Noted("a"), Noted("b")], torch.zeros(1), rounds=2)
    assert "".join(order) == 2 * (10 * "a" + 10 * "b")
    assert [len(times) for times in found] == [2, 2] and min(min(found)) > 0
