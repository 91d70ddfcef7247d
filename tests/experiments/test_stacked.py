"""Networks that train as a stack: each as if it were alone."""

import numpy as np
import pytest
import torch
from torch import nn

from bnlib.experiments.networks import mlp
from bnlib.experiments.stacked import Stack, train_stack
from bnlib.experiments.training import DivergedError, accuracy, train
from tests.experiments.test_training import X, Y

SIZES = [4, 10, 10, 3]
ALONE = [(0, 0.1), (1, 0.1), (0, 0.5)]  # seed, rate
KINDS = [(None, "relu"), (nn.BatchNorm1d, "relu"), (nn.BatchNorm1d, "sigmoid"), (None, "tanh")]


def models(norm=None, activation="relu", init=0.5):
    return [mlp(SIZES, norm=norm, activation=activation, init=init, seed=s) for s, _ in ALONE]


def trained(stack, steps=30, rates=(0.1, 0.1, 0.5), seeds=(0, 1, 0)):
    options = {"steps": steps, "batch_size": 20, "rates": rates, "seeds": seeds}
    return np.array([*train_stack(stack, X, Y, **options)])  # (steps, K)


@pytest.mark.parametrize(("norm", "activation"), KINDS)
def test_each_network_becomes_what_it_becomes_alone(norm, activation):
    stack, alone = Stack(models(norm, activation)), models(norm, activation)
    losses = trained(stack)
    for k, (model, (seed, lr)) in enumerate(zip(alone, ALONE, strict=True)):
        of_one = [*train(model, X, Y, steps=30, batch_size=20, lr=lr, seed=seed)]
        np.testing.assert_allclose(losses[:, k], of_one, rtol=1e-3)
        assert stack.accuracy(X, Y)[k] == pytest.approx(accuracy(model, X, Y), abs=0.01)
        logits = stack(X.expand(3, -1, -1), training=False)[k]
        torch.testing.assert_close(logits, model.eval()(X), rtol=0.01, atol=0.01)


def test_the_models_stay_as_they_are():
    given = models(nn.BatchNorm1d)
    before = [value.clone() for model in given for value in model.state_dict().values()]
    trained(Stack(given))
    after = [value for model in given for value in model.state_dict().values()]
    assert all(map(torch.equal, before, after))


def test_one_that_diverges_leaves_the_others_alone():
    wild, tame = Stack(models()), Stack(models())
    losses = trained(wild, rates=(0.1, 1e9, 0.5))
    assert np.isnan(losses[-1, 1]) and wild.accuracy(X, Y)[1] == 0
    assert wild.alive.tolist() == [0, 2] and {len(values) for values in wild.parameters} == {2}
    np.testing.assert_allclose(losses[:, [0, 2]], trained(tame)[:, [0, 2]], rtol=1e-3)
    model = models()[1]
    with pytest.raises(DivergedError) as error:
        list(train(model, X, Y, steps=30, batch_size=20, lr=1e9, seed=1))
    assert np.isfinite(losses[:, 1]).argmin() == error.value.step


def test_one_that_diverges_is_left_behind_with_its_averages():
    wild, tame = Stack(models(nn.BatchNorm1d)), Stack(models(nn.BatchNorm1d))
    losses = trained(wild, rates=(0.1, 1e30, 0.5))
    np.testing.assert_allclose(losses[:, [0, 2]], trained(tame)[:, [0, 2]], rtol=1e-3)
    np.testing.assert_allclose(wild.accuracy(X, Y), tame.accuracy(X, Y) * [1, 0, 1], atol=0.01)


def test_when_all_have_diverged_nothing_is_trained():
    stack = Stack(models())
    losses = trained(stack, rates=(1e9, 1e9, 1e9))
    assert len(stack.alive) == 0 and np.isnan(losses[-1]).all()
    assert not stack.accuracy(X, Y).any()


def test_what_cannot_be_stacked_is_refused():
    with pytest.raises(ValueError, match="got LayerNorm"):
        Stack(models(nn.LayerNorm))
    with pytest.raises(ValueError, match="same shape"):
        Stack([*models(), mlp(SIZES, norm=nn.BatchNorm1d)])
    with pytest.raises(ValueError, match="one network or more"):
        Stack([])
