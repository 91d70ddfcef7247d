"""What is recorded of a training, and that the training does not notice."""

import numpy as np
import pytest
import torch

from bnlib.experiments.networks import mlp
from bnlib.experiments.recorder import Recorder, hidden_inputs
from bnlib.experiments.training import accuracy, train
from bnlib.torch_bn import BatchNorm
from tests.experiments.test_networks import SIZES
from tests.experiments.test_training import X, Y


@pytest.mark.parametrize(
    ("norm", "place"), [(None, "before"), (BatchNorm, "before"), (BatchNorm, "after")]
)
def test_hidden_inputs_are_what_goes_into_the_activations(norm, place):
    model = mlp(SIZES, norm=norm, place=place, init=1.0)
    seen = hidden_inputs(model, X)
    assert seen.shape == (2, len(X), 8) and seen.dtype == np.float32
    first = model[0](X)
    if norm and place == "before":
        first = torch.nn.functional.batch_norm(first, None, None, training=True)
    np.testing.assert_allclose(seen[0], first.detach(), atol=1e-5)


@pytest.mark.parametrize("tracking", [True, False])
@pytest.mark.parametrize("norm", [BatchNorm, torch.nn.BatchNorm1d])
def test_a_snapshot_leaves_the_network_as_it_was(norm, tracking):
    model = mlp(SIZES, norm=lambda n: norm(n, track_running_stats=tracking)).eval()
    model[1].train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    Recorder(model, X, X, Y, [0]).snapshot(0)
    assert [layer.training for layer in model] == [i == 1 for i in range(len(model))]
    assert [model[i].track_running_stats for i in (1, 4)] == [tracking, tracking]
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]), name
    assert all(len(layer._forward_pre_hooks) == 0 for layer in model)


def test_a_recorded_training_gives_the_same_numbers():
    losses = []
    for chosen in ([], range(21)):
        model = mlp(SIZES, norm=BatchNorm)
        recorder = Recorder(model, X[:50], X, Y, chosen)
        losses.append([])
        for step, loss in enumerate(train(model, X, Y, steps=20, batch_size=30, lr=0.5), 1):
            recorder.snapshot(step)
            losses[-1].append(loss)
    assert losses[0] == losses[1]


def test_what_is_kept_of_a_snapshot():
    model = mlp(SIZES, norm=BatchNorm)
    recorder = Recorder(model, X[:50], X, Y, [0, 2, 5])
    recorder.snapshot(0)
    for step, _ in enumerate(train(model, X, Y, steps=5, batch_size=30, lr=0.5), 1):
        recorder.snapshot(step)
    assert recorder.steps == [0, 2, 5]
    assert np.shape(recorder.inputs) == (3, 2, 50, 8)
    assert recorder.accuracy[-1] == accuracy(model, X, Y)
    assert np.isnan(recorder.gradient_norms[0]).all()
    norms = [model[0].weight.grad.norm().item(), model[3].weight.grad.norm().item()]
    assert recorder.gradient_norms[2] == pytest.approx(norms)
    np.testing.assert_array_equal(recorder.inputs[2], hidden_inputs(model, X[:50]))
