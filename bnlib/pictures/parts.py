"""Pictures: functions that draw on a given Axes, and the look that all pictures share.

No pyplot: a figure is an object that is drawn and encoded here, so nothing depends on a backend,
and nothing stays in memory after the cell that showed it. Nothing here imports torch.
"""

import io
from collections.abc import Sequence

import matplotlib
import numpy as np
from IPython.display import display
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.patches import FancyBboxPatch, Polygon, Rectangle
from PIL import Image

# Okabe & Ito (2008), a set that colour-blind readers can tell apart. Each colour has one meaning
# everywhere, and wherever two of them meet, a line style, a marker or a label tells them apart as
# well.
WITH_BN = "#0072B2"
WITHOUT_BN = "#D55E00"
ACCENT = "#009E73"
INK = "#333333"
FAINT = "#B8B8B8"
FOUR = ("#56B4E9", "#E69F00", "#009E73", "#CC79A7")  # for categories, always with a label

PEAK = "examples\n(peak = 1)"

CSS_DPI = 100  # a figure of width 8.4 is shown 840 CSS pixels wide,
PIXEL_RATIO = 1.5  # and drawn finer than that, so that text is crisp on a projector

STYLE = {
    "figure.dpi": CSS_DPI * PIXEL_RATIO,
    "figure.constrained_layout.use": True,
    "figure.constrained_layout.h_pad": 0.06,
    "figure.constrained_layout.w_pad": 0.08,
    "font.size": 11,
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": "#E6E6E6",
    "lines.linewidth": 2,
    "legend.frameon": False,
    "legend.fontsize": 10,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "image.cmap": "cividis",
}
# As a decorator: everything a function draws has this look, and the reader's own settings stay as
# they are.
styled = matplotlib.rc_context(STYLE)


@styled
def new_figure(width: float = 8.4, height: float = 3.4) -> Figure:
    """An empty figure, `width` × `height` hundred CSS pixels, with an Agg canvas and without
    pyplot.
    """
    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)
    return figure


def encode(canvas: FigureCanvasAgg) -> bytes:
    """What is on the canvas, PNG bytes; little compressed, since a dragged slider waits for it."""
    png = io.BytesIO()
    image = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    reduce_colours(image).save(png, "png", compress_level=1)
    return png.getvalue()


def reduce_colours(image: Image.Image) -> Image.Image:
    """An RGB image in 256 colours chosen for it: half the time and the bytes of a PNG in all."""
    reduced = image.quantize(256, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    # The choice rounds white down to 254, which shows as a grey box on a white page.
    reduced.putpalette([255 if level > 252 else level for level in reduced.getpalette()])
    return reduced


def css_width(figure: Figure) -> int:
    """How many CSS pixels wide `figure` is shown."""
    return round(figure.get_figwidth() * CSS_DPI)


def display_png(figure: Figure, png: bytes, text: str, **options) -> None:
    """Show `png`, a picture of `figure`, under the cell. `text` stands for it where pictures cannot
    be shown; `options` are those of IPython's `display`.
    """
    data = {"image/png": png, "text/plain": text}
    display(data, raw=True, metadata={"image/png": {"width": css_width(figure)}}, **options)


def show(figure: Figure, text: str) -> None:
    """Draw `figure` and show it under the cell."""
    figure.canvas.draw()
    display_png(figure, encode(figure.canvas), text)


@styled
def show_shared_statistics(n: int, c: int, h: int, w: int) -> None:
    """An image batch (n, c, h, w) entry by entry: the entries of one column of maps share a mean
    and a variance.
    """
    figure = new_figure(8.4, 4.2)
    ax = figure.subplots()
    for channel in range(c):
        left = channel * (w + 1.6)
        for image in range(n):
            bottom = (n - 1 - image) * (h + 0.8)
            for cell in np.ndindex(h, w):
                corner = (left + cell[1], bottom + cell[0])
                ax.add_patch(Rectangle(corner, 1, 1, fc=FOUR[channel % 4], ec="white", lw=1.5))
            if channel == 0:
                ax.text(-1.2, bottom + h / 2, f"image {image + 1}", ha="right", va="center")
        top = n * (h + 0.8) - 0.4
        frame = dict(boxstyle="round,pad=0,rounding_size=0.4", fc="none", ec=INK, lw=1.5)
        ax.add_patch(FancyBboxPatch((left - 0.4, -0.4), w + 0.8, top + 0.4, **frame))
        ax.text(left + w / 2, top + 0.4, f"channel {channel + 1}", ha="center", va="bottom")
        share = f"$\\mu_{channel + 1}, \\sigma^2_{channel + 1}$\nof {n * h * w} entries"
        ax.text(left + w / 2, -0.8, share, ha="center", va="top", linespacing=1.4)
    ax.set(xlim=(-6, c * (w + 1.6)), ylim=(-3.6, top + 2), aspect="equal")
    ax.set_axis_off()
    show(
        figure, f"{n} images by {c} channels; all {n * h * w} entries of a channel share one mean."
    )


@styled
def show_epsilon(before: np.ndarray, after: np.ndarray, eps: float) -> None:
    """Variances after BN over the variances before (both (K,)), with the formula as a line; log
    x-axis.
    """
    figure = new_figure(8.4, 3.2)
    ax = figure.subplots()
    fine = np.logspace(np.log10(before[0]), np.log10(before[-1]), 200)
    ax.semilogx(fine, fine / (fine + eps), color=INK, label="σ² / (σ² + ε)")
    ax.semilogx(before, after, "o", color=WITH_BN, label="measured")
    ax.axvline(eps, color=WITHOUT_BN, ls="--", label=f"σ² = ε = {eps:g}")
    ax.set(xlabel="variance σ² of the feature before BN", ylabel="variance after BN")
    ax.grid(True)
    ax.legend(loc="upper left")
    show(
        figure,
        "The variance after BN rises from 0 to 1 and passes one half where it equals epsilon.",
    )


@styled
def show_backward_graph() -> None:
    """The computation graph of BN: every path from x to y."""
    figure = new_figure(8.4, 2.8)
    ax = figure.subplots()
    nodes = {
        "x": (0, 0), "μ": (1.5, 1.2), "σ²": (3.7, 1.2), "x̂": (5.4, 0), "y": (7.2, 0),
        "γ, β": (7.2, 1.2),
    }  # fmt: skip
    paths = {
        INK: [("x", "x̂"), ("x̂", "y"), ("γ, β", "y")],
        WITH_BN: [("x", "μ"), ("μ", "x̂")],
        WITHOUT_BN: [("x", "σ²"), ("μ", "σ²"), ("σ²", "x̂")],
    }
    for colour, arrows in paths.items():
        arrow = dict(
            arrowstyle="-|>", mutation_scale=18, color=colour, lw=2, shrinkA=20, shrinkB=20
        )
        for start, end in arrows:
            ax.annotate("", nodes[end], nodes[start], arrowprops=arrow)
    ax.text(2.7, -0.12, "directly", color=INK, ha="center", va="top")
    ax.text(0.6, 0.72, "through\nthe mean", color=WITH_BN, ha="right", va="center")
    ax.text(4.75, 0.72, "through\nthe variance", color=WITHOUT_BN, ha="left", va="center")
    for name, position in nodes.items():
        ax.text(*position, name, ha="center", va="center", fontsize=15, zorder=3,
                bbox=dict(boxstyle="circle,pad=0.45", fc="white", ec=INK, lw=1.5))  # fmt: skip
    ax.set(xlim=(-0.6, 7.9), ylim=(-0.5, 1.75))
    ax.set_axis_off()
    show(figure, "Paths from x to y: direct, through the mean, through the variance.")


@styled
def show_descent(path: Sequence[tuple[float, float]], goal: tuple[float, float]) -> None:
    """γ and β over the steps of gradient descent: `path` holds a pair (γ, β) per step, `goal` the
    wanted pair.
    """
    figure = new_figure(8.4, 3.2)
    ax = figure.subplots()
    looks = (("γ toward √(σ² + ε)", WITH_BN, "-"), ("β toward μ", WITHOUT_BN, "-."))
    for (name, colour, line), values, end in zip(looks, zip(*path, strict=True), goal, strict=True):
        ax.axhline(end, color=colour, ls=":", lw=1.5)
        ax.plot(values, line, color=colour)
        place = dict(ha="right", va="bottom", transform=ax.get_yaxis_transform())
        ax.text(0.98, end + 0.05, f"{name} = {end:.2f}", color=colour, **place)
    ax.set(xlabel="step of gradient descent", ylabel="value", ylim=(-0.1, max(goal) + 0.5))
    ax.grid(True)
    show(figure, f"Gamma and beta approach {goal[0]:.2f} and {goal[1]:.2f} and stay there.")


@styled
def show_straight_share(gammas: Sequence[float], shares: np.ndarray) -> None:
    """Share of a layer's output that a linear map explains, over γ: `shares` (seeds, gammas, 2
    layers), 0 to 1.
    """
    figure = new_figure(8.4, 3.2)
    ax = figure.subplots()
    looks = (("first layer", WITH_BN, "-", "o"), ("second layer", WITHOUT_BN, "--", "s"))
    for layer, (name, colour, line, marker) in enumerate(looks):
        of_layer = 100 * shares[:, :, layer]
        ax.semilogx(gammas, of_layer.mean(axis=0), line, color=colour, label=name)
        ax.semilogx(gammas, of_layer.T, marker, color=colour, ms=5)
    ax.axvline(1, color=FAINT, zorder=0)
    ax.set(xlabel="γ", ylabel="explained by a linear map, %", ylim=(50, 102))
    ax.set_xticks(gammas, [f"{gamma:g}" for gamma in gammas])
    ax.minorticks_off()
    ax.grid(True, axis="y")
    ax.legend(loc="lower left", title=f"a marker for each of {len(shares)} seeds")
    show(figure, "The larger gamma, the less of the layers' output a linear map explains.")


@styled
def show_gamma_and_beta(gammas: np.ndarray, betas: np.ndarray, sigmas: np.ndarray) -> None:
    """γ and β of every unit, layer by layer, each (layers, units); `sigmas` are the γ that would
    undo BN.
    """
    figure = new_figure(8.4, 3.6)
    left, right = figure.subplots(1, 2)
    jitter = np.random.default_rng(0).uniform(-0.28, 0.28, gammas.shape[1])
    for ax, values, name, start in ((left, gammas, "γ", 1), (right, betas, "β", 0)):
        ax.axhline(start, color=INK, ls="--", lw=1.5, label=f"start, {name} = {start}")
        for layer, of_layer in enumerate(values, start=1):
            label = f"{name} of a unit" if layer == 1 else None
            ax.plot(layer + jitter, of_layer, "o", ms=4, alpha=0.6, color=WITH_BN, label=label)
        layers = range(1, len(values) + 1)
        ax.set(xlabel="hidden layer", ylabel=name, title=f"{name} after training", xticks=layers)
        ax.grid(True, axis="y")
    for layer, of_layer in enumerate(sigmas, start=1):
        label = "σ: would undo BN" if layer == 1 else None
        left.plot(layer + jitter, of_layer, "x", ms=3, color=WITHOUT_BN, label=label)
    left.set_ylim(0, 2.3)
    right.set_ylim(-0.3, 0.42)
    for ax in (left, right):
        ax.legend(loc="upper left", ncols=2, columnspacing=1, handletextpad=0.4)
    show(
        figure, "Gamma and beta of every unit after training, layer by layer, and the start values."
    )


def activation_image(ax: Axes, activations: np.ndarray, labels: np.ndarray) -> AxesImage:
    """Activations (N, C) in [0, 1] of N examples sorted by label, as an image: a row for each
    example, a column for each unit. `labels` (N,) are written at the middle of their rows.
    """
    image = ax.imshow(activations, vmin=0, vmax=1, aspect="auto", interpolation="nearest")
    groups = np.unique(labels)
    middles = [np.flatnonzero(labels == label).mean() for label in groups]
    ax.set(yticks=middles, yticklabels=groups, xlabel="unit of the last layer", ylabel="digit")
    ax.set_title("What the last layer says")
    ax.tick_params(length=0)
    ax.figure.colorbar(image, ax=ax, label="activation", ticks=[0, 0.5, 1], pad=0.02)
    return image


def spread_by_layer(ax: Axes, with_bn: Sequence[float], without_bn: Sequence[float]) -> Line2D:
    """How much the answers of each layer differ over the batch, on a log axis; both sequences have
    one positive number per layer. Returns a ring that marks one of them.
    """
    layers = range(1, len(with_bn) + 1)
    ax.semilogy(layers, with_bn, "o-", color=WITH_BN, ms=5, label="with BN")
    ax.semilogy(layers, without_bn, "s--", color=WITHOUT_BN, ms=5, label="without BN")
    ax.set(xlabel="layer", ylabel="spread over the batch", xlim=(0.5, len(layers) + 0.5))
    ax.set_title("How much the answers differ")
    ax.grid(True)
    ax.legend(loc="lower left")
    return ax.plot([], [], "o", ms=15, mfc="none", mec=INK, mew=2.5)[0]


class BatchMap:
    """A batch above, its normalized values below, a line from each value to what becomes of it.

    The band leads from μ ± σ above to ±1 below. Outputs of the first `set` stay marked by rings:
    the ghosts show how far each output has moved since. `largest`: the end of the upper axis, which
    starts at 0.
    """

    REACH = 2.2  # five values cannot get further than 2 standard deviations from their mean

    def __init__(self, ax: Axes, largest: float):
        self._largest = largest
        ax.set(xlim=(-1, largest + 1), ylim=(-0.12, 1.12), yticks=[], xlabel="x, the batch")
        ax.spines[["left", "bottom"]].set_visible(False)
        ax.spines["top"].set_visible(True)
        ax.xaxis.tick_top()
        ax.xaxis.set_label_position("top")
        below = ax.secondary_xaxis("bottom", functions=(self._to_x_hat, self._from_x_hat))
        below.set_xlabel("x̂, the batch after normalization")
        below.set_ticks([-2, -1, 0, 1, 2])
        band = dict(closed=True, color=ACCENT, alpha=0.15, lw=0, label="μ ± σ becomes ±1")
        self._band = ax.add_patch(Polygon(np.zeros((4, 2)), **band))
        self._mean = ax.plot([0, 0], [1, 0], "--", color=ACCENT, label="μ becomes 0")[0]
        self._lines = [ax.plot([0, 0], [1, 0], "-", color=FAINT, lw=1.5)[0] for _ in range(5)]
        rings = dict(
            ls="", marker="o", ms=15, mfc="none", mec=INK, mew=1, label="outputs at the start"
        )
        self._ghosts = ax.plot([], [], **rings)[0]
        disc = dict(boxstyle="circle,pad=0.35", fc=WITH_BN, ec="none")
        look = dict(bbox=disc, ha="center", va="center", color="white", fontsize=9, weight="bold")
        self._values = [ax.text(0, 0, f"{i % 5 + 1}", **look) for i in range(10)]
        explained = [self._band, self._mean, self._ghosts]
        ax.legend(handles=explained, loc="center left", bbox_to_anchor=(1, 0.5))
        self.artists = [self._band, self._mean, *self._lines, self._ghosts, *self._values]

    def set(self, x: np.ndarray, x_hat: np.ndarray, mu: float, sigma: float) -> None:
        """Show the batch `x` (5,), its normalized values `x_hat` (5,), and its mean and standard
        deviation.
        """
        ends = np.append(x, self._from_x_hat(x_hat))
        heights = np.repeat([1, 0], 5)
        left, right = self._from_x_hat(np.array([-1, 1]))
        self._band.set_xy([(mu - sigma, 1), (mu + sigma, 1), (right, 0), (left, 0)])
        self._mean.set_xdata([mu, self._from_x_hat(0)])
        for line, above, below in zip(self._lines, ends[:5], ends[5:], strict=True):
            line.set_xdata([above, below])
        if not len(self._ghosts.get_xdata()):
            self._ghosts.set_data(ends[5:], heights[5:])
        for value, *position in zip(self._values, ends, heights, strict=True):
            value.set_position(position)

    def _to_x_hat(self, x):
        return (2 * x / self._largest - 1) * self.REACH

    def _from_x_hat(self, x_hat):
        return (x_hat / self.REACH + 1) * self._largest / 2


def _heights(sample: np.ndarray, bins: np.ndarray) -> np.ndarray:
    """Histogram of `sample`, as a share of its highest bar, so that a spike fits on the same axis
    as a broad one.
    """
    counts, _ = np.histogram(sample, bins)
    return counts / max(counts.max(), 1)


class ThreeHistograms:
    """The distribution of a feature x, of x̂ and of y = γ x̂ + β in one Axes, on fixed bins from -8
    to 12.
    """

    BINS = np.linspace(-8, 12, 81)

    def __init__(self, ax: Axes):
        filled = dict(fill=True, fc=FAINT, ec="none", label="x")
        solid = dict(fill=False, ec=WITH_BN, lw=2.5, label="y = γ x̂ + β")
        dotted = dict(fill=False, ec=INK, ls=":", lw=2, label="x̂")
        self.artists = [ax.stairs(np.zeros(80), self.BINS, **k) for k in (filled, solid, dotted)]
        ax.set(xlim=(-8, 12), ylim=(0, 1.25), xlabel="value", ylabel=PEAK)
        ax.set_yticks([])
        ax.set_xticks(range(-8, 13, 4))
        ax.set_title("Distribution over the batch")
        ax.legend(loc="upper center", ncols=3)

    def set(self, x: np.ndarray, x_hat: np.ndarray, y: np.ndarray) -> None:
        """Show three samples, each (N,)."""
        for artist, sample in zip(self.artists, (x, y, x_hat), strict=True):
            artist.set_data(_heights(sample, self.BINS))


class OutputOverInput:
    """y over x for one batch, with the diagonal on which y = x."""

    def __init__(self, ax: Axes):
        ax.plot([-8, 12], [-8, 12], "--", color=FAINT)
        ax.text(11.8, 8.8, "y = x", ha="right", va="top")
        dots = ax.plot([], [], "o", ms=4, color=WITH_BN)[0]
        ax.set(xlim=(-1, 12), ylim=(-8, 12), xlabel="x", ylabel="y", title="y over x")
        ax.set(xticks=range(0, 13, 4), yticks=range(-8, 13, 4))
        ax.grid(True)
        self.artists = [dots]

    def set(self, x: np.ndarray, y: np.ndarray) -> None:
        """Show the pairs of `x` (N,) and `y` (N,)."""
        self.artists[0].set_data(x, y)


class SigmoidUnderLoad:
    """A sigmoid's curve with a batch on it, the distribution of its inputs below, of its outputs on
    the right.
    """

    IN_BINS, OUT_BINS = np.linspace(-8, 8, 81), np.linspace(0, 1, 41)

    def __init__(self, figure: Figure):
        grid = figure.add_gridspec(2, 2, width_ratios=(2.2, 1), height_ratios=(1.7, 1))
        curve = figure.add_subplot(grid[0, 0])
        below = figure.add_subplot(grid[1, 0], sharex=curve)
        beside = figure.add_subplot(grid[0, 1], sharey=curve)
        self._regions(curve, below)
        y = np.linspace(-8, 8, 201)
        curve.plot(y, 1 / (1 + np.exp(-y)), color=INK)
        curve.set(xlim=(-8, 8), ylim=(-0.02, 1.02), yticks=[0, 0.5, 1], ylabel="sigmoid(y)")
        curve.tick_params(labelbottom=False)
        below.set(ylim=(0, 1.1), yticks=[], xlabel="y, the input of the sigmoid", ylabel=PEAK)
        below.set_xticks(range(-8, 9, 2))
        beside.set(xlim=(0, 1.1), xticks=[], xlabel=PEAK)
        beside.set_title("What comes out", pad=9)
        dots = dict(ls="", marker="o", ms=7, color=WITH_BN, alpha=0.15, mew=0)
        bars = dict(fill=True, fc=WITH_BN)
        self._dots = curve.plot([], [], **dots)[0]
        self._inputs = below.stairs(np.zeros(80), self.IN_BINS, **bars)
        self._outputs = beside.stairs(np.zeros(40), self.OUT_BINS, orientation="horizontal", **bars)
        self.artists = [self._dots, self._inputs, self._outputs]

    def set(self, y: np.ndarray, outputs: np.ndarray) -> None:
        """Show the inputs `y` (N,) and the outputs (N,) of the sigmoid."""
        self._dots.set_data(y, outputs)
        self._inputs.set_data(_heights(y, self.IN_BINS))
        self._outputs.set_data(_heights(outputs, self.OUT_BINS))

    def _regions(self, *axes: Axes) -> None:
        for ax in axes:
            ax.axvspan(-1, 1, color=ACCENT, alpha=0.18, lw=0)
            for start in (-8, 3):
                ax.axvspan(start, start + 5, color=WITHOUT_BN, alpha=0.12, lw=0)
        names = ((-5.5, "flat end"), (0, "linear"), (5.5, "flat end"))
        for x, name in names:
            above = axes[0].get_xaxis_transform()
            axes[0].text(x, 1.04, name, transform=above, ha="center", va="bottom", weight="bold")
