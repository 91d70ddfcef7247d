"""Networks that may be ill: how each is made, trained and asked, and what is seen of it (torch).

They are of one kind, six layers of 100 units that learn the digits in 80 steps.
"""

from __future__ import annotations

from contextlib import suppress
from copy import deepcopy
from functools import cache, partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bnlib.experiments.activation_measures import dead_share
from bnlib.experiments.charts import EVERY, STEPS, Chart, Layer, Patient
from bnlib.experiments.data import batches_around, load_digits
from bnlib.experiments.evaluation import accuracy_in_batches, first_logits
from bnlib.experiments.networks import batch_norms, mlp
from bnlib.experiments.recorder import Recorder, hidden_inputs
from bnlib.experiments.training import DivergedError, accuracy, train
from bnlib.torch_bn import BatchNorm

SIZES = [64, *[100] * 6, 10]
BATCH = 60
IMAGES = 60  # of the batch that is followed through the network
ASKED, DRAWS = 40, 12  # new images, and draws of batch-mates for each


@cache
def chart(patient: Patient) -> Chart:
    """Train a patient, and examine it."""
    x, y, x_test, y_test = _digits()
    model = _network(patient)
    served, losses = [_right_in_service(patient, model)], []
    training = train(model, x, y, steps=STEPS, batch_size=BATCH, lr=patient.lr, seed=patient.seed)
    with suppress(DivergedError):  # then it stays as it was
        for loss in training:
            losses.append(loss)
            if len(losses) % EVERY == 0:
                served.append(_right_in_service(patient, model))
    seen = Recorder(model, x[:IMAGES], x_test, y_test, steps=[STEPS])
    seen.snapshot(STEPS)
    layers = _layers(patient, model, seen.inputs[0])
    model = _as_asked(patient, model)
    answers, changes = _answers_in_service(patient, model)
    image = int(changes.argmax())
    return Chart(
        steps=range(0, STEPS + 1, EVERY),
        served=np.array(served),
        losses=np.array(losses),
        accuracies=np.array([_in_both_modes(model, x, y), _in_both_modes(model, x_test, y_test)]),
        first=layers[0],
        last=layers[-1],
        gradients=seen.gradient_norms[0],
        answers=answers[image],
        truth=int(y_test[image]),
        wavering=float(np.mean(changes > 0)),
    )


@cache
def _digits() -> tuple[Tensor, ...]:
    return tuple(map(torch.tensor, load_digits()))


def _network(patient: Patient) -> nn.Sequential:
    over_batch = partial(BatchNorm, momentum=patient.momentum)
    norm = (nn.LayerNorm if patient.axis else over_batch) if patient.norm else None
    options: dict[str, Any] = {"activation": patient.activation, "init": patient.init}
    model = mlp(SIZES, norm=norm, seed=patient.seed, **options)
    *hidden, _ = (layer for layer in model if isinstance(layer, nn.Linear))
    for layer in hidden:
        if layer.bias is not None:
            nn.init.constant_(layer.bias, patient.bias)
    if not patient.training:
        model.register_forward_pre_hook(_call_eval)
    return model


def _call_eval(model: nn.Module, _) -> None:
    """Do before each step what nobody should."""
    model.eval()


@torch.no_grad()
def _as_asked(patient: Patient, model: nn.Sequential) -> nn.Sequential:
    """Return the network that answers, in evaluation mode; `model` stays as it is."""
    model = deepcopy(model)
    if patient.caught_up:
        x = _digits()[0]
        for bn in batch_norms(model):
            bn.momentum = 1  # then a running average is the statistic of the last batch
        for layer in model.train():
            x = layer(x)
    return model.eval()


def _right_in_service(patient: Patient, model: nn.Sequential) -> float:
    """Return the share, 0 to 1, of right answers to the test images; `model` stays as it is."""
    x, y = _digits()[2:]
    model = _as_asked(patient, model)
    if patient.served_in:
        return accuracy_in_batches(model, x, y, patient.served_in)
    return accuracy(model, x, y)


def _in_both_modes(model: nn.Sequential, x: Tensor, y: Tensor) -> tuple[float, float]:
    return accuracy_in_batches(model, x, y, BATCH), accuracy(model, x, y)


def _answers_in_service(patient: Patient, model: nn.Sequential) -> tuple[NDArray, NDArray]:
    """Return the answers to some images, (40, draws), and how many of each are not the usual one.

    An image has other batch-mates in each draw, which may change its answer in training mode only.
    """
    x = _digits()[2]
    size = patient.served_in or BATCH
    batches = [batches_around(image, len(x), size, DRAWS) for image in range(ASKED)]
    logits = first_logits(model, x[np.concatenate(batches)])[0 if patient.served_in else 1]
    answers = logits.argmax(dim=1).view(ASKED, DRAWS).numpy()
    usual = [np.bincount(said).max() for said in answers]
    return answers, DRAWS - np.array(usual)


def _layers(patient: Patient, model: nn.Sequential, inputs: NDArray) -> list[Layer]:
    """Return the hidden layers, with what went into their activations (layers, images, units)."""
    unhooked = nn.Sequential(*model)
    in_training_mode = hidden_inputs(unhooked, _digits()[0][:IMAGES]).std(axis=1).mean(axis=1)
    is_relu = patient.activation == "relu"
    return [
        Layer(of_layer, dead_share(of_layer) if is_relu else 0.0, float(spread))
        for of_layer, spread in zip(inputs, in_training_mode, strict=True)
    ]
