"""One trained network, evaluated in its two modes."""

import numpy as np
import pytest
import torch

from bnlib.experiments import evaluation, training
from bnlib.experiments.data import load_digits
from bnlib.experiments.networks import batch_norms, mlp
from bnlib.torch_bn import BatchNorm

SETTINGS = {"steps": 40, "batch_size": 30, "lr": 0.5, "seed": 3}


@pytest.fixture(scope="module")
def digits() -> list[torch.Tensor]:
    return [torch.tensor(part) for part in load_digits()]


def network(norm=BatchNorm) -> torch.nn.Sequential:
    return mlp([64, 20, 20, 10], norm=norm, seed=1)


@pytest.fixture(scope="module")
def history(digits) -> evaluation.History:
    return evaluation.train_and_keep(network(), *digits[:2], every=20, **SETTINGS)


def state(model) -> list[np.ndarray]:
    return [tensor.numpy().copy() for tensor in model.state_dict().values()]


def test_accuracy_by_step_is_that_of_the_kept_networks_in_both_modes(history, digits):
    x, y = digits[2:]
    measured = evaluation.accuracy_by_step(history, [0, 40], x, y)
    assert measured.shape == (2, 2)
    model = history.at(40, 0.1)
    assert measured[1, 1] == training.accuracy(model, x, y)
    logits = model.train()(x)
    assert measured[0, 1] == pytest.approx((logits.argmax(1) == y).float().mean().item(), abs=0.01)


# Evaluation in batches


@pytest.mark.parametrize("norm", [BatchNorm, torch.nn.BatchNorm1d])
@pytest.mark.parametrize("batch_size", [2, 7])
def test_logits_in_batches_are_those_of_training_mode(digits, batch_size, norm):
    history = evaluation.train_and_keep(network(norm), *digits[:2], every=20, **SETTINGS)
    batches = digits[2][: 5 * batch_size].view(5, batch_size, 64)
    ours = evaluation.logits_in_batches(history.at(40, 0.1), batches)
    model = history.at(40, 0.1).train()
    assert torch.allclose(ours, torch.stack([model(batch) for batch in batches]), atol=1e-5)


def test_first_logits_are_those_of_the_first_example_in_both_modes(history, digits):
    model, batches = history.at(40, 0.1), digits[2][:40].view(5, 8, 64)
    in_training, in_evaluation = evaluation.first_logits(model, batches)
    assert torch.equal(in_evaluation, model(batches[:, 0]))
    assert torch.equal(in_training, evaluation.logits_in_batches(model, batches)[:, 0])


def test_evaluating_in_batches_leaves_the_network_alone(history, digits):
    model = history.at(40, 0.1)
    before = state(model)
    evaluation.accuracy_in_batches(model, *digits[2:], batch_size=8)
    assert not model.training
    assert all(map(np.array_equal, before, state(model)))


def test_accuracy_of_one_batch_of_all_is_that_of_training_mode(history, digits):
    model, (x, y) = history.at(40, 0.1), digits[2:]
    expected = (model.train()(x).argmax(1) == y).float().mean().item()
    assert evaluation.accuracy_in_batches(model, x, y, len(x)) == pytest.approx(expected, abs=0.01)


def test_accuracy_depends_on_the_shuffle_alone(history, digits):
    model = history.at(40, 0.1)
    runs = [evaluation.accuracy_in_batches(model, *digits[2:], 4, seed=s) for s in (0, 0, 1)]
    assert runs[0] == runs[1] != runs[2]


@pytest.mark.parametrize("batch_size", [0, 1, 356])
def test_impossible_batches_are_refused(history, digits, batch_size):
    with pytest.raises(ValueError, match=f"from 2 to 355 .* got {batch_size}"):
        evaluation.accuracy_in_batches(history.at(40, 0.1), *digits[2:], batch_size)


def test_a_batch_of_one_is_refused(history, digits):
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        evaluation.logits_in_batches(history.at(40, 0.1), digits[2][:3, None])


def test_batches_around_an_example():
    batches = evaluation.batches_around(7, n=50, batch_size=8, draws=20)
    assert batches.shape == (20, 8) and np.all(batches[:, 0] == 7)
    assert all(len(set(batch)) == 8 for batch in batches)
    assert batches.min() >= 0 and batches.max() < 50
    assert len({tuple(batch) for batch in batches}) == 20
    smaller = evaluation.batches_around(7, n=50, batch_size=3, draws=5)
    assert np.array_equal(smaller, batches[:5, :3])


# A training that is kept


@pytest.mark.parametrize("momentum", [0.01, 0.1, 0.5, 1])
def test_one_training_serves_every_momentum(history, digits, momentum):
    """Parameters and running averages are those of a training with that momentum."""
    model = network()
    for bn in batch_norms(model):
        bn.momentum = momentum
    list(training.train(model, *digits[:2], **SETTINGS))
    for kept, trained in zip(state(history.at(40, momentum)), state(model), strict=True):
        assert np.allclose(kept, trained, rtol=1e-4, atol=1e-5)


def test_the_network_of_the_caller_is_neither_trained_nor_changed(digits):
    model = network().eval()
    before = state(model)
    evaluation.train_and_keep(model, *digits[:2], **SETTINGS)
    assert not model.training and all(map(np.array_equal, before, state(model)))
    assert [bn.momentum for bn in batch_norms(model)] == [0.1, 0.1]


def test_at_the_start_the_network_is_new(history):
    assert all(map(np.array_equal, state(history.at(0, 0.1)), state(network())))


def test_a_network_of_the_past_is_a_new_object(history):
    model = history.at(20, 0.1)
    before = state(model)
    with torch.no_grad():
        model[0].weight.zero_()
    assert not model.training
    assert all(map(np.array_equal, before, state(history.at(20, 0.1))))


@pytest.mark.parametrize("step", [-20, 10, 60])
def test_a_step_that_was_not_kept_is_refused(history, step):
    with pytest.raises(ValueError, match=f"multiple of 20, got {step}"):
        history.at(step, 0.1)


# Running averages made anew


@pytest.mark.parametrize("norm", [BatchNorm, torch.nn.BatchNorm1d])
def test_recalibrated_averages_are_those_of_all_batches(digits, norm):
    model, x = network(norm), 1 - digits[0][:130]
    assert evaluation.recalibrate(model, x) is model and not model.training
    first = batch_norms(model)[0]
    batches = model[0](x[:120]).view(2, 60, 20)  # the last 10 are left out
    assert torch.allclose(first.running_mean, batches.mean((0, 1)), atol=1e-6)
    assert torch.allclose(first.running_var, batches.var(1).mean(0), atol=1e-6)


def test_recalibrating_touches_nothing_else(history, digits):
    model = history.at(40, 0.1)
    before = [parameter.detach().clone() for parameter in model.parameters()]
    evaluation.recalibrate(model, digits[0])
    assert all(map(torch.equal, before, model.parameters()))
    assert [bn.momentum for bn in batch_norms(model)] == [0.1, 0.1]
    assert all(parameter.grad is None for parameter in model.parameters())


def test_flips_are_answers_that_change_with_the_batch(history, digits):
    model, (x, y) = history.at(40, 0.1), digits[2:]
    sure, flipped = evaluation.flips(model, x, y, batch_size=4, draws=3)
    right = torch.nonzero(model(x).argmax(1) == y).flatten()
    assert sure.shape == (len(right),) and flipped.shape == (len(right), 3)
    mates = evaluation.batches_around(int(right[5]), len(x), 4, 3)
    answers = evaluation.logits_in_batches(model, x[mates])[:, 0].argmax(1)
    assert np.array_equal(flipped[5], (answers != y[right[5]]).numpy())


@pytest.mark.parametrize(
    ("shares", "text"), [(0.97, "95 %"), ([0.1, 0.13], "10 %"), (np.array([1.0, 0.96]), "100 %")]
)
def test_shares_are_rounded_to_5_per_cent(shares, text):
    assert evaluation.to_5(shares) == text
