"""Ghost batches, and dropout between the layers."""

import numpy as np
import pytest
import torch
from torch import nn

from bnlib.experiments.networks import mlp
from bnlib.experiments.regularization import GhostBatchNorm, train_on_all, with_dropout
from bnlib.experiments.training import accuracy
from tests.experiments.test_training import X, Y

SAMPLE = 3 * torch.randn(24, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64) + 1


def ghosts(size: int) -> GhostBatchNorm:
    layer = GhostBatchNorm(5, size).double()
    with torch.no_grad():
        layer.weight.uniform_(0.5, 2)
        layer.bias.uniform_(-1, 1)
    return layer


@pytest.mark.parametrize("size", [2, 8, 12])
def test_each_group_is_normalized_by_torchs_bn(size):
    layer = ghosts(size)
    groups = []
    for group in SAMPLE.split(size):
        plain = nn.BatchNorm1d(5).double()
        plain.load_state_dict(ghosts(size).state_dict() | dict(layer.named_parameters()))
        groups.append((plain(group), plain.running_mean, plain.running_var))
    out, means, variances = zip(*groups, strict=True)
    torch.testing.assert_close(layer(SAMPLE), torch.cat(out))
    torch.testing.assert_close(layer.running_mean, torch.stack(means).mean(0))
    torch.testing.assert_close(layer.running_var, torch.stack(variances).mean(0))


def test_one_group_is_bn():
    layer, plain = ghosts(24), nn.BatchNorm1d(5).double()
    plain.load_state_dict(layer.state_dict())
    torch.testing.assert_close(layer(SAMPLE), plain(SAMPLE))
    torch.testing.assert_close(layer.running_var, plain.running_var)
    torch.testing.assert_close(layer.eval()(SAMPLE[:3]), plain.eval()(SAMPLE[:3]))


def test_its_gradient_is_right():
    assert torch.autograd.gradcheck(ghosts(8), SAMPLE.clone().requires_grad_())


def test_groups_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="2 or more"):
        GhostBatchNorm(5, 1)
    with pytest.raises(ValueError, match="a multiple of 7"):
        ghosts(7)(SAMPLE)


def test_dropout_stands_after_each_activation():
    model = with_dropout(mlp([4, 10, 10, 3], norm=nn.BatchNorm1d, activation="relu"), 0.3)
    kinds = [type(layer).__name__ for layer in model]
    hidden = ["Linear", "BatchNorm1d", "ReLU", "Dropout"]
    assert kinds == [*hidden, *hidden, "Linear"]
    assert {layer.p for layer in model if isinstance(layer, nn.Dropout)} == {0.3}


def trained(norm=None, dropout=0.0, **options) -> nn.Sequential:
    model = mlp([4, 10, 10, 3], norm=norm, activation="relu", init="he")
    model = with_dropout(model, dropout) if dropout else model
    run = {"steps": 40, "lr": 0.3, "seed": 0, "shuffled": True, **options}
    train_on_all(model, X, Y, **run)
    return model


def weights(model: nn.Module) -> np.ndarray:
    return torch.cat([p.flatten() for p in model.parameters()]).detach().numpy()


@pytest.mark.parametrize("dropout", [0.0, 0.2])
def test_it_learns_and_repeats_itself(dropout):
    model = trained(nn.BatchNorm1d, dropout)
    assert accuracy(model, X, Y) > 0.95
    np.testing.assert_array_equal(weights(model), weights(trained(nn.BatchNorm1d, dropout)))


def test_the_order_matters_to_ghost_batches_only():
    def moved(norm) -> float:
        pair = [weights(trained(norm, shuffled=shuffled)) for shuffled in (True, False)]
        return float(np.abs(np.subtract(*pair)).max())

    assert moved(nn.BatchNorm1d) < 1e-3 < 0.01 < moved(lambda n: GhostBatchNorm(n, 10))


def test_the_readers_own_random_numbers_go_on():
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    trained(dropout=0.5)
    assert torch.equal(torch.rand(1), expected)
