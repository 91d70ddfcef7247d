"""Lesson 10's explorers, beyond what every explorer is tested for."""

import re
from copy import deepcopy

import pytest
import torch

from bnlib.experiments.convolutional import outputs, simple_cnn
from bnlib.explorers.convolutional_networks import (
    ORDERS,
    _in_numpy,
    _maps,
    feature_maps_explorer,
    placement_explorer,
    trained_cnn,
)


def test_sixty_images_share_2160_values_and_60():
    line = placement_explorer().line
    assert "2,160 values share a mean after the convolution, 60 after the linear layer" in line


@pytest.mark.parametrize("order", ORDERS)
def test_the_count_is_that_of_the_map_that_bn_gets(order):
    explorer = placement_explorer()
    explorer.set(order=order, batch=10, side=28)
    side = 13 if order.find("BN") > order.find("pool") else 26
    if "BN" not in order:
        assert "no BN after the convolution" in explorer.line
    else:
        assert f"{10 * side**2:,} values share a mean after the convolution" in explorer.line


def test_with_one_image_the_second_bn_is_refused_in_the_picture():
    explorer = placement_explorer()
    explorer.set(batch=1)
    words = [text.get_text() for text in explorer.live.figure.axes[1].texts]
    assert words[0] == "1 · 6 · 6 = 36 for each of 32 means"
    assert words[1] == "1 for each of 64 means  refused in training mode"


def test_the_layers_are_named_in_their_order():
    explorer = placement_explorer()
    explorer.set(order="conv ReLU pool BN")
    names = [text.get_text() for text in explorer.live.figure.axes[0].texts if text.get_text()]
    layers = [name for name in names if not name[0].isdigit()]
    assert layers == ["conv", "ReLU", "pool", "BN", "linear", "BN", "ReLU", "linear"]


def test_in_training_mode_half_of_the_positions_of_one_image_are_above_0():
    """Its map has mean 0 then, but for β."""
    model = simple_cnn().eval()
    explorer = feature_maps_explorer(model)
    explorer.set(evaluating=False)
    before, after = model[0](images()[106:107]), explorer.line
    assert f"{int((before[0, 4] > 0).sum())} of 36 positions are above 0 before BN" in after
    centred = before[0, 4] - before[0, 4].mean()
    assert f"{int((centred > 0).sum())} after it (BN in training mode)" in after


@pytest.mark.parametrize("mode", ["train", "eval", None])
def test_the_maps_are_those_of_torch(mode):
    model = trained_cnn()
    stage = deepcopy(model[:4]).train(mode == "train")
    if mode is None:
        stage[1] = torch.nn.Identity()
    expected = outputs(stage, images()[5:6])
    found = _maps(images()[5, 0].numpy(), *_in_numpy(model), mode)
    for maps, tensor in zip(found, expected, strict=True):
        assert maps == pytest.approx(tensor[0].detach().numpy(), abs=1e-5)


def images() -> torch.Tensor:
    from bnlib.experiments.data import load_digits

    return torch.tensor(load_digits().x_test).view(-1, 1, 8, 8)


def test_the_explorer_of_maps_leaves_the_network_alone():
    model = simple_cnn().train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    explorer = feature_maps_explorer(model)
    explorer.set(evaluating=False, image=3)
    assert model.training and model[1].momentum == 0.1
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_without_bn_the_mode_plays_no_part():
    explorer = feature_maps_explorer()
    explorer.set(norm=False)
    before = explorer.png()
    explorer.set(evaluating=False)
    assert explorer.png() == before


def test_there_is_a_channel_where_bn_does_not_change_where_relu_lets_through():
    """The challenge of the lesson, for a friend."""
    explorer = feature_maps_explorer()
    found = []
    for channel in range(32):
        explorer.set(channel=channel)
        before, after = re.findall(r"(\d+) of 36 positions .* (\d+) after it", explorer.line)[0]
        found += [channel] if before == after and 0 < int(after) < 36 else []
    assert found
