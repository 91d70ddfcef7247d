"""Lesson 08: who shares a mean with a chosen value, and batches of any size under any norm."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from types import SimpleNamespace
from typing import TYPE_CHECKING

import ipywidgets as widgets
import numpy as np

from bnlib.experiments.shared_means import Place, company, marked, normalized
from bnlib.live.explorer import Explorer, Update
from bnlib.live.figure import LiveFigure
from bnlib.live.recording import recorded
from bnlib.live.training_explorer import TrainingExplorer
from bnlib.pictures.other_norms import LONG, NormsAndBatches, Shared, WhoShares

if TYPE_CHECKING:
    from bnlib.experiments.norm_and_batch import Outcome, Training

SHAPE: Place = (4, 6, 3, 3)
GROUPS = 1, 2, 3, 6
COUNTS = "images in a batch, N", "values that share a mean, m"


def who_shares_explorer() -> Explorer:
    """Make an explorer of an image batch: which values share a mean with a chosen one."""
    draws = np.random.default_rng(0).normal(size=SHAPE)
    brightness = np.array([0, 3, -2, 1]).reshape(4, 1, 1, 1)  # so that the four means differ
    x = (draws + brightness + np.arange(6).reshape(6, 1, 1) / 2).round(1)

    def draw(live: LiveFigure) -> Update:
        picture = WhoShares(live.figure, SHAPE)
        live.moves(*picture.artists)

        def update(groups: int, image: int, channel: int) -> str:
            chosen = (image - 1, channel - 1, 1, 1)
            words, shared = [], {}
            for norm in picture.NORMS:
                index = company(norm, chosen, SHAPE[1], groups)
                x_hat, m = normalized(x, chosen, index), x[index].size
                name = f"{norm}({groups})" if norm == "GN" else norm
                same = {("GN", 1): ", as LN", ("GN", 6): ", as IN"}.get((norm, groups), "")
                shared[norm] = Shared(marked(SHAPE, index), f"m = {m}{same}\nx̂ = {x_hat:.2f}")
                words.append(f"{name} {x_hat:.2f} (of {m} values)")
            picture.set(chosen, shared)
            return (
                f"The value {x[chosen]:.1f} in the middle of image {image}, channel {channel}, "
                f"becomes: {', '.join(words)}."
            )

        return update

    controls = {
        "groups": widgets.SelectionSlider(options=GROUPS, value=2, description="groups"),
        "image": widgets.IntSlider(2, 1, SHAPE[0], description="image"),
        "channel": widgets.IntSlider(3, 1, SHAPE[1], description="channel"),
    }
    return Explorer(draw, controls, height=5)


class NormByBatch(TrainingExplorer):
    """Networks that have been trained, and one more, of any kind, that Train trains.

    Args:
        outcomes: what is shown at first, none of them without a norm.
    """

    def __init__(self, outcomes: Sequence[Outcome]):
        kinds, norms, steps = recorded("norm_by_batch_names", _names)
        self.outcomes = [o for o in outcomes if o.values]
        self.trainings: list[tuple[dict, Training]] = []
        rates = 0.003, 0.01, 0.03, 0.1, 0.2, 0.5
        settings = {
            "kind": widgets.SelectionSlider(options=kinds, value="CNN", description="network"),
            "norm": widgets.SelectionSlider(options=norms, value="BN", description="norm"),
            "size": widgets.SelectionSlider(
                options=[2, 3, 4, 6, 8, 16, 32, 64], value=4, description="batch"
            ),
            "lr": widgets.SelectionSlider(options=rates, value=0.03, description="rate"),
            "seed": widgets.IntSlider(1, 0, 9, description="seed"),
        }
        compared = list(dict.fromkeys(o.norm for o in self.outcomes))
        controls = {
            "norm": widgets.SelectionSlider(options=compared, value="BN", description="coloured"),
            "over_values": widgets.Checkbox(True, description="over the values in a mean"),
        }

        def draw(live: LiveFigure) -> Update:
            picture = NormsAndBatches(live.figure, kinds, steps)
            live.moves(*picture.artists)
            return lambda norm, over_values: self._show(picture, norm, over_values)

        text = "Test accuracy over the values that share a mean: BN is low where they are two."
        super().__init__(draw, controls, settings, self._start_training, height=4.6, text=text)

    def _show(self, picture: NormsAndBatches, norm: str, over_values: bool) -> str:
        count = COUNTS[over_values]
        points: dict[bool, dict[str, list[tuple[int, float]]]] = {True: {}, False: {}}
        words = []
        for o in self.outcomes:
            place, height = o.values if over_values else o.size, float(np.mean(o.accuracies))
            points[o.norm == norm].setdefault(o.kind, []).append((place, height))
            if o.norm == norm:
                words.append((place, f"{o.kind} {count[-1]} = {place}: {height:.0%}"))
        yours = [
            (t.values if over_values and t.values else settings["size"], t.accuracies[-1])
            for settings, t in self.trainings
            if t.accuracies
        ]
        curve = (
            (self.trainings[-1][1].steps, self.trainings[-1][1].accuracies) if yours else ([], [])
        )
        picture.set(norm, count, points[True], points[False], yours, curve)
        line = f"{LONG[norm].capitalize()}: " + ", ".join(text for _, text in sorted(words)) + "."
        return line + (f" Yours: {self._yours()}." if yours else "")

    def _yours(self) -> str:
        settings, training = self.trainings[-1]
        return (
            f"{settings['kind']}, {LONG[settings['norm']]}, batches of {settings['size']}, "
            f"smallest m {training.values or 'none'}, {training.accuracies[-1]:.0%} after "
            f"{training.steps[-1]} steps"
        )

    def _start_training(self, **settings) -> Iterator[float]:
        from bnlib.experiments.norm_and_batch import Training

        training = Training(**settings)
        training.measure(0)
        self.trainings.append((settings, training))
        return training.run()


def norm_by_batch_explorer(outcomes: Sequence[Outcome] | None = None) -> NormByBatch:
    """Make an explorer of norms and batch sizes, over the images or over the values in a mean.

    Args:
        outcomes: of trainings, to be shown at first; None trains a few.
    """
    return NormByBatch(recorded("norm_by_batch", lambda: outcomes or _few(), _without_torch))


def _names() -> tuple[Sequence[str], Sequence[str], int]:
    """Return the kinds of network, the norms, and how many steps the networks are trained."""
    from bnlib.experiments.norm_and_batch import NETWORKS, NORMS, STEPS

    return NETWORKS, [*NORMS], STEPS


def _without_torch(outcomes: Sequence[Outcome]) -> list[SimpleNamespace]:
    names = "kind", "norm", "size", "values", "accuracies"
    return [SimpleNamespace(**{name: getattr(o, name) for name in names}) for o in outcomes]


@cache
def _few() -> tuple[Outcome, ...]:
    from bnlib.experiments.norm_and_batch import trained

    few = [("MLP", "BN", 2), ("MLP", "BN", 8), ("MLP", "LN", 2), ("CNN", "BN", 2), ("CNN", "IN", 2)]
    return tuple(trained(*settings, seeds=(0,)) for settings in few)
