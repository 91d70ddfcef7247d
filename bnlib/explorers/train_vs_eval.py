"""Lesson 06: the same network in training and in evaluation mode."""

from __future__ import annotations

from copy import deepcopy
from functools import cache, lru_cache
from typing import TYPE_CHECKING

import ipywidgets as widgets
from numpy.typing import NDArray

from bnlib.experiments.data import batches_around, load_digits
from bnlib.experiments.runs import batch_norm
from bnlib.live.explorer import Explorer, Update
from bnlib.live.figure import LiveFigure
from bnlib.live.recording import recorded, table
from bnlib.pictures.train_vs_eval import BatchMates, TwoModes

if TYPE_CHECKING:
    from torch import nn

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
    x, y = load_digits()[2:]

    @cache
    def network() -> nn.Sequential:
        return deepcopy(model or trained_on_digits().at(300, momentum=0.1)).eval()

    def batches(image: int) -> NDArray:
        return x[batches_around(image, len(x), 8, DRAWS)]  # (20, 8, 64): draws, images, pixels

    def answers(image: int) -> NDArray:
        import torch

        from bnlib.experiments.evaluation import first_logits

        logits = first_logits(network(), torch.tensor(batches(image)))  # (2, 20, 10): modes first
        return logits.softmax(dim=2).numpy()

    probabilities_of = table("batch_mates", answers, range(len(x)))

    def draw(live: LiveFigure) -> Update:
        picture = BatchMates(live.figure, DRAWS)
        live.moves(*picture.artists)

        def update(draw: int, image: int, evaluating: bool) -> str:
            probabilities = probabilities_of(image)
            training, evaluation = probabilities[:, draw - 1]
            said, true = probabilities[int(evaluating)].argmax(axis=1), int(y[image])
            shown = batches(image)[draw - 1]
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
    x, y = load_digits()[2:]
    batches = x[batches_around(IMAGE, len(x), 64, DRAWS)]  # (20, 64, 64): draws, images, pixels
    kept = recorded("modes_steps", lambda: _kept_steps(history or trained_on_digits()))

    @lru_cache(maxsize=4)
    def network(steps: int, momentum: float) -> nn.Sequential:
        return (history or trained_on_digits()).at(steps, momentum)

    def in_training(steps: int, batch_size: int, draw: int) -> NDArray:
        """Return the logits (10,) with one of the draws of batch-mates."""
        import torch

        from bnlib.experiments.evaluation import logits_in_batches

        batch = torch.tensor(batches[draw - 1, :batch_size])
        # Its running averages are not used, so any momentum will do.
        return logits_in_batches(network(steps, MOMENTA[0]), batch[None])[0, 0].numpy()

    def right_in_training(steps: int, batch_size: int) -> float:
        import torch

        from bnlib.experiments.evaluation import accuracy_in_batches

        model = network(steps, MOMENTA[0])
        return accuracy_in_batches(model, torch.tensor(x), torch.tensor(y), batch_size)

    def in_evaluation(steps: int, momentum: float) -> tuple[NDArray, float]:
        """Return the logits, (10,), and the accuracy."""
        import torch

        from bnlib.experiments.training import accuracy

        model = network(steps, momentum)
        with torch.no_grad():
            logits = model(torch.tensor(x[IMAGE : IMAGE + 1]))[0].numpy()
        return logits, accuracy(model, torch.tensor(x), torch.tensor(y))

    sizes = range(2, 65)
    training_of = table("modes_in_training", in_training, kept, sizes, range(1, DRAWS + 1))
    share_of = table("modes_right_in_training", right_in_training, kept, sizes)
    evaluation_of = table("modes_in_evaluation", in_evaluation, kept, MOMENTA)

    def draw(live: LiveFigure) -> Update:
        picture = TwoModes(live.figure)
        live.moves(*picture.artists)

        def update(
            steps: int, momentum: float, batch_size: int, draw: int, evaluating: bool
        ) -> str:
            training = training_of(steps, batch_size, draw)
            evaluation, share = evaluation_of(steps, momentum)
            shares = share_of(steps, batch_size), share
            batch = batches[draw - 1, :batch_size]
            picture.set(batch, (training, evaluation), shares, int(y[IMAGE]), evaluating)
            said = (evaluation if evaluating else training).argmax()
            return (
                f"{steps} steps, momentum {momentum:.2f}, batches of {batch_size}: training mode "
                f"{shares[0]:.0%}, evaluation mode {shares[1]:.0%} right. With batch-mates {draw}, "
                f"{_mode(evaluating)} says {said}."
            )

        return update

    controls = {
        "steps": widgets.IntSlider(
            60, kept[0], kept[-1], step=kept[1] - kept[0], description="steps trained"
        ),
        "momentum": widgets.SelectionSlider(options=MOMENTA, value=0.01, description="momentum"),
        "batch_size": widgets.IntSlider(8, 2, 64, description="batch size"),
        "draw": widgets.IntSlider(1, 1, DRAWS, description="draw of batch-mates"),
        "evaluating": widgets.Checkbox(False, description="model.eval()"),
    }
    text = "A batch, the answer to its first image, and the test accuracy in the two modes."
    return Explorer(draw, controls, text=text)


def _mode(evaluating: bool) -> str:
    return "evaluation mode" if evaluating else "training mode"


def _kept_steps(history: History) -> list[int]:
    """Return the steps of which a history keeps the network."""
    return [*range(0, history.every * len(history.parameters), history.every)]


@cache
def trained_on_digits() -> History:
    """Train the network of lessons 06 and 07, seed 0, with three hidden layers of 100 units."""
    import torch

    from bnlib.experiments.evaluation import train_and_keep
    from bnlib.experiments.networks import mlp

    x, y = map(torch.tensor, load_digits()[:2])
    model = mlp([64, 100, 100, 100, 10], norm=batch_norm, seed=0)
    return train_and_keep(model, x, y, steps=300, every=20, batch_size=60, lr=0.5)
