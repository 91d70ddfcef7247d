"""Pictures of the two modes of batch normalization: batch statistics or running averages."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.transforms import offset_copy

from bnlib.pictures.parts import (
    ACCENT,
    FAINT,
    FOUR,
    INK,
    WITH_BN,
    WITHOUT_BN,
    new_figure,
    show,
    styled,
)

TRAINING, EVALUATION = FOUR[3], ACCENT
PALE = 0.3  # alpha of what is shown beside the mode that is on

LOOKS = {
    "training mode": dict(color=TRAINING, ls="--", marker="s"),
    "evaluation mode": dict(color=EVALUATION, ls="-", marker="o"),
    "evaluation mode,\nrecalibrated": dict(color=WITH_BN, ls=":", marker="^"),
    "with BN": dict(color=WITH_BN, ls="-", marker="o"),
    "without BN": dict(color=WITHOUT_BN, ls="--", marker="s"),
    "frozen BN": dict(color=EVALUATION, ls="", marker="o"),
    "BN in training mode": dict(color=TRAINING, ls="", marker="s"),
}


@styled
def show_running_averages(
    means: Mapping[str, Sequence[float]],
    variances: Mapping[str, Sequence[float]],
    goal: tuple[float, float],
) -> None:
    """Running mean and variance over the batches, from their start values on, a curve for each
    momentum by name; `goal`: mean and variance of the data.
    """
    figure = new_figure(8.4, 3.8)
    looks = [dict(color=FAINT, ls="-", lw=1)]
    looks += [dict(color=c, ls=ls) for c, ls in ((FOUR[0], "-"), (FOUR[1], "--"), (INK, "-."))]
    panels = (("running mean", means, goal[0]), ("running variance", variances, goal[1]))
    for ax, (name, curves, end) in zip(figure.subplots(1, 2), panels, strict=True):
        for (label, values), look in zip(curves.items(), looks, strict=True):
            ax.plot(values, label=label, **look)
        ax.axhline(end, color=ACCENT, ls=":", lw=3, label="of the data", zorder=1)
        ax.set(xlabel="batches seen", title=name)
        ax.set_ylim(bottom=-0.2)
        ax.grid(True)
    figure.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=5)
    show(
        figure, "Running mean and variance approach those of the data; how fast is up to momentum."
    )


@styled
def show_accuracy_by_batch_size(
    sizes: Sequence[int], training: np.ndarray, evaluation: np.ndarray
) -> None:
    """Test accuracy in the two modes, both (sizes, runs), 0 to 1, over the size of a test batch,
    with bars of ± one standard deviation over the runs. A batch of 1 has evaluation mode alone:
    `training` has a row less.
    """
    figure = new_figure(8.4, 3.8)
    ax = _accuracy_axes(figure, "images in a test batch", sizes)
    _curve(ax, "evaluation mode", evaluation)
    _curve(ax, "training mode", training, first=1)
    ax.text(0, 0.3, "training mode\nrefuses\na batch of 1", ha="center", va="center", fontsize=10)
    ax.set_xlim(left=-0.9)
    _legend(ax, "mean ± std")
    show(
        figure,
        "In training mode accuracy depends on the batch size, in evaluation mode it does not.",
    )


@styled
def show_accuracy_by_step(
    steps: Sequence[int], training: np.ndarray, evaluation: Mapping[str, np.ndarray]
) -> None:
    """Accuracy over training: in training mode (steps, runs), and in evaluation mode by the name
    of a momentum, (steps, runs) each, 0 to 1; a thin line for each run.
    """
    figure = new_figure(8.4, 3.8)
    ax = _accuracy_axes(figure, "steps trained", steps)
    ax.set_xticks(range(0, len(steps), 2), [f"{step}" for step in steps[::2]])
    curves = {"training mode": (training, LOOKS["training mode"])}
    looks = (LOOKS["evaluation mode"], dict(color=INK, ls="-.", marker="v"))
    for (name, values), look in zip(evaluation.items(), looks, strict=True):
        curves[f"evaluation mode,\n{name}"] = values, look
    for name, (values, look) in curves.items():
        ax.plot(values, lw=0.8, **{**look, "marker": ""})
        ax.plot(values.mean(axis=1), ms=7, label=name, **look)
    _legend(ax, f"mean of {training.shape[1]} networks;\nthin lines: each of them")
    show(
        figure, "The smaller the momentum, the later evaluation mode catches up with training mode."
    )


@styled
def show_small_batches(sizes: Sequence[int], with_bn: np.ndarray, without_bn: np.ndarray) -> None:
    """Test accuracy over the batch size of training, both (sizes, seeds), 0 to 1."""
    figure = new_figure(8.4, 3.6)
    ax = _accuracy_axes(figure, "images in a training batch", sizes)
    for name, values in (("with BN", with_bn), ("without BN", without_bn)):
        look = LOOKS[name]
        ax.plot(values.mean(axis=1), color=look["color"], ls=look["ls"])
        _dots(ax, name, values, -0.06 if name == "with BN" else 0.06)
    _legend(ax, f"a marker for each\nof {with_bn.shape[1]} seeds")
    show(
        figure, "With batches of two the network with BN hardly learns; from eight on it is ahead."
    )


@styled
def show_drift(
    images: np.ndarray, amounts: Sequence[float], curves: Mapping[str, np.ndarray]
) -> None:
    """Test accuracy over how much the images have faded: `images` (amounts, 64), one image as it
    fades; `curves` by name, (amounts, seeds) each, 0 to 1.
    """
    figure = new_figure(8.4, 4)
    ax = _accuracy_axes(figure, "share c of the ink that has faded", amounts)
    for shift, (name, values) in zip((0, -0.07, 0.07), curves.items(), strict=True):
        _curve(ax, name, values, shift)  # shifted, since two of them are the same
    ax.set(xlim=(-0.6, len(amounts) - 0.4), ylim=(0, 1.42))
    ax.spines["left"].set_bounds(0, 1)
    ax.yaxis.label.set_y(0.35)
    for place, image in enumerate(images):
        window = ax.inset_axes((place - 0.4, 1.1, 0.8, 0.3), transform=ax.transData)
        window.imshow(image.reshape(8, 8), cmap="Greys", vmin=-0.08, vmax=1)
        window.set_axis_off()
    _legend(ax, "mean ± std of\n3 networks")
    show(figure, "As the ink fades, evaluation mode gets worse; the batch statistics do not mind.")


@styled
def show_fine_tuning(cases: Sequence[str], frozen: np.ndarray, free: np.ndarray) -> None:
    """Test accuracy after fine-tuning with frozen BN and with BN in training mode, both (cases,
    seeds), 0 to 1.
    """
    figure = new_figure(8.4, 3.6)
    ax = _accuracy_axes(figure, "new task and batch size", cases)
    _dots(ax, "frozen BN", frozen, -0.12)
    _dots(ax, "BN in training mode", free, 0.12)
    ax.set_xlim(-0.5, len(cases) - 0.5)
    _legend(ax, f"a marker for each\nof {frozen.shape[1]} seeds")
    show(
        figure,
        "Frozen BN wins with tiny batches, and loses where the new images are too different.",
    )


def _accuracy_axes(figure: Figure, xlabel: str, ticks: Sequence) -> Axes:
    """Axes for accuracies 0 to 1 over places 0, 1, … that are labelled by `ticks`."""
    ax = figure.subplots()
    ax.axhline(0.1, color=INK, ls=":", lw=1.2, label="chance")
    ax.set(xlabel=xlabel, ylabel="accuracy", ylim=(0, 1.03))
    ax.set_xticks(range(len(ticks)), [f"{tick}" for tick in ticks])
    ax.set_yticks(np.arange(0, 1.1, 0.2), [f"{percent} %" for percent in range(0, 101, 20)])
    ax.grid(True, axis="y")
    return ax


def _curve(ax: Axes, name: str, values: np.ndarray, first: float = 0) -> None:
    """Mean and standard deviation of `values` (places, runs), the first of them at `first`."""
    places = first + np.arange(len(values))
    mean, std = values.mean(axis=1), values.std(axis=1)
    ax.errorbar(places, mean, std, label=name, ms=6, capsize=5, **LOOKS[name])


def _dots(ax: Axes, name: str, values: np.ndarray, shift: float) -> None:
    """Each of `values` (places, seeds) as a marker, `shift` to the right of its place."""
    look = {**LOOKS[name], "ls": ""}
    ax.plot(shift + np.arange(len(values)), values, ms=8, alpha=0.8, mec="white", **look)
    ax.plot([], [], label=name, **LOOKS[name])


def _legend(ax: Axes, title: str) -> None:
    look = dict(labelspacing=0.9, alignment="left")
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5), title=title, **look)


class Mosaic:
    """Up to `rows` × `columns` images of 8 × 8 pixels, side by side in fixed places."""

    GAP = -0.2  # paper is 0 and a little darker than this, so that each image has an edge

    def __init__(self, ax: Axes, rows: int, columns: int):
        self._shape = rows, columns
        blank = np.full((10 * rows, 10 * columns), self.GAP)
        look = dict(cmap="Greys", vmin=self.GAP, vmax=1, interpolation="nearest")
        self.artist = ax.imshow(blank, **look)
        ax.set_anchor("NW")
        ax.set_axis_off()

    def set(self, images: np.ndarray) -> None:
        """Show `images` (K, 64) with pixels from 0, paper, to 1, ink."""
        rows, columns = self._shape
        tiles = np.full((rows * columns, 10, 10), self.GAP)
        tiles[: len(images), 1:9, 1:9] = images.reshape(-1, 8, 8)
        grid = tiles.reshape(rows, columns, 10, 10).swapaxes(1, 2)
        self.artist.set_data(grid.reshape(10 * rows, 10 * columns))


class Answer:
    """One number per digit: bars for the mode that is on, ticks for the other mode, a ring around
    the true digit. `ylim` is fixed.
    """

    def __init__(self, ax: Axes, ylabel: str, ylim: tuple[float, float]):
        self._bars = ax.bar(range(10), np.zeros(10), width=0.72)
        tick = dict(ls="", marker="_", ms=15, mew=2.5, color=INK, label="the other mode")
        self._other = ax.plot(range(10), np.zeros(10), **tick)[0]
        under = offset_copy(ax.get_xaxis_transform(), ax.figure, 0, -11, units="points")
        ring = dict(marker="o", ms=19, mfc="none", mec=INK, mew=1.8, clip_on=False)
        self._true = ax.plot([0], [0], transform=under, **ring)[0]
        ax.axhline(0, color=INK, lw=1)
        ax.set(xticks=range(10), ylim=ylim, xlim=(-0.6, 9.6), ylabel=ylabel)
        ax.set_xlabel("digit (ring: the true one)", labelpad=8)
        ax.set_title(" ")  # keeps the place
        title = dict(fontsize=12, weight="bold", ha="left", va="baseline")
        place = offset_copy(ax.transAxes, ax.figure, 0, 6, units="points")
        self._title = ax.text(0, 1, "", transform=place, **title)
        ax.grid(True, axis="y")
        ax.legend(handles=[self._other], loc="upper right", borderpad=0.1)
        self.artists = [*self._bars, self._other, self._true, self._title]

    def set(self, values: np.ndarray, other: np.ndarray, true: int, evaluating: bool) -> None:
        """Show `values` (10,) of the mode that is on, and `other` (10,) of the other one."""
        for bar, height in zip(self._bars, values, strict=True):
            bar.set(height=height, facecolor=EVALUATION if evaluating else TRAINING)
        self._other.set_ydata(other)
        self._true.set_xdata([true])
        self._title.set_text(f"Its answer in {'evaluation' if evaluating else 'training'} mode")


class DigitStrip:
    """What is said in each of a number of draws, as a row of digits; wrong ones are in boxes."""

    def __init__(self, ax: Axes, draws: int):
        self._draws = np.arange(1, draws + 1)
        box = dict(ls="", marker="s", ms=21, color=WITHOUT_BN)
        self._boxes = ax.plot([], [], **box)[0]
        digit = dict(ls="", ms=11, mew=0)
        self._digits = [ax.plot([], [], marker=f"$\\mathbf{{{d}}}$", **digit)[0] for d in range(10)]
        ring = dict(marker="s", ms=27, mfc="none", mec=INK, mew=2.2)
        self._now = ax.plot([1], [0], **ring)[0]
        ax.set(xlim=(0.3, draws + 0.7), ylim=(-1, 1), yticks=[], xticks=self._draws)
        ax.set(xlabel="draw of batch-mates", title="What it says in each draw (box: wrong)")
        ax.spines["left"].set_visible(False)
        ax.tick_params(length=0)
        self.artists = [self._boxes, *self._digits, self._now]

    def set(self, said: np.ndarray, true: int, draw: int) -> None:
        """Show the digits `said` (draws,), with a frame around that of `draw`, from 1 on."""
        wrong = self._draws[said != true]
        self._boxes.set_data(wrong, np.zeros(len(wrong)))
        for digit, marks in enumerate(self._digits):
            places = self._draws[said == digit]
            marks.set_data(places, np.zeros(len(places)))
            marks.set_color(INK if digit == true else "white")
        self._now.set_xdata([draw])


class BatchMates:
    """One image, its batch-mates, the probabilities of its digits, and what is said in each of
    `draws` draws of batch-mates.
    """

    def __init__(self, figure: Figure, draws: int):
        grid = figure.add_gridspec(2, 3, width_ratios=(1, 1.35, 2.2), height_ratios=(4, 1))
        image, mates, answer = (figure.add_subplot(grid[0, column]) for column in range(3))
        image.set_title("The image")
        mates.set_title("Its batch-mates")
        self._image, self._mates = Mosaic(image, 1, 1), Mosaic(mates, 3, 3)
        self._answer = Answer(answer, "probability", (0, 1.2))
        answer.set_yticks([0, 0.5, 1], ["0 %", "50 %", "100 %"])
        self._strip = DigitStrip(figure.add_subplot(grid[1, :]), draws)
        place = dict(ha="center", va="top", fontsize=16, weight="bold", linespacing=1.3)
        self._verdict = image.text(0.5, -0.08, "", transform=image.transAxes, **place)
        self.artists = [self._image.artist, self._mates.artist, *self._answer.artists]
        self.artists += [self._verdict, *self._strip.artists]

    def set(
        self,
        batch: np.ndarray,
        probabilities: tuple[np.ndarray, np.ndarray],
        said: np.ndarray,
        true: int,
        draw: int,
        evaluating: bool,
    ) -> None:
        """Show `batch` (N, 64), the image first; the probabilities, each (10,), in training and in
        evaluation mode; the answers `said` (draws,) in the mode that is on; the `draw`, from 1 on.
        """
        self._image.set(batch[:1])
        self._mates.set(batch[1:])
        shown, other = probabilities[::-1] if evaluating else probabilities
        self._answer.set(shown, other, true, evaluating)
        right = said[draw - 1] == true
        self._verdict.set_text(f"says {said[draw - 1]}\n{'right' if right else 'WRONG'}")
        self._verdict.set_color(INK if right else WITHOUT_BN)
        self._strip.set(said, true, draw)


class TwoModes:
    """A batch, the logits of its first image in both modes, and the accuracy of both modes."""

    def __init__(self, figure: Figure):
        batch, logits, accuracy = figure.subplots(1, 3, width_ratios=(1.45, 1.9, 1.05))
        batch.set_title("The batch")
        self._batch = Mosaic(batch, 8, 8)
        frame = Rectangle((-0.3, -0.3), 9.6, 9.6, fc="none", ec=WITHOUT_BN, lw=2)
        batch.add_patch(frame)
        batch.text(0, -0.03, "framed: the image that\nis asked about", transform=batch.transAxes,
                   va="top", color=WITHOUT_BN)  # fmt: skip
        self._logits = Answer(logits, "logit", (-11, 13))
        logits.set_yticks(range(-10, 11, 5))
        self._bars = accuracy.bar([0, 1], [0, 0], width=0.75, color=[TRAINING, EVALUATION])
        look = dict(ha="center", va="bottom", weight="bold")
        self._numbers = [accuracy.text(place, 0, "", **look) for place in (0, 1)]
        accuracy.axhline(0.1, color=INK, ls=":", lw=1.2)
        accuracy.set(ylim=(0, 1.2), title="Test accuracy", xlim=(-0.6, 1.6), xlabel="mode")
        accuracy.set_xticks([0, 1], ["training", "evaluation"], fontsize=9.5)
        accuracy.set_yticks([0.1, 0.5, 1], ["chance", "50 %", "100 %"])
        self.artists = [self._batch.artist, frame, *self._logits.artists]
        self.artists += [*self._bars, *self._numbers]

    def set(
        self,
        batch: np.ndarray,
        logits: tuple[np.ndarray, np.ndarray],
        accuracies: tuple[float, float],
        true: int,
        evaluating: bool,
    ) -> None:
        """Show `batch` (N, 64), the image first, its logits, each (10,), and the accuracies, 0 to
        1, in training and in evaluation mode.
        """
        self._batch.set(batch)
        shown, other = logits[::-1] if evaluating else logits
        self._logits.set(shown, other, true, evaluating)
        parts = zip(self._bars, self._numbers, accuracies, strict=True)
        for mode, (bar, number, accuracy) in enumerate(parts):
            bar.set(height=accuracy, alpha=1 if mode == evaluating else PALE)
            number.set(text=f"{accuracy:.0%}".replace("%", " %"), y=accuracy + 0.01)
