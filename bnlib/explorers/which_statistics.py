"""Lesson 07: images that have changed, and the statistics with which BN may meet them."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING

import ipywidgets as widgets

from bnlib.experiments.data import load_digits
from bnlib.explorers.train_vs_eval import trained_on_digits
from bnlib.live.explorer import Explorer, Update
from bnlib.live.figure import LiveFigure
from bnlib.pictures.which_statistics import DriftedImages

if TYPE_CHECKING:
    from torch import nn

BATCH = 32


def drift_explorer(model: nn.Sequential | None = None) -> Explorer:
    """Make an explorer of drifting images: right answers in both modes, and after recalibration.

    Args:
        model: a network for the digits that has been trained; None trains one.
    """
    import torch

    from bnlib.experiments.drift import DRIFTS
    from bnlib.experiments.evaluation import logits_in_batches, recalibrate
    from bnlib.experiments.training import accuracy

    model = deepcopy(model or trained_on_digits().at(300, momentum=0.1)).eval()
    x_train, _, x, y = map(torch.tensor, load_digits())
    count = len(x) // BATCH * BATCH
    orders = {  # (11, 32) image numbers each: batches of digits as they come, or hardly mixed
        False: torch.randperm(len(x), generator=torch.Generator().manual_seed(0)),
        True: y.argsort(stable=True),
    }
    batches = {is_sorted: order[:count].view(-1, BATCH) for is_sorted, order in orders.items()}

    def draw(live: LiveFigure) -> Update:
        picture = DriftedImages(live.figure, accuracy(model, x, y))
        live.moves(*picture.artists)

        def update(kind: str, amount: float, by_digit: bool) -> str:
            change, order = DRIFTS[kind], batches[by_digit]
            changed = change(x, amount)
            in_batches = logits_in_batches(model, changed[order]).argmax(dim=2) == y[order]
            anew = recalibrate(deepcopy(model), change(x_train, amount))
            shares = (
                accuracy(model, changed, y),
                in_batches.float().mean().item(),
                accuracy(anew, changed, y),
            )
            picture.set(changed[order[0]].numpy(), shares)
            return (
                f"{kind}, c = {amount:.1f}: evaluation mode {shares[0]:.0%}, training mode in "
                f"{'sorted' if by_digit else 'mixed'} batches of {BATCH} {shares[1]:.0%}, "
                f"recalibrated {shares[2]:.0%} right."
            )

        return update

    options = {"continuous_update": False, "readout_format": ".1f"}
    controls = {
        "kind": widgets.SelectionSlider(options=[*DRIFTS], description="what happens"),
        "amount": widgets.FloatSlider(0.6, min=0, max=1, step=0.1, description="c", **options),
        "by_digit": widgets.Checkbox(False, description="sorted by digit"),
    }
    text = "Images as they arrive, and the test accuracy with three kinds of statistics."
    return Explorer(draw, controls, text=text)
