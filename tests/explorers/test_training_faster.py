"""Lesson 09's explorers, beyond what every explorer is tested for."""

import numpy as np
import pytest

from bnlib.experiments import border
from bnlib.experiments.border import CELLS, INITS, RATES, Place
from bnlib.experiments.sweeps import Sweep
from bnlib.explorers import training_faster
from bnlib.explorers.training_faster import KNOWN_ROW, border_explorer, sweep_explorer


def short(monkeypatch, steps=10, swept=(0.01, 1.0, 100.0)):
    monkeypatch.setattr(training_faster, "STEPS", steps)
    monkeypatch.setattr(training_faster, "SWEPT", swept)
    monkeypatch.setattr(training_faster, "_swept_once", training_faster._swept_once.__wrapped__)


def test_a_sweep_grows_while_it_is_trained(monkeypatch):
    short(monkeypatch)
    explorer = sweep_explorer()
    assert "not known yet" not in explorer.line
    steps = explorer._train(depth=3, seed=1)
    shares = [next(steps)]
    explorer._refresh()
    assert "without BN not known yet; with BN not known yet" in explorer.line
    shares += [next(steps) for _ in range(6)]
    explorer._refresh()
    assert explorer.line.startswith("After 5 steps, best: without BN ")
    assert "known" not in explorer.line
    shares += steps
    explorer._refresh()
    assert shares == sorted(shares) and shares[-1] == 1
    assert explorer.line.startswith("After 10 steps, best: without BN ")
    assert "at rate" in explorer.line and "known" not in explorer.line


def test_sweeps_that_are_handed_over_are_shown(monkeypatch):
    short(monkeypatch)
    cases = [("he", rate) for rate in training_faster.SWEPT]
    sweeps = {name: Sweep(cases, (0,), depth=1, steps=10).trained()
              for name in ("without BN", "with BN")}  # fmt: skip
    explorer = sweep_explorer(sweeps)
    best = np.median(sweeps["with BN"].after(10), axis=1).max()
    assert explorer.line.count(f"{best:.0%}") == 2


@pytest.fixture
def board(monkeypatch):
    """A map whose networks learn at once: right is what lies at rates from 0.01 to 0.5."""
    share = {
        Place(bn, row, column, seed): 0.95 if 1 <= column <= 4 else 0.1
        for bn in (False, True)
        for row, column in CELLS
        for seed in range(10)
    }
    monkeypatch.setattr(border, "_known", share)
    return border_explorer()


def written(board) -> int:
    """How many cells of the left map have a number."""
    return sum(bool(text.get_text()) for text in board.live.figure.axes[0].texts)


def test_a_row_is_there_and_nothing_is_spent(board):
    assert KNOWN_ROW.bit_count() == written(board) == len(RATES)
    assert board.line == ("with BN, std 0.01, rate 0.5: not trained yet. Trainings left: 30 of 30.")
    for name in ("without", "with_bn"):
        assert board.controls[name].layout.display == "none"


def test_a_cell_that_is_trained_costs_one_training_and_once(board):
    for _ in range(2):
        board.buttons["Look here"].click()
    assert written(board) == KNOWN_ROW.bit_count() + 1
    assert board.line.endswith("0.5: 95% right. Trainings left: 29 of 30.")
    board.set(bn=False)
    assert written(board) == KNOWN_ROW.bit_count()
    board.buttons["Look here"].click()
    assert board.line.endswith("Trainings left: 28 of 30.")
    board.buttons["Reset"].click()
    assert board.line.endswith("Trainings left: 30 of 30.")


def test_thirty_trainings_are_thirty(board):
    for row, column in CELLS:
        board.set(init=INITS[row], rate=RATES[column])
        board.buttons["Look here"].click()
    assert written(board) == KNOWN_ROW.bit_count() + 30
    assert board.line.endswith("Trainings left: 0 of 30.")


def test_the_whole_map_judges_what_was_found(board):
    shares = [*board._train(seed=0)]
    assert shares == sorted(shares) and shares[-1] == 1
    board._refresh()
    border.remember({Place(True, 0, 3, 0): 0.1})
    list(board._train(seed=0))
    board._refresh()
    assert "48 of 49 would be on the right side of the border" in board.line
    board.set(with_bn=(1 << len(CELLS)) - 1)
    assert "49 of 49 would be on the right side of the border" in board.line


def test_a_network_that_diverges_is_said_to(board, monkeypatch):
    border.remember({Place(False, 3, 6, 0): 0.0})
    board.set(init=0.05, rate=10.0, bn=False)
    board.buttons["Look here"].click()
    assert "rate 10: diverged." in board.line
