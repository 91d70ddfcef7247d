"""Lesson 06: the same network in training and in evaluation mode."""

from __future__ import annotations

from copy import deepcopy
from functools import cache
from typing import TYPE_CHECKING

import ipywidgets as widgets

from bnlib.experiments.data import load_digits
from bnlib.experiments.runs import batch_norm
from bnlib.live.explorer import Explorer, Update
from bnlib.live.figure import LiveFigure
from bnlib.pictures.train_vs_eval import BatchMates, TwoModes

if TYPE_CHECKING:
    from torch import Tensor, nn

    from bnlib.experiments.evaluation import History

IMAGE = 106  # of the test images: a 6 whose answer often depends on its batch-mates
DRAWS = 20
MOMENTA = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0]


def batch_mates_explorer(model: nn.Sequential | None = None) -> Explorer:
    """Make an explorer of one image in batches of 8, whose batch-mates are drawn anew.

    Its answer flips, until the network is in evaluation mode.

    Args:
        model: a network for the digits that has been trained; None trains one.
    """
    from bnlib.experiments.evaluation import batches_around, first_logits

    model = deepcopy(model or trained_on_digits().at(300, momentum=0.1)).eval()
    x, y = _test_images()

    def draw(live: LiveFigure) -> Update:
        picture = BatchMates(live.figure, DRAWS)
        live.moves(*picture.artists)

        def update(draw: int, image: int, evaluating: bool) -> str:
            batches = x[batches_around(image, len(x), 8, DRAWS)]  # (20, 8, 64)
            probabilities = first_logits(model, batches).softmax(dim=2).numpy()  # (2, 20, 10)
            training, evaluation = probabilities[:, draw - 1]
            said, true = probabilities[int(evaluating)].argmax(axis=1), int(y[image])
            shown = batches[draw - 1].numpy()
            picture.set(shown, (training, evaluation), said, true, draw, evaluating)
            sure = probabilities[int(evaluating), draw - 1].max()
            return (
                f"Image {image}, a {true}, with batch-mates {draw}: {_mode(evaluating)} says "
                f"{said[draw - 1]} ({sure:.0%}). "
                f"Wrong in {(said != true).sum()} of {DRAWS} draws."
            )

        return update

    controls = {
        "draw": widgets.IntSlider(1, 1, DRAWS, description="draw of batch-mates"),
        "image": widgets.IntSlider(IMAGE, 0, len(x) - 1, description="image"),
        "evaluating": widgets.Checkbox(False, description="model.eval()"),
    }
    text = "An image, its batch-mates, and what the network answers in the two modes."
    return Explorer(draw, controls, height=4.6, text=text)


def modes_explorer(history: History | None = None) -> Explorer:
    """Make an explorer of mode, batch size, momentum and steps trained.

    It shows the accuracy in both modes, and the logits of one image as its batch-mates are redrawn.

    Args:
        history: of 300 steps of training on the digits; None trains a network.
    """
    from bnlib.experiments.evaluation import accuracy_in_batches, batches_around, first_logits
    from bnlib.experiments.training import accuracy

    history = history or trained_on_digits()
    x, y = _test_images()
    batches = x[batches_around(IMAGE, len(x), 64, DRAWS)]  # (20, 64, 64): draws, images, pixels

    def draw(live: LiveFigure) -> Update:
        picture = TwoModes(live.figure)
        live.moves(*picture.artists)

        def update(
            steps: int, momentum: float, batch_size: int, draw: int, evaluating: bool
        ) -> str:
            model = history.at(steps, momentum)
            batch = batches[draw - 1, :batch_size]
            training, evaluation = first_logits(model, batch[None])[:, 0].numpy()  # (10,) each
            shares = accuracy_in_batches(model, x, y, batch_size), accuracy(model, x, y)
            picture.set(batch.numpy(), (training, evaluation), shares, int(y[IMAGE]), evaluating)
            said = (evaluation if evaluating else training).argmax()
            return (
                f"{steps} steps, momentum {momentum:.2f}, batches of {batch_size}: training mode "
                f"{shares[0]:.0%}, evaluation mode {shares[1]:.0%} right. With batch-mates {draw}, "
                f"{_mode(evaluating)} says {said}."
            )

        return update

    controls = {
        "steps": widgets.IntSlider(60, 0, 300, step=history.every, description="steps trained"),
        "momentum": widgets.SelectionSlider(options=MOMENTA, value=0.01, description="momentum"),
        "batch_size": widgets.IntSlider(8, 2, 64, description="batch size"),
        "draw": widgets.IntSlider(1, 1, DRAWS, description="draw of batch-mates"),
        "evaluating": widgets.Checkbox(False, description="model.eval()"),
    }
    text = "A batch, the answer to its first image, and the test accuracy in the two modes."
    return Explorer(draw, controls, text=text)


def _mode(evaluating: bool) -> str:
    return "evaluation mode" if evaluating else "training mode"


def _test_images() -> tuple[Tensor, Tensor]:
    import torch

    digits = load_digits()
    return torch.tensor(digits.x_test), torch.tensor(digits.y_test)


@cache
def trained_on_digits() -> History:
    """Train the network of lessons 06 and 07, seed 0, with three hidden layers of 100 units."""
    import torch

    from bnlib.experiments.evaluation import train_and_keep
    from bnlib.experiments.networks import mlp

    x, y = map(torch.tensor, load_digits()[:2])
    model = mlp([64, 100, 100, 100, 10], norm=batch_norm, seed=0)
    return train_and_keep(model, x, y, steps=300, every=20, batch_size=60, lr=0.5)
