"""Networks in NumPy take the course of PyTorch's, from the same weights and batches."""

import numpy as np
import pytest
import torch

from bnlib.experiments import numpy_training
from bnlib.experiments.comparison import Comparison as InTorch
from bnlib.experiments.data import load_digits
from bnlib.experiments.networks import mlp
from bnlib.experiments.numpy_training import Comparison, Network, NoisyBatchNorm, Sweep
from bnlib.experiments.recorder import hidden_inputs
from bnlib.experiments.runs import DivergedError, Variant, batch_norm
from bnlib.experiments.training import accuracy
from bnlib.numpy_bn import BatchNorm

SIZES = [64, 30, 30, 10]
BOTH = (Variant("plain"), Variant("BN", {"norm": batch_norm}))
DIGITS = load_digits()


def twin_of(network: Network) -> torch.nn.Sequential:
    """Make a network in PyTorch that has the same weights."""
    norm = torch.nn.BatchNorm1d if network.norms[0] else None
    model = mlp(SIZES, activation=network.activation, norm=norm, init=0.1)
    layers = [layer for layer in model if isinstance(layer, torch.nn.Linear)]
    for layer, weight in zip(layers, network.weights, strict=True):
        layer.weight.data = torch.tensor(weight.T.copy())
    return model


@pytest.mark.parametrize("norm", [None, batch_norm])
@pytest.mark.parametrize(("activation", "init"), [("sigmoid", 0.3), ("relu", "he")])
def test_a_network_takes_the_course_of_its_twin_in_pytorch(activation, init, norm):
    network = Network(SIZES, activation=activation, norm=norm, init=init, seed=1)
    model = twin_of(network)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    for batch in np.random.default_rng(0).integers(0, 1442, (40, 60)):
        x, y = DIGITS.x_train[batch], DIGITS.y_train[batch]
        ours = network.step(x, y, lr=0.5)
        loss = torch.nn.functional.cross_entropy(model(torch.tensor(x)), torch.tensor(y))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        assert ours == pytest.approx(loss.item(), abs=1e-4)
    x = DIGITS.x_test[:50]
    theirs = hidden_inputs(model, torch.tensor(x))
    network.logits(x, training=True)
    for layer, inputs in enumerate(theirs):
        np.testing.assert_allclose(network.inputs[layer], inputs, atol=2e-3)
    linear = [layer for layer in model if isinstance(layer, torch.nn.Linear)]
    for norm_of_ours, layer in zip(network.gradient_norms, linear, strict=True):
        assert norm_of_ours == pytest.approx(layer.weight.grad.norm().item(), rel=1e-3)
    share = accuracy(model, torch.tensor(DIGITS.x_test), torch.tensor(DIGITS.y_test))
    assert network.accuracy(DIGITS.x_test, DIGITS.y_test) == pytest.approx(share, abs=0.006)


def test_a_comparison_has_what_explorers_read():
    """The same steps and shapes as PyTorch's, and it learns as much."""
    options = {"depth": 2, "steps": 60, "snapshots": 6, "lr": 1.0, "init": 0.3}
    ours, theirs = Comparison(BOTH, **options).trained(), InTorch(BOTH, **options).trained()
    assert (ours.depth, ours.steps, ours.examples) == (theirs.depth, theirs.steps, 1442)
    for label, record in ours.recorders.items():
        other = theirs.recorders[label]
        assert np.shape(record.inputs) == np.shape(other.inputs)
        assert np.shape(record.gradient_norms) == np.shape(other.gradient_norms)
        assert np.isnan(record.gradient_norms[0]).all()
        assert ours.unit_inputs(label, 1, 99).shape == (len(ours.steps), 200)
    assert ours.recorders["BN"].accuracy[-1] == pytest.approx(
        theirs.recorders["BN"].accuracy[-1], abs=0.1
    )


def test_everything_follows_from_the_seed():
    first, again, other = (Comparison(BOTH, steps=5, seed=seed).trained() for seed in (0, 0, 1))
    a, b, c = (run.recorders["BN"].inputs for run in (first, again, other))
    np.testing.assert_array_equal(a, b)
    assert not np.array_equal(a, c)


def test_a_look_at_a_network_does_not_change_its_course():
    often = Comparison(BOTH, steps=20, snapshots=20).trained()
    seldom = Comparison(BOTH, steps=20, snapshots=2).trained()
    for label in ("plain", "BN"):
        assert often.recorders[label].accuracy[-1] == seldom.recorders[label].accuracy[-1]


def test_one_that_diverges_stops_and_the_others_go_on():
    wild = Variant("wild", {"init": 1e15, "activation": "relu"})
    comparison = Comparison([wild, BOTH[1]], steps=10, snapshots=10).trained()
    assert isinstance(comparison.diverged["wild"], DivergedError)
    assert len(comparison.recorders["wild"].accuracy) < len(comparison.recorders["BN"].accuracy)
    assert [*comparison.diverged] == ["wild"]


def test_what_it_cannot_compute_is_refused():
    with pytest.raises(ValueError, match="'sigmoid' or 'relu', got 'tanh'"):
        Network(SIZES, activation="tanh")
    with pytest.raises(ValueError, match="labels that differ"):
        Comparison([BOTH[0], BOTH[0]])


@pytest.mark.filterwarnings("error")
def test_a_network_that_diverges_does_not_warn():
    list(Sweep([100.0], [0], norm=batch_norm, depth=6, steps=100).train())


def test_noise_after_bn_is_drawn_anew_and_taken_back():
    x = np.random.default_rng(1).normal(size=(8, 3))
    noisy, plain = NoisyBatchNorm(3, np.random.default_rng(0), strength=2), BatchNorm(3)
    first, second, y = noisy.forward(x), noisy.forward(x), plain.forward(x)
    assert not np.allclose(first, second)
    factor = (second[0] - second[1]) / (y[0] - y[1])
    assert ((factor >= 0.25) & (factor <= 4)).all()
    assert (np.abs(second - factor * y) <= 2).all()
    dy = np.ones_like(x) * x
    np.testing.assert_allclose(noisy.backward(dy), plain.backward(factor * dy))
    noisy.training = plain.training = False
    noisy.running_mean, noisy.running_var = plain.running_mean, plain.running_var
    np.testing.assert_array_equal(noisy.forward(x), plain.forward(x))


def test_without_strength_there_is_no_noise():
    make = numpy_training.noisy_batch_norm(seed=0, strength=0)
    ours = Comparison([Variant("quiet", {"norm": make}), BOTH[1]], steps=20).trained()
    np.testing.assert_allclose(
        ours.recorders["quiet"].inputs[-1], ours.recorders["BN"].inputs[-1], atol=1e-4
    )


def test_a_sweep_is_its_networks_one_by_one():
    sweep = Sweep([0.1, 1e9], [0, 1], norm=None, depth=2, steps=30)
    assert np.isnan(sweep.after(5)).all()
    shares = [*sweep.train()]
    assert (len(shares), shares[-1]) == (30, 1)
    assert (sweep.after(30)[1] == 0).all()  # they have diverged
    network = Network([64, 100, 100, 10], activation="relu", init="he", seed=1)
    rng = np.random.default_rng(1)
    seen = []
    for step in range(1, 31):
        batch = rng.choice(1442, 60, replace=False)
        network.step(DIGITS.x_train[batch], DIGITS.y_train[batch], 0.1)
        if step % 5 == 0:
            seen.append(network.accuracy(DIGITS.x_test, DIGITS.y_test))
    assert sweep.after(30)[0, 1] == np.median(seen[-5:])
