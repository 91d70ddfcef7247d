"""What the pictures share."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_hex

from bnlib.experiments.runs import geometric_steps
from bnlib.live.figure import new_figure
from bnlib.pictures import parts
from bnlib.pictures.parts import GreyImage, Histogram, heights, rows_by_digit, step_axis

EDGES = np.linspace(-2, 2, 9)


@given(st.lists(st.floats(-100, 100), max_size=50))
def test_heights_are_those_of_numpy_with_what_lies_beyond_at_the_edges(sample):
    sample = np.array(sample)
    counts, _ = np.histogram(np.clip(sample, -2, 2), EDGES)
    inner = np.abs(sample[:, None] - EDGES).min(initial=1) > 1e-9  # rounding at an edge
    if inner:
        np.testing.assert_allclose(heights(sample, EDGES), counts / max(counts.max(), 1))
    assert heights(sample, EDGES).max() == (len(sample) > 0)


def test_nan_counts_nowhere():
    assert heights(np.array([np.nan, 0.1]), EDGES).sum() == 1


@pytest.mark.parametrize("upward", [False, True])
@pytest.mark.parametrize(
    ("sample", "beyond"),
    [
        ([0.0], []),
        ([-2.0, 2.0], []),
        ([-3.0], ["low"]),
        ([2.1, 0], ["high"]),
        ([-9, 9], ["low", "high"]),
    ],
)
def test_what_lies_beyond_the_last_bin_is_marked(sample, beyond, upward):
    ax = new_figure().subplots()
    histogram = Histogram(ax, EDGES, fill=True, fc=parts.SKY, upward=upward)
    histogram.set(np.array(sample))
    _, low, high = histogram.artists
    assert [name for name, mark in (("low", low), ("high", high)) if mark.get_visible()] == beyond
    places = [mark.get_xydata()[0][int(upward)] for mark in (low, high)]
    assert (
        places[0] < -2
        and places[1] > 2
        and [low.get_marker(), high.get_marker()] == (["v", "^"] if upward else ["<", ">"])
    )


def test_marks_have_the_colour_of_their_bars():
    ax = new_figure().subplots()
    filled = Histogram(ax, EDGES, fill=True, fc=parts.SKY, ec="none")
    outlined = Histogram(ax, EDGES, ec=parts.ORANGE)
    colours = [to_hex(histogram.artists[1].get_color()) for histogram in (filled, outlined)]
    assert colours == [parts.SKY.lower(), parts.ORANGE.lower()]


def test_a_grey_image_goes_from_white_to_black():
    image = GreyImage(new_figure().subplots(), 1, 5)
    image.set(np.array([[0, 1, np.nan, -3, 9]]))
    assert image.artist.get_array()[0, :, 0].tolist() == [255, 0, 255, 255, 0]


@pytest.mark.parametrize(
    ("steps", "labels"),
    [([0, 1, 2, 3], [0, 1, 3]), (geometric_steps(200, 16), [0, 1, 3, 10, 30, 100, 200])],
)
def test_steps_are_labelled_where_their_snapshots_lie(steps, labels):
    ax = new_figure().subplots()
    step_axis(ax, steps)
    assert [int(label.get_text()) for label in ax.get_xticklabels()] == labels
    assert ax.get_xticks()[-1] == len(steps) - 1


def test_labels_of_steps_do_not_overlap():
    ax = new_figure(4.2).subplots()
    step_axis(ax, [*range(40), 100, 1000])
    ax.figure.canvas.draw()
    boxes = [label.get_window_extent() for label in ax.get_xticklabels()]
    assert all(a.x1 < b.x0 for a, b in zip(boxes, boxes[1:], strict=False))


def test_rows_are_labelled_at_the_middle_of_each_digit():
    ax = new_figure().subplots()
    rows_by_digit(ax, np.array([0, 0, 0, 4, 4, 9]))
    assert ax.get_yticks().tolist() == [1, 3.5, 5]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["0", "4", "9"]


def test_a_meaning_has_a_colour_of_its_own():
    meanings = [parts.WITH_BN, parts.WITHOUT_BN, parts.EVALUATION, parts.TRAINING]
    others = [parts.SKY, parts.ORANGE, parts.YELLOW, parts.GREY, parts.INK]
    assert len({*meanings, *others}) == len(meanings) + len(others)
