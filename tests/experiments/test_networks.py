"""Networks: what their layers are, what their weights start from, what cannot be."""

import math

import pytest
import torch
from torch import nn

from bnlib.experiments.networks import batch_norms, mlp
from bnlib.experiments.runs import batch_norm
from bnlib.torch_bn import BatchNorm

SIZES = [4, 8, 8, 3]


def linears(model: nn.Sequential) -> list[nn.Linear]:
    return [layer for layer in model if isinstance(layer, nn.Linear)]


@pytest.mark.parametrize(("name", "kind"), [("sigmoid", nn.Sigmoid), ("relu", nn.ReLU)])
@pytest.mark.parametrize("norm", [None, BatchNorm, nn.LayerNorm, batch_norm])
@pytest.mark.parametrize("place", ["before", "after"])
def test_layers_of_the_network(norm, place, name, kind):
    model = mlp(SIZES, activation=name, norm=norm, place=place)
    kinds = [type(layer) for layer in model]
    norms = {None: [], batch_norm: [nn.BatchNorm1d]}.get(norm, [norm])
    hidden = [nn.Linear, *norms, kind] if place == "before" else [nn.Linear, kind, *norms]
    assert kinds == [*hidden, *hidden, nn.Linear]
    kinds = BatchNorm, nn.BatchNorm1d
    assert batch_norms(model) == [layer for layer in model if isinstance(layer, kinds)]


def test_a_norm_is_made_for_the_units_of_its_layer():
    model = mlp([4, 8, 5, 3], norm=BatchNorm)
    assert [bn.num_features for bn in batch_norms(model)] == [8, 5]


def test_both_networks_start_from_the_same_weights():
    plain, normalized = (mlp(SIZES, norm=norm, seed=5) for norm in (None, BatchNorm))
    for a, b in zip(linears(plain), linears(normalized), strict=True):
        assert torch.equal(a.weight, b.weight)
    assert not torch.equal(linears(plain)[0].weight, linears(mlp(SIZES, seed=6))[0].weight)


@pytest.mark.parametrize(
    ("init", "std"), [(0.3, 0.3), ("xavier", (2 / 700) ** 0.5), ("he", (2 / 400) ** 0.5)]
)
def test_weights_have_the_asked_for_spread_and_biases_are_0(init, std):
    first = linears(mlp([400, 300, 2], init=init))[0]
    assert first.weight.std().item() == pytest.approx(std, rel=0.02)
    assert torch.all(first.bias == 0)


@pytest.mark.parametrize("place", ["before", "after"])
def test_a_layer_before_its_norm_has_no_bias(place):
    *hidden, last = linears(mlp(SIZES, norm=BatchNorm, place=place))
    assert all((layer.bias is None) == (place == "before") for layer in hidden)
    assert last.bias is not None


def test_the_network_of_the_seed_does_not_touch_the_global_generator():
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    mlp(SIZES, norm=BatchNorm)
    assert torch.equal(torch.rand(1), expected)


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        ({"sizes": [4, 3]}, ValueError),
        ({"sizes": [4, 0, 3]}, ValueError),
        ({"activation": "gelu"}, ValueError),
        ({"norm": "batch"}, TypeError),
        ({"norm": True}, TypeError),
        ({"place": "behind"}, ValueError),
        ({"init": "lecun"}, ValueError),
        ({"init": 0.0}, ValueError),
        ({"init": math.nan}, ValueError),
    ],
)
def test_impossible_networks_are_refused(bad, error):
    [(name, value)] = bad.items()
    with pytest.raises(error, match=name) as refused:
        mlp(**{"sizes": SIZES, **bad})
    assert repr(value) in str(refused.value)
