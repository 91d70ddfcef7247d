"""Lesson 06's explorers, beyond what every explorer is tested for."""

import numpy as np
import pytest
import torch

from bnlib.experiments.networks import mlp
from bnlib.explorers.train_vs_eval import batch_mates_explorer, modes_explorer
from bnlib.live.explorer import Explorer
from bnlib.torch_bn import BatchNorm


def panel(explorer: Explorer, label: str):
    """The axes whose y-axis, or else whose title, is called `label`."""
    axes = explorer.live.figure.axes
    return next(ax for ax in axes if label in (ax.get_ylabel(), ax.get_title(loc="left")))


def bars(explorer: Explorer, label: str, count: int) -> list[float]:
    """The heights of the bars of a panel."""
    return [bar.get_height() for bar in panel(explorer, label).patches[:count]]


def said(explorer: Explorer) -> int:
    """The digit with the highest bar."""
    return int(np.argmax(bars(explorer, "probability", 10)))


def test_the_six_flips_until_the_network_is_in_evaluation_mode():
    explorer = batch_mates_explorer()
    answers = set()
    for draw in range(1, 21):
        explorer.set(draw=draw, evaluating=False)
        answers.add(said(explorer))
        explorer.set(evaluating=True)
        assert said(explorer) == 6
        assert explorer.line.endswith("Wrong in 0 of 20 draws.")
    assert 6 in answers and len(answers) > 1


def test_what_either_mode_says_is_written_over_the_bars():
    explorer = batch_mates_explorer()
    explorer.set(draw=3)
    answer = panel(explorer, "probability")
    words = [text.get_text() for text in answer.texts]
    assert words == ["Training mode says 8", "ticks: evaluation mode says 6"]
    explorer.set(evaluating=True)
    assert answer.texts[0].get_text() == "Evaluation mode says 6"


def test_the_explorer_leaves_the_network_alone():
    model = mlp([64, 20, 10], norm=BatchNorm).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    batch_mates_explorer(model).set(draw=2, image=5)
    assert model.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_modes_shows_what_goes_wrong_in_each_mode():
    explorer = modes_explorer()

    def shares() -> list[float]:
        return bars(explorer, "Test accuracy", 2)

    explorer.set(steps=60, momentum=0.01)
    training, evaluation = shares()
    assert evaluation < 0.3 < 0.85 < training
    explorer.set(momentum=0.1)
    assert shares()[1] > 0.9
    explorer.set(steps=300, batch_size=2)
    training, evaluation = shares()
    assert training < 0.75 < 0.93 < evaluation
    assert f"training mode {training:.0%}, evaluation mode {evaluation:.0%}" in explorer.line


def test_in_evaluation_mode_the_batch_mates_play_no_part():
    explorer = modes_explorer()
    answers = []
    for draw in range(1, 21):
        explorer.set(steps=300, momentum=0.1, draw=draw, evaluating=True)
        answers.append(bars(explorer, "logit", 10))
    assert np.ptp(answers, axis=0).max() < 1e-4 and np.argmax(answers[0]) == 6


@pytest.mark.parametrize("steps", [0, 60, 300])
def test_no_logit_leaves_the_axes(steps):
    explorer = modes_explorer()
    low, high = panel(explorer, "logit").get_ylim()
    for momentum in (0.01, 1):
        for batch_size in (2, 64):
            explorer.set(steps=steps, momentum=momentum, batch_size=batch_size)
            heights = bars(explorer, "logit", 10)
            assert low < min(heights) and max(heights) < high
