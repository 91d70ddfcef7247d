"""What is recorded of a training, and that the training does not notice."""

import numpy as np
import pytest
import torch

from bnlib.experiments.networks import batch_norms, mlp
from bnlib.experiments.recorder import Recorder, geometric_steps, hidden_inputs
from bnlib.experiments.training import accuracy, train
from tests.experiments.test_training import SIZES, clusters

X, Y = clusters()


@pytest.mark.parametrize(("last", "count"), [(1, 1), (10, 5), (1000, 60), (10**6, 60)])
def test_steps_are_dense_at_first_and_bounded(last, count):
    steps = geometric_steps(last, count)
    assert steps[0] == 0 and steps[-1] == last and len(steps) <= count + 1
    gaps = np.diff(steps)
    assert np.all(gaps >= 1) and gaps[0] == 1 and gaps[-1] == gaps.max()


@pytest.mark.parametrize(("last", "count"), [(0, 5), (5, 0)])
def test_impossible_steps_are_refused(last, count):
    with pytest.raises(ValueError, match=f"got {last} and {count}"):
        geometric_steps(last, count)


@pytest.mark.parametrize("batch_norm", [None, "before", "after"])
def test_hidden_inputs_are_what_goes_into_the_activations(batch_norm):
    model = mlp(SIZES, batch_norm=batch_norm, init=1.0)
    seen = hidden_inputs(model, X)
    assert seen.shape == (2, len(X), 8) and seen.dtype == np.float32
    first = model[0](X)
    if batch_norm == "before":
        first = torch.nn.functional.batch_norm(first, None, None, training=True)
    np.testing.assert_allclose(seen[0], first.detach(), atol=1e-5)


def test_looking_leaves_the_network_as_it_was():
    model = mlp(SIZES, batch_norm="before").eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    Recorder(model, X, X, Y, [0]).look(0)
    assert not model.training and all(bn.track_running_stats for bn in batch_norms(model))
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]), name
    assert all(len(layer._forward_pre_hooks) == 0 for layer in model)


def test_a_recorded_training_gives_the_same_numbers():
    losses = []
    for chosen in ([], range(21)):
        model = mlp(SIZES, batch_norm="before")
        recorder = Recorder(model, X[:50], X, Y, chosen)
        losses.append([])
        for step, loss in enumerate(train(model, X, Y, steps=20, batch_size=30, lr=0.5), 1):
            recorder.look(step)
            losses[-1].append(loss)
    assert losses[0] == losses[1]


def test_what_is_kept_of_a_look():
    model = mlp(SIZES, batch_norm="before")
    recorder = Recorder(model, X[:50], X, Y, [0, 2, 5])
    recorder.look(0)
    for step, _ in enumerate(train(model, X, Y, steps=5, batch_size=30, lr=0.5), 1):
        recorder.look(step)
    assert recorder.steps == [0, 2, 5]
    assert np.shape(recorder.inputs) == (3, 2, 50, 8)
    assert np.shape(recorder.running_means) == np.shape(recorder.running_vars) == (3, 2, 8)
    assert np.all(recorder.running_means[0] == 0) and np.all(recorder.running_means[2] != 0)
    assert recorder.accuracy[-1] == accuracy(model, X, Y)
    assert np.isnan(recorder.gradient_norms[0]).all()
    norms = [model[0].weight.grad.norm().item(), model[3].weight.grad.norm().item()]
    assert recorder.gradient_norms[2] == pytest.approx(norms)
    np.testing.assert_array_equal(recorder.inputs[2], hidden_inputs(model, X[:50]))
