"""Networks with any norm, trained on batches of any size."""

from functools import partial

import pytest
import torch
from torch import nn

from bnlib.experiments import norm_and_batch
from bnlib.experiments.data import load_digits
from bnlib.experiments.norm_and_batch import (
    BEST_RATES,
    NORMS,
    SIZES,
    Training,
    accuracies,
    network,
    trained,
)


def images(kind: str, count: int = 4) -> torch.Tensor:
    x = torch.tensor(load_digits().x_test[:count])
    return x if kind == "MLP" else x.view(-1, 1, 8, 8)


@pytest.mark.parametrize("kind", norm_and_batch.NETWORKS)
@pytest.mark.parametrize("norm", NORMS)
def test_each_network_answers_for_ten_digits(kind, norm):
    assert network(kind, norm)(images(kind)).shape == (4, 10)


@pytest.mark.parametrize("kind", norm_and_batch.NETWORKS)
def test_the_seed_decides_the_weights_whatever_the_norm(kind):
    def weights(*options) -> list:
        layers = network(*options)
        return [m.weight for m in layers if isinstance(m, (nn.Linear, nn.Conv2d))]

    one, same, other = weights(kind, "BN"), weights(kind, "LN"), weights(kind, "BN", None, 1)
    assert all(map(torch.equal, one, same))
    assert not any(map(torch.equal, one, other))


@pytest.mark.parametrize(
    ("norm", "torchs"),
    [("LN", nn.LayerNorm(6)), ("IN", None), ("BN", nn.BatchNorm1d(6))],
)
def test_the_norms_of_a_dense_layer_are_torchs_own(norm, torchs):
    x = torch.randn(5, 6, generator=torch.Generator().manual_seed(0))
    expected = torchs(x) if torchs else torch.zeros(5, 6)  # each value is alone with its mean
    assert torch.allclose(NORMS[norm](6)(x), expected, atol=1e-4)


@pytest.mark.parametrize(
    ("norm", "torchs"),
    [
        ("BN", nn.BatchNorm2d(8)),
        ("IN", nn.InstanceNorm2d(8)),
        ("GN", nn.GroupNorm(4, 8)),
        ("LN", nn.LayerNorm([8, 3, 3])),
    ],
)
def test_the_norms_of_maps_are_torchs_own(norm, torchs):
    x = torch.randn(5, 8, 3, 3, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(NORMS[norm](8)(x), torchs(x), atol=1e-6)


def test_another_norm_for_the_dense_layer():
    model = network("CNN + dense", "BN", "LN")
    norms = [m for m in model if isinstance(m, (nn.BatchNorm1d, nn.GroupNorm))]
    assert [type(m) for m in norms[:2]] == [NORMS["BN"]] * 2
    assert isinstance(norms[2], nn.GroupNorm) and len(norms) == 3


def test_what_there_is_not_is_refused():
    with pytest.raises(ValueError, match="expected a network out of"):
        network("RNN", "BN")
    with pytest.raises(KeyError):
        network("MLP", "RMS")
    with pytest.raises(KeyError):
        trained("CNN + dense", "LN", 2)


@pytest.fixture
def short(monkeypatch):
    monkeypatch.setattr(norm_and_batch, "STEPS", 20)


def test_a_training_is_measured_on_its_way(short):
    training = Training("MLP", "BN", 8, 0.1)
    training.measure(0)
    shares = list(training.run())
    assert shares == [step / 20 for step in range(1, 21)]
    assert training.steps == [0, 10, 20]
    assert training.accuracies[0] < 0.3 < training.accuracies[2]


@pytest.mark.parametrize(
    ("kind", "norm", "values"),
    [("MLP", "BN", 3), ("CNN", "BN", 48), ("CNN + dense", "BN", 3), ("CNN", "IN", 16),
     ("MLP", "LN", 100), ("MLP", "none", 0)],
)  # fmt: skip
def test_the_smallest_number_of_values_in_a_mean(kind, norm, values):
    assert Training(kind, norm, 3, 0.1).values == values


def test_a_network_that_diverges_ends_its_training(short):
    training = Training("MLP", "none", 8, 1e6)
    assert [*training.run()][-1] == 1
    assert training.steps[-1] < 20 and len(training.accuracies) == len(training.steps)


def test_outcomes_are_those_of_the_seeds(short):
    both = trained("MLP", "LN", 4, seeds=(0, 1))
    assert (both.kind, both.norm, both.size, both.values) == ("MLP", "LN", 4, 100)
    assert both.accuracies == trained("MLP", "LN", 4, seeds=(0,)).accuracies + [both.accuracies[1]]


def test_every_best_rate_has_a_network():
    for (kind, norm, *dense), rates in BEST_RATES.items():
        network(kind, norm, *dense)
        assert len(rates) in (1, len(SIZES))


def test_three_networks_are_trained_and_tested():
    x, y, x_test, y_test = map(torch.tensor, load_digits())
    make = partial(network, "MLP", "LN")
    ends = accuracies(make, (x, y), (x_test, y_test), steps=30, batch_size=30, lr=0.1)
    assert len(ends) == 3 and min(ends) > 0.5 and len({*ends}) > 1
