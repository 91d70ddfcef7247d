"""Figures: how all pictures look, how one is encoded and shown, and one whose artists move.

No pyplot: a figure is an object that is drawn and encoded here, so nothing depends on a backend,
and nothing stays in memory after the cell that showed it.
"""

from __future__ import annotations

import inspect
import io
from collections.abc import Callable
from functools import wraps
from typing import Any

import matplotlib
import numpy as np
from IPython.display import display
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

INK = "#333333"  # of all text and axes
CSS_DPI = 100  # a figure of width 8.4 is shown 840 CSS pixels wide,
PIXEL_RATIO = 1.5  # and drawn finer than that, so that text is crisp on a projector

STYLE: Any = {  # matplotlib has a type for its keys
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
# As a decorator: everything a function draws has this style, and the reader's own settings stay
# as they are.
styled = matplotlib.rc_context(STYLE)


@styled
def new_figure(width: float = 8.4, height: float = 3.4) -> Figure:
    """Make an empty figure, `width` × `height` hundred CSS pixels, with a canvas of its own."""
    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)
    return figure


def encode(canvas: FigureCanvasAgg) -> bytes:
    """Return what is on the canvas, PNG bytes, little compressed: a dragged slider waits for it."""
    png = io.BytesIO()
    image = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    reduce_colours(image).save(png, "png", compress_level=1)
    return png.getvalue()


def reduce_colours(image: Image.Image) -> Image.Image:
    """Give an RGB image 256 colours chosen for it: a PNG of half the bytes, in half the time."""
    # Chosen from every second pixel of every second row: the choice is what takes the time.
    sample = image.resize((image.width // 2, image.height // 2), Image.Resampling.NEAREST)
    chosen = sample.quantize(256, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    palette = chosen.getpalette()
    assert palette is not None  # "P" is what quantize makes
    # The choice rounds white down to 254, which shows as a grey box on a white page.
    chosen.putpalette([255 if level > 252 else level for level in palette])
    return image.quantize(palette=chosen, dither=Image.Dither.NONE)


def css_width(figure: Figure) -> int:
    """Return how many CSS pixels wide `figure` is shown."""
    return round(figure.get_figwidth() * CSS_DPI)


def display_png(figure: Figure, png: bytes, text: str, **options) -> None:
    """Show `png`, a picture of `figure`, under the cell.

    Args:
        figure: gives the width at which it is shown.
        png: PNG bytes.
        text: stands for the picture where none can be shown.
        options: those of IPython's `display`.
    """
    data = {"image/png": png, "text/plain": text}
    display(data, raw=True, metadata={"image/png": {"width": css_width(figure)}}, **options)


def picture(height: float = 3.4) -> Callable[[Callable[..., str]], Callable[..., None]]:
    """Make a picture of a function that draws on an empty figure and returns the picture's words.

    The result is called without the figure, and shows the picture under the cell, with the words
    for readers and places that cannot see it.

    Args:
        height: of the figure, in hundreds of CSS pixels; it is 840 wide.
    """

    def decorate(draw: Callable[..., str]) -> Callable[..., None]:
        @wraps(draw)
        @styled
        def show(*args, **kwargs) -> None:
            figure = new_figure(height=height)
            words = draw(figure, *args, **kwargs)
            canvas = figure.canvas
            assert isinstance(canvas, FigureCanvasAgg)
            canvas.draw()
            display_png(figure, encode(canvas), words)

        signature = inspect.signature(draw)
        _, *parameters = signature.parameters.values()
        new = signature.replace(parameters=parameters, return_annotation=None)
        show.__signature__ = new  # type: ignore[attr-defined]  # where inspect looks for it
        return show

    return decorate


class LiveFigure:
    """A figure whose static part is drawn once; only artists that have moved are drawn again.

    Draw on `figure`, then name the artists that will move with `moves`, those that seldom do first:
    each picture is drawn from the first one on that has moved. Axis limits, ticks and legends are
    part of the static picture and stay put.

    Args:
        width: in hundreds of CSS pixels.
        height: likewise.
    """

    def __init__(self, width: float = 8.4, height: float = 3.4):
        self.figure = new_figure(width, height)
        self._moving: list[Artist] = []
        self._static: Any = None
        self._settled = 0  # so many artists have not moved for a while:
        self._background: Any = None  # they and the static picture

    def moves(self, *artists: Artist) -> None:
        """Take `artists` out of the static picture; later ones are drawn on top of earlier ones.

        They leave the layout too, which must not depend on where they happen to be at first.
        """
        for artist in artists:
            artist.set_animated(True)
            artist.set_in_layout(False)
        self._moving.extend(artists)

    def png(self) -> bytes:
        """Return the picture as it is now, PNG bytes."""
        canvas = self.figure.canvas
        assert isinstance(canvas, FigureCanvasAgg)
        if self._static is None:
            canvas.draw()
            self.figure.set_layout_engine("none")  # the layout is settled: axes must not jump
            self._static = self._background = canvas.copy_from_bbox(self.figure.bbox)
        count = len(self._moving)
        first = next((place for place in range(count) if self._moving[place].stale), count)
        if first < self._settled:
            self._settled, self._background = 0, self._static
        canvas.restore_region(self._background)
        self._draw(self._settled, first)
        if first > self._settled:
            self._settled, self._background = first, canvas.copy_from_bbox(self.figure.bbox)
        self._draw(first, count)
        return encode(canvas)

    def _draw(self, start: int, stop: int) -> None:
        """Draw the moving artists from place `start` on, before `stop`."""
        for artist in self._moving[start:stop]:
            self.figure.draw_artist(artist)
            artist.stale = False  # an invisible or empty one leaves that to us
