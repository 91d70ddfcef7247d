"""Networks and the training loop."""

import math

import pytest
import torch
from torch import nn

from bnlib.experiments.networks import batch_norms, mlp
from bnlib.torch_bn import BatchNorm
from bnlib.experiments.training import DivergedError, accuracy, train

SIZES = [4, 8, 8, 3]
torch.set_num_threads(1)  # on networks as small as these, threads only wait for each other


def clusters(n: int = 300) -> tuple[torch.Tensor, torch.Tensor]:
    """Three clusters in four dimensions, (n, 4), that a small network can tell apart."""
    generator = torch.Generator().manual_seed(0)
    y = torch.arange(n) % 3
    return torch.randn(n, 4, generator=generator) / 3 + 2 * torch.eye(4)[y], y


def linears(model: nn.Sequential) -> list[nn.Linear]:
    return [layer for layer in model if isinstance(layer, nn.Linear)]


@pytest.mark.parametrize(("name", "kind"), [("sigmoid", nn.Sigmoid), ("relu", nn.ReLU)])
@pytest.mark.parametrize("batch_norm", [None, "before", "after"])
def test_layers_of_the_network(batch_norm, name, kind):
    model = mlp(SIZES, activation=name, batch_norm=batch_norm)
    kinds = [type(layer) for layer in model]
    hidden = {
        None: [nn.Linear, kind],
        "before": [nn.Linear, BatchNorm, kind],
        "after": [nn.Linear, kind, BatchNorm],
    }[batch_norm]
    assert batch_norms(model) == [layer for layer in model if isinstance(layer, BatchNorm)]
    assert kinds == [*hidden, *hidden, nn.Linear]


def test_both_networks_start_from_the_same_weights():
    plain, normalized = (mlp(SIZES, batch_norm=bn, seed=5) for bn in (None, "before"))
    for a, b in zip(linears(plain), linears(normalized), strict=True):
        assert torch.equal(a.weight, b.weight)
    assert not torch.equal(
        linears(plain)[0].weight, linears(mlp(SIZES, batch_norm=None, seed=6))[0].weight
    )


def test_weights_have_the_asked_for_spread_and_biases_are_0():
    first = linears(mlp([400, 400, 2], batch_norm=None, init=0.3))[0]
    assert first.weight.std().item() == pytest.approx(0.3, rel=0.02)
    assert torch.all(first.bias == 0)


def test_a_layer_before_bn_has_no_bias():
    *hidden, last = linears(mlp(SIZES, batch_norm="before"))
    assert all(layer.bias is None for layer in hidden) and last.bias is not None


def test_the_network_of_the_seed_does_not_touch_the_global_generator():
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    mlp(SIZES, batch_norm="before")
    assert torch.equal(torch.rand(1), expected)


@pytest.mark.parametrize("batch_norm", [None, "before"])
def test_training_learns(batch_norm):
    x, y = clusters()
    model = mlp(SIZES, batch_norm=batch_norm, init=1.0)
    losses = list(train(model, x, y, steps=300, batch_size=30, lr=0.5))
    assert len(losses) == 300 and all(map(math.isfinite, losses))
    assert losses[-1] < losses[0] / 2
    assert accuracy(model, x, y) > 0.95


def test_the_same_settings_give_the_same_numbers():
    x, y = clusters()
    runs = []
    for seed in (0, 0, 1):
        model = mlp(SIZES, batch_norm="before")
        runs.append(list(train(model, x, y, steps=20, batch_size=30, lr=0.5, seed=seed)))
    assert runs[0] == runs[1] != runs[2]


def test_a_step_is_plain_gradient_descent():
    x, y = clusters()
    ours, theirs = (mlp(SIZES, batch_norm="before") for _ in range(2))
    list(train(ours, x, y, steps=5, batch_size=len(x), lr=0.3))
    optimizer = torch.optim.SGD(theirs.parameters(), lr=0.3)
    for _ in range(5):
        optimizer.zero_grad()
        nn.functional.cross_entropy(theirs(x), y).backward()
        optimizer.step()
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


def test_frozen_parameters_stay():
    x, y = clusters()
    model = mlp(SIZES, batch_norm="before")
    model[1].requires_grad_(False)
    list(train(model, x, y, steps=5, batch_size=30, lr=0.5))
    assert torch.all(model[1].weight == 1) and not torch.all(model[4].weight == 1)


@pytest.mark.parametrize("batch_size", [0, 301])
def test_an_impossible_batch_size_is_refused(batch_size):
    x, y = clusters()
    with pytest.raises(ValueError, match="from 1 to 300"):
        next(train(mlp(SIZES, batch_norm="before"), x, y, steps=1, batch_size=batch_size, lr=1))


def test_accuracy_evaluates_and_leaves_the_mode_alone():
    x, y = clusters()
    model = mlp(SIZES, batch_norm="before")
    model.train()
    before = model[1].running_mean.clone()
    share = accuracy(model, x, y)
    assert model.training and torch.equal(model[1].running_mean, before)
    assert share == (model.eval()(x).argmax(1) == y).float().mean().item()
    accuracy(model, x, y)
    assert not model.training


@pytest.mark.parametrize(
    ("init", "std"), [(0.3, 0.3), ("xavier", (2 / 700) ** 0.5), ("he", (2 / 400) ** 0.5)]
)
def test_initializations(init, std):
    first = linears(mlp([400, 300, 2], init=init))[0]
    assert first.weight.std().item() == pytest.approx(std, rel=0.02)


@pytest.mark.parametrize(
    "bad",
    [
        {"sizes": [4, 3]},
        {"sizes": [4, 0, 3]},
        {"sizes": SIZES, "activation": "gelu"},
        {"sizes": SIZES, "batch_norm": True},
        {"sizes": SIZES, "init": "lecun"},
        {"sizes": SIZES, "init": 0.0},
        {"sizes": SIZES, "init": math.nan},
    ],
)
def test_impossible_networks_are_refused(bad):
    name, value = list(bad.items())[-1]
    with pytest.raises(ValueError, match=name) as refused:
        mlp(**bad)
    assert repr(value) in str(refused.value)


def test_batches_of_one_are_refused_with_bn_only():
    x, y = clusters()
    with pytest.raises(ValueError, match="batches of 1"):
        next(train(mlp(SIZES, batch_norm="before"), x, y, steps=1, batch_size=1, lr=1))
    assert next(train(mlp(SIZES), x, y, steps=1, batch_size=1, lr=1)) > 0


@pytest.mark.parametrize("lr", [0, -1, math.nan, math.inf])
def test_an_impossible_learning_rate_is_refused(lr):
    x, y = clusters()
    with pytest.raises(ValueError, match="learning rate"):
        next(train(mlp(SIZES), x, y, steps=1, batch_size=10, lr=lr))


def test_a_training_that_diverges_says_where_and_keeps_the_last_good_weights():
    x, y = clusters()
    model = mlp(SIZES, activation="relu", init=1.0)
    losses = []
    with pytest.raises(DivergedError, match="lower learning rate") as diverged:
        losses.extend(train(model, x, y, steps=1000, batch_size=30, lr=1e12))
    assert diverged.value.step >= 1
    assert diverged.value.step < 1000 and f"step {diverged.value.step}" in str(diverged.value)
