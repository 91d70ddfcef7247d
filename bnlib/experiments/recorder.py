"""What a network does while it trains, recorded from outside."""

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor, nn

from bnlib.experiments.networks import ACTIVATIONS, batch_norms
from bnlib.experiments.training import accuracy


def geometric_steps(last: int, count: int) -> list[int]:
    """At most `count` + 1 steps from 0 to `last`, dense at first, then ever further apart: most
    happens early in training, and the record stays small however long the training is.
    """
    if last < 1 or count < 1:
        raise ValueError(f"expected last >= 1 and count >= 1, got {last} and {count}")
    return sorted({0, *np.geomspace(1, last, count).round().astype(int).tolist()})


class Recorder:
    """Keeps what the hidden layers of `model` do to one fixed batch, at chosen steps.

    Arguments: `probe`, the batch (N, D); test images and their classes; `steps`, the numbers of
    training steps after which to look. Memory is bounded by len(steps) times layers times N times
    units, and nothing is done at any other step.

    Attributes, a list entry for each look:

    - `steps`: after how many steps of training.
    - `inputs`: what goes into the activation of each hidden layer, float32 (layers, N, units): all
      percentiles, histograms and shares of a layer follow from it.
    - `accuracy`: on the test images, in evaluation mode, 0 to 1.
    - `gradient_norms`: of each hidden layer's weights in the last step, (layers,); NaN before it.
    - `running_means`, `running_vars`: of the BN layers, (layers, units) each.

    The probe goes through BN in training mode, normalized by its own statistics, as every training
    batch is; the running averages do not notice.
    """

    def __init__(
        self, model: nn.Module, probe: Tensor, x_test: Tensor, y_test: Tensor, steps: Iterable[int]
    ):
        self._model, self._probe, self._test = model, probe, (x_test, y_test)
        self._chosen = frozenset(steps)
        self.steps: list[int] = []
        self.inputs: list[np.ndarray] = []
        self.accuracy: list[float] = []
        self.gradient_norms: list[np.ndarray] = []
        self.running_means: list[np.ndarray] = []
        self.running_vars: list[np.ndarray] = []

    def look(self, step: int) -> None:
        """Record, if `step` is one of the chosen steps: to be called after every step, and once
        with 0 before the first.
        """
        if step not in self._chosen:
            return
        norms = batch_norms(self._model)
        self.steps.append(step)
        self.inputs.append(hidden_inputs(self._model, self._probe))
        self.accuracy.append(accuracy(self._model, *self._test))
        self.gradient_norms.append(_gradient_norms(self._model))
        self.running_means.append(np.array([bn.running_mean.numpy().copy() for bn in norms]))
        self.running_vars.append(np.array([bn.running_var.numpy().copy() for bn in norms]))


@torch.no_grad()
def hidden_inputs(model: nn.Module, x: Tensor) -> np.ndarray:
    """What goes into the activation of each hidden layer for the batch `x` (N, D): float32
    (layers, N, units). BN uses the statistics of `x` and keeps its running averages.
    """
    kinds, seen = tuple(ACTIVATIONS.values()), []
    hooks = [
        layer.register_forward_pre_hook(lambda layer, inputs: seen.append(inputs[0].numpy().copy()))
        for layer in model
        if isinstance(layer, kinds)
    ]
    was_training = model.training
    model.train()
    try:
        _track(model, False)
        model(x)
    finally:
        _track(model, True)
        model.train(was_training)
        for hook in hooks:
            hook.remove()
    return np.stack(seen)


def _track(model: nn.Module, tracking: bool) -> None:
    for bn in batch_norms(model):
        bn.track_running_stats = tracking


def _gradient_norms(model: nn.Module) -> np.ndarray:
    *hidden, _ = (layer.weight.grad for layer in model if isinstance(layer, nn.Linear))
    return np.array([np.nan if g is None else g.norm().item() for g in hidden])
