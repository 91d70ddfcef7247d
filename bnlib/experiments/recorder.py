"""What a network does while it trains, recorded from outside."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.func import functional_call

from bnlib.experiments.networks import ACTIVATIONS
from bnlib.experiments.training import accuracy, mode


class Recorder:
    """Keeps what the hidden layers of a network do to one fixed batch, at chosen steps.

    Memory is bounded by snapshots times layers times N times units, and nothing is done at any
    other step. The probe goes through BN in training mode, normalized by its own statistics, as
    every training batch is; the running averages do not notice.

    Args:
        model: a sequence of linear layers, norms and activations.
        probe: the batch (N, D).
        x_test: test images.
        y_test: their classes.
        steps: after how many steps of training to take a snapshot.
        kept: the hidden layers whose inputs are kept.

    Attributes, a list entry for each snapshot:
        steps: after how many steps of training.
        inputs: what goes into the activation of each hidden layer that is kept, float32 (layers, N,
            units): all percentiles, histograms and shares of a layer follow from it.
        accuracy: on the test images, in evaluation mode, 0 to 1.
        gradient_norms: of each hidden layer's weights in the last step, (layers,); NaN before it.
    """

    def __init__(
        self,
        model: nn.Sequential,
        probe: Tensor,
        x_test: Tensor,
        y_test: Tensor,
        steps: Iterable[int],
        kept: slice = slice(None),
    ):
        self._model, self._probe, self._test = model, probe, (x_test, y_test)
        self._chosen, self._kept = frozenset(steps), kept
        self.steps: list[int] = []
        self.inputs: list[NDArray] = []
        self.accuracy: list[float] = []
        self.gradient_norms: list[NDArray] = []

    def snapshot(self, step: int) -> None:
        """Record, if `step` is one of the chosen: for every step, and with 0 before the first."""
        if step not in self._chosen:
            return
        self.steps.append(step)
        inputs = hidden_inputs(self._model, self._probe)
        self.inputs.append(inputs[self._kept].copy())  # a view would keep them all
        self.accuracy.append(accuracy(self._model, *self._test))
        self.gradient_norms.append(_gradient_norms(self._model))


@torch.no_grad()
def hidden_inputs(model: nn.Sequential, x: Tensor, training: bool = True) -> NDArray:
    """Return what goes into the activation of each hidden layer, float32 (layers, N, units).

    Args:
        model: in whatever mode; it keeps that, and its running averages.
        x: a batch (N, D).
        training: whether BN uses the statistics of `x`, as in training, or its running averages.
    """
    kinds, seen = tuple(ACTIVATIONS.values()), []
    hooks = [
        layer.register_forward_pre_hook(lambda layer, inputs: seen.append(inputs[0].numpy().copy()))
        for layer in model
        if isinstance(layer, kinds)
    ]
    averages = {name: buffer.clone() for name, buffer in model.named_buffers()}
    try:
        with mode(model, training):
            functional_call(model, averages, (x,))  # it moves these copies
    finally:
        for hook in hooks:
            hook.remove()
    return np.stack(seen)


def _gradient_norms(model: nn.Sequential) -> NDArray:
    *hidden, _ = (layer.weight.grad for layer in model if isinstance(layer, nn.Linear))
    return np.array([np.nan if g is None else g.norm().item() for g in hidden])
