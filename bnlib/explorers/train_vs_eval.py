"""Lesson 05: the same network in training and in evaluation mode."""

from copy import deepcopy
from functools import cache

import ipywidgets as widgets
import torch
from torch import nn

from bnlib.experiments.data import load_digits
from bnlib.experiments.evaluation import (
    History,
    accuracy_in_batches,
    batches_around,
    logits_in_batches,
    train_and_keep,
)
from bnlib.live.explorer import Explorer, LiveFigure, Update
from bnlib.pictures.train_vs_eval import BatchMates, TwoModes
from bnlib.experiments.networks import mlp
from bnlib.experiments.training import accuracy

IMAGE = 106  # of the test images: a 6 whose answer often depends on its batch-mates
DRAWS = 20
MOMENTA = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0]


def batch_mates_explorer(model: nn.Sequential | None = None) -> Explorer:
    """One test image in batches of 8: its batch-mates are redrawn, and its answer flips, until the
    network is in evaluation mode. `model`: a trained network for the digits.
    """
    model = deepcopy(model or _digits_history().at(300, momentum=0.1)).eval()
    x, y = map(torch.tensor, load_digits()[2:])

    def draw(live: LiveFigure) -> Update:
        picture = BatchMates(live.figure, DRAWS)
        live.moves(*picture.artists)

        @torch.no_grad()
        def update(draw: int, image: int, evaluating: bool) -> str:
            batches = x[batches_around(image, len(x), 8, DRAWS)]  # (20, 8, 64)
            in_training = logits_in_batches(model, batches)[:, 0].softmax(dim=1).numpy()
            in_evaluation = model(batches[:, 0]).softmax(dim=1).numpy()  # mates play no part
            both = in_training[draw - 1], in_evaluation[draw - 1]
            said = (in_evaluation if evaluating else in_training).argmax(axis=1)
            true = int(y[image])
            picture.set(batches[draw - 1].numpy(), both, said, true, draw, evaluating)
            return (
                f"Image {image}, a {true}, with batch-mates {draw}: {_mode(evaluating)} says "
                f"{said[draw - 1]} ({both[evaluating].max():.0%}). "
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
    """Mode, batch size, momentum and steps trained: the accuracy in both modes, and the logits of
    one image as its batch-mates are redrawn. `history`: of 300 steps of training on the digits.
    """
    history = history or _digits_history()
    x, y = map(torch.tensor, load_digits()[2:])
    batches = x[batches_around(IMAGE, len(x), 64, DRAWS)]  # (20, 64, 64): draws, images, pixels

    def draw(live: LiveFigure) -> Update:
        picture = TwoModes(live.figure)
        live.moves(*picture.artists)

        @torch.no_grad()
        def update(
            steps: int, momentum: float, batch_size: int, draw: int, evaluating: bool
        ) -> str:
            model = history.at(steps, momentum)
            batch = batches[draw - 1, :batch_size]
            in_training = logits_in_batches(model, batch[None])[0, 0].numpy()
            both = in_training, model(batch)[0].numpy()
            shares = accuracy_in_batches(model, x, y, batch_size), accuracy(model, x, y)
            picture.set(batch.numpy(), both, shares, int(y[IMAGE]), evaluating)
            return (
                f"{steps} steps, momentum {momentum:.2f}, batches of {batch_size}: training mode "
                f"{shares[0]:.0%}, evaluation mode {shares[1]:.0%} right. With batch-mates {draw}, "
                f"{_mode(evaluating)} says {both[evaluating].argmax()}."
            )

        return update

    controls = {
        "steps": widgets.IntSlider(300, 0, 300, step=history.every, description="steps trained"),
        "momentum": widgets.SelectionSlider(options=MOMENTA, value=0.1, description="momentum"),
        "batch_size": widgets.IntSlider(8, 2, 64, description="batch size"),
        "draw": widgets.IntSlider(1, 1, DRAWS, description="draw of batch-mates"),
        "evaluating": widgets.Checkbox(False, description="model.eval()"),
    }
    text = "A batch, the answer to its first image, and the test accuracy in the two modes."
    return Explorer(draw, controls, text=text)


def _mode(evaluating: bool) -> str:
    return "evaluation mode" if evaluating else "training mode"


@cache
def _digits_history() -> History:
    """The network of lesson 05, seed 0."""
    x, y = map(torch.tensor, load_digits()[:2])
    model = mlp([64, 100, 100, 100, 10], batch_norm="before", seed=0)
    return train_and_keep(model, x, y, steps=300, every=20, batch_size=60, lr=0.5)
