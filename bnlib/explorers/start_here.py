"""Lesson 00: what reaches the last layer of a deep sigmoid network, with and without BN."""

from __future__ import annotations

import ipywidgets as widgets

from bnlib.experiments.signal_propagation import propagate, spread, ten_of_each_digit
from bnlib.live.explorer import Explorer, Update
from bnlib.live.figure import LiveFigure
from bnlib.pictures.start_here import activation_image, spread_by_layer

MAX_DEPTH = 12


def depth_explorer() -> Explorer:
    """Make an explorer of the activations of the last layer for 100 digits: depth, and BN."""
    x, labels = ten_of_each_digit()
    layers = {bn: propagate(x, MAX_DEPTH, batch_norm=bn) for bn in (False, True)}
    spreads = {bn: [spread(activations) for activations in layers[bn]] for bn in layers}

    def draw(live: LiveFigure) -> Update:
        left, right = live.figure.subplots(1, 2, width_ratios=(1.15, 1))
        image = activation_image(left, layers[False][0], labels)
        of_bn, ring = spread_by_layer(right, spreads[True], spreads[False])
        live.moves(image, *of_bn, ring)

        def update(depth: int, batch_norm: bool) -> str:
            value = spreads[batch_norm][depth - 1]
            image.set_data(layers[batch_norm][depth - 1])
            for artist in of_bn:
                artist.set_visible(batch_norm)
            ring.set_data([depth], [value])
            return (
                f"Layer {depth} {'with' if batch_norm else 'without'} BN: from image to image, a "
                f"unit's activation differs by {value:.1g} (standard deviation over 100 images)."
            )

        return update

    controls = {
        "depth": widgets.IntSlider(6, 1, MAX_DEPTH, description="depth (layers)"),
        "batch_norm": widgets.Checkbox(False, description="batch normalization"),
    }
    return Explorer(draw, controls)
