"""Lesson 07: images that have changed, and the statistics with which BN may meet them."""

from __future__ import annotations

from copy import deepcopy
from functools import cache
from typing import TYPE_CHECKING

import ipywidgets as widgets
from numpy.typing import NDArray

from bnlib.experiments.data import load_digits
from bnlib.explorers.train_vs_eval import trained_on_digits
from bnlib.live.explorer import Explorer, Update
from bnlib.live.figure import LiveFigure
from bnlib.live.recording import recorded, table
from bnlib.pictures.which_statistics import DriftedImages

if TYPE_CHECKING:
    from torch import nn

BATCH = 32
AMOUNTS = [tenths / 10 for tenths in range(11)]  # of a change


def drift_explorer(model: nn.Sequential | None = None) -> Explorer:
    """Make an explorer of drifting images: right answers in both modes, and after recalibration.

    Args:
        model: a network for the digits that has been trained; None trains one.
    """
    kinds = recorded("drift_kinds", _kinds)

    @cache
    def network() -> nn.Sequential:
        return deepcopy(model or trained_on_digits().at(300, momentum=0.1)).eval()

    def measured(kind: str, amount: float, by_digit: bool) -> tuple[NDArray, tuple[float, ...]]:
        return _measured(network(), kind, amount, by_digit)

    measured_of = table("drift", measured, kinds, AMOUNTS, (False, True))

    def draw(live: LiveFigure) -> Update:
        unchanged = measured_of(kinds[0], 0.0, False)[1][0]
        picture = DriftedImages(live.figure, unchanged)
        live.moves(*picture.artists)

        def update(kind: str, amount: float, by_digit: bool) -> str:
            images, shares = measured_of(kind, round(amount, 1), by_digit)
            picture.set(images, shares)
            return (
                f"{kind}, c = {amount:.1f}: evaluation mode {shares[0]:.0%}, training mode in "
                f"{'sorted' if by_digit else 'mixed'} batches of {BATCH} {shares[1]:.0%}, "
                f"recalibrated {shares[2]:.0%} right."
            )

        return update

    options = {"continuous_update": False, "readout_format": ".1f"}
    controls = {
        "kind": widgets.SelectionSlider(options=kinds, description="what happens"),
        "amount": widgets.FloatSlider(0.6, min=0, max=1, step=0.1, description="c", **options),
        "by_digit": widgets.Checkbox(False, description="sorted by digit"),
    }
    text = "Images as they arrive, and the test accuracy with three kinds of statistics."
    return Explorer(draw, controls, text=text)


def _kinds() -> list[str]:
    from bnlib.experiments.drift import DRIFTS

    return [*DRIFTS]


def _measured(
    model: nn.Sequential, kind: str, amount: float, by_digit: bool
) -> tuple[NDArray, tuple[float, ...]]:
    """Return a batch of changed images, (32, 64), and the shares of right answers.

    These are of evaluation mode, of training mode, and of evaluation mode after recalibration.
    """
    import torch

    from bnlib.experiments.drift import DRIFTS
    from bnlib.experiments.evaluation import logits_in_batches, recalibrate
    from bnlib.experiments.training import accuracy

    x_train, _, x, y = map(torch.tensor, load_digits())
    # Batches of digits hardly mixed, or as they come.
    mixed = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))
    order = y.argsort(stable=True) if by_digit else mixed
    batches = order[: len(x) // BATCH * BATCH].view(-1, BATCH)  # (11, 32) image numbers
    changed = DRIFTS[kind](x, amount)
    right = logits_in_batches(model, changed[batches]).argmax(dim=2) == y[batches]
    anew = recalibrate(deepcopy(model), DRIFTS[kind](x_train, amount))
    in_use, after = accuracy(model, changed, y), accuracy(anew, changed, y)
    return changed[batches[0]].numpy(), (in_use, right.float().mean().item(), after)
