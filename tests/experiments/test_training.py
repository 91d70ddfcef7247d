"""The training loop."""

import math

import pytest
import torch
from torch import nn

from bnlib.experiments.networks import batch_norms, mlp
from bnlib.experiments.training import SGD, DivergedError, accuracy, train
from bnlib.torch_bn import BatchNorm
from tests.experiments.test_networks import SIZES


def clusters(n: int = 300) -> tuple[torch.Tensor, torch.Tensor]:
    """Make three clusters in four dimensions, (n, 4), that a small network can tell apart."""
    generator = torch.Generator().manual_seed(0)
    y = torch.arange(n) % 3
    return torch.randn(n, 4, generator=generator) / 3 + 2 * torch.eye(4)[y], y


X, Y = clusters()


@pytest.mark.parametrize("norm", [None, BatchNorm, nn.LayerNorm])
@pytest.mark.parametrize(("optimizer", "lr"), [(SGD, 0.5), (torch.optim.Adam, 0.01)])
def test_training_learns(norm, optimizer, lr):
    model = mlp(SIZES, norm=norm, init=1.0)
    losses = list(train(model, X, Y, steps=300, batch_size=30, lr=lr, optimizer=optimizer))
    assert len(losses) == 300 and all(map(math.isfinite, losses))
    assert losses[-1] < losses[0] / 2
    assert accuracy(model, X, Y) > 0.95


def test_the_same_settings_give_the_same_numbers():
    runs = []
    for seed in (0, 0, 1):
        model = mlp(SIZES, norm=BatchNorm)
        runs.append(list(train(model, X, Y, steps=20, batch_size=30, lr=0.5, seed=seed)))
    assert runs[0] == runs[1] != runs[2]


def test_a_step_is_that_of_torch():
    ours, theirs = (mlp(SIZES, norm=BatchNorm) for _ in range(2))
    settings = {"steps": 5, "batch_size": 30, "lr": 0.3}
    list(train(ours, X, Y, **settings))
    list(train(theirs, X, Y, **settings, optimizer=torch.optim.SGD))
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


def test_the_gradients_of_a_step_can_be_read_when_it_yields():
    model = mlp(SIZES)
    next(train(model, X, Y, steps=2, batch_size=len(X), lr=1e-30))
    gradients = [parameter.grad.clone() for parameter in model.parameters()]
    model.zero_grad()
    nn.functional.cross_entropy(model(X), Y).backward()
    for seen, parameter in zip(gradients, model.parameters(), strict=True):
        torch.testing.assert_close(seen, parameter.grad)


@pytest.mark.parametrize("optimizer", [SGD, torch.optim.SGD])
def test_frozen_parameters_stay(optimizer):
    model = mlp(SIZES, norm=BatchNorm)
    model[1].requires_grad_(False)
    list(train(model, X, Y, steps=5, batch_size=30, lr=0.5, optimizer=optimizer))
    assert torch.all(model[1].weight == 1) and not torch.all(model[4].weight == 1)


IMPOSSIBLE = [
    ({"batch_size": 0}, "from 1 to 300"),
    ({"batch_size": 301}, "from 1 to 300"),
    ({"batch_size": 1}, "batches of 1"),
    ({"lr": 0}, "learning rate"),
    ({"lr": -1}, "learning rate"),
    ({"lr": math.nan}, "learning rate"),
    ({"lr": math.inf}, "learning rate"),
    ({"steps": 0}, "steps to be at least 1, got 0"),
]


@pytest.mark.parametrize(("bad", "words"), IMPOSSIBLE)
def test_settings_that_cannot_be_trained_are_refused_at_the_call(bad, words):
    model = mlp(SIZES, norm=BatchNorm).eval()
    with pytest.raises(ValueError, match=words):
        train(model, X, Y, **{"steps": 1, "batch_size": 10, "lr": 1, **bad})
    assert not model.training


@pytest.mark.parametrize("keep_modes", [False, True])
def test_every_layer_trains_in_training_mode_or_stays_in_its_own(keep_modes):
    model = mlp([4, 10, 10, 3], norm=BatchNorm)
    first, second = batch_norms(model)
    first.eval()
    list(train(model, *clusters(), steps=2, batch_size=20, lr=0.1, keep_modes=keep_modes))
    assert first.training != keep_modes and second.training
    assert first.running_mean.any() != keep_modes and second.running_mean.any()


def test_without_bn_batches_of_one_are_welcome():
    assert next(train(mlp(SIZES), X, Y, steps=1, batch_size=1, lr=1)) > 0


def test_a_training_that_diverges_says_where_and_keeps_the_last_good_weights():
    model = mlp(SIZES, activation="relu", init=1.0)
    losses = []
    with pytest.raises(DivergedError, match="lower learning rate") as diverged:
        losses.extend(train(model, X, Y, steps=1000, batch_size=30, lr=1e12))
    assert 1 <= diverged.value.step < 1000
    assert f"step {diverged.value.step}" in str(diverged.value)


def test_accuracy_evaluates_and_leaves_every_layer_in_its_mode():
    model = mlp(SIZES, norm=BatchNorm).train()
    frozen, free = batch_norms(model)
    frozen.eval()
    before = free.running_mean.clone()
    share = accuracy(model, X, Y)
    assert model.training and free.training and not frozen.training
    assert torch.equal(free.running_mean, before)
    assert share == (model.eval()(X).argmax(1) == Y).float().mean().item()
