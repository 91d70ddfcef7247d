"""The patients of the clinic: what they are, and what can be examined of them, without torch."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

STEPS, EVERY = 80, 10  # of training; after every tenth a patient is looked at


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
