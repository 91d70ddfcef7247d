"""Networks that may be ill: how each is made, trained and asked, and what is seen of it.

They are of one kind, six layers of 100 units that learn the digits in 80 steps.
"""

from __future__ import annotations

from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass
from functools import cache, cached_property, partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bnlib.experiments.activation_measures import dead_share
from bnlib.experiments.data import load_digits
from bnlib.experiments.evaluation import (
    accuracy_in_batches,
    batches_around,
    first_logits,
)
from bnlib.experiments.networks import batch_norms, mlp
from bnlib.experiments.recorder import Recorder, hidden_inputs
from bnlib.experiments.training import DivergedError, accuracy, train
from bnlib.torch_bn import BatchNorm

SIZES = [64, *[100] * 6, 10]
STEPS, EVERY, BATCH = 80, 10, 60
IMAGES = 60  # of the batch that is followed through the network
ASKED, DRAWS = 40, 12  # new images, and draws of batch-mates for each


@dataclass(frozen=True)
class Patient:
    """How a network is made, trained and asked: its health follows from this, to the last bit.

    As it stands here, it is healthy.

    Attributes:
        seed: of the weights and of the batches.
        activation: as for `mlp`.
        init: likewise.
        bias: what those of the hidden layers start from, where no norm makes them needless.
        norm: whether there is a norm before each activation.
        axis: over which the norm takes mean and variance: 0, the images of a batch; or 1, the
            units of an image.
        momentum: of BN.
        lr: the learning rate.
        training: whether it is in training mode while it trains, as it should be.
        caught_up: whether the running averages are taken anew, from all training images, before
            it is asked anything.
        served_in: it is in training mode when it answers, in batches of so many images; 0: it is
            in evaluation mode.
    """

    seed: int = 0
    activation: str = "sigmoid"
    init: float | str = 0.1
    bias: float = 0.0
    norm: bool = True
    axis: int = 0
    momentum: float = 0.1
    lr: float = 0.5
    training: bool = True
    caught_up: bool = False
    served_in: int = 0


@dataclass(frozen=True)
class Layer:
    """What goes into the activations of a layer, in the mode in which the network trains.

    Attributes:
        inputs: (images, units).
        dead: the share of the units, 0 to 1, whose activation has slope 0 for every image.
        in_training_mode: what `over_images` would be in training mode.
    """

    inputs: NDArray
    dead: float
    in_training_mode: float

    @cached_property
    def over_images(self) -> float:
        """The standard deviation over the images, averaged over the units."""
        return float(self.inputs.std(axis=0).mean())

    @cached_property
    def over_units(self) -> float:
        """The standard deviation over the units, averaged over the images."""
        return float(self.inputs.std(axis=1).mean())

    @cached_property
    def beyond(self) -> float:
        """The share of the inputs, 0 to 1, beyond ±3."""
        return float(np.mean(np.abs(self.inputs) > 3))


@dataclass(frozen=True)
class Chart:
    """What can be examined of a patient.

    Attributes:
        steps: after which its answers to the test images were looked at.
        served: the share of right answers then, 0 to 1, asked as it is asked in service.
        losses: of each step; it ends where the loss was no finite number any more.
        accuracies: at the end, (2, 2): of training and test images; in training mode, batches of
            60, and in evaluation mode.
        first: the first hidden layer.
        last: the last one.
        gradients: norms of those of each hidden layer's weights, in the last step.
        answers: in service, to one image in each draw of its batch-mates: of 40 test images the
            one to which the answers differ most.
        truth: the digit of this image.
        wavering: the share of the 40 images, 0 to 1, to which the answer is not always the same.
    """

    steps: range
    served: NDArray
    losses: NDArray
    accuracies: NDArray
    first: Layer
    last: Layer
    gradients: NDArray
    answers: NDArray
    truth: int
    wavering: float

    @property
    def in_service(self) -> float:
        """The share of right answers to test images, 0 to 1, as it is asked in service."""
        return float(self.served[-1])

    @property
    def in_training(self) -> float:
        """Likewise, in training mode, in batches of 60."""
        return float(self.accuracies[1, 0])

    @property
    def in_evaluation(self) -> float:
        """Likewise, in evaluation mode."""
        return float(self.accuracies[1, 1])

    @property
    def late_loss(self) -> float:
        """The mean of the loss over the last 30 steps."""
        return float(self.losses[-30:].mean())


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
