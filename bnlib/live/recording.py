"""What explorers take from PyTorch: computed where there is PyTorch, played where there is none.

A web page has NumPy and no PyTorch. So an explorer asks here for what its trainings gave it. In
Python that is computed; while a page is built it is kept as well; and the page plays what was kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import product
from typing import Any

import numpy as np

_played: Mapping[str, Any] | None = None
_kept: dict[str, Any] | None = None


def play(recording: Mapping[str, Any] | None) -> None:
    """Let explorers that are made from now on take what they need from `recording`.

    Args:
        recording: name → what was kept under it; None to compute again.
    """
    global _played
    _played = recording


def is_played() -> bool:
    """Whether explorers play a recording, and there is no PyTorch."""
    return _played is not None


@contextmanager
def kept() -> Iterator[dict[str, Any]]:
    """Keep what the explorers that are made in this context take, by name."""
    global _kept
    _kept = {}
    try:
        yield _kept
    finally:
        _kept = None


def recorded(name: str, make: Callable[[], Any], pack: Callable[[Any], Any] | None = None) -> Any:
    """Return what `make` makes, or what was kept of it.

    Args:
        name: of the recording, one for each use.
        make: called without arguments, and not at all where a recording is played.
        pack: makes of it what is kept, which has the same attributes and needs no PyTorch; None if
            that is what it is already.

    Raises:
        KeyError: what is played holds no such name.
    """
    if _played is not None:
        return _played[name]
    value = make()
    if _kept is not None:
        _kept[name] = pack(value) if pack else value
    return value


def table(
    name: str,
    compute: Callable[..., Any],
    *arguments: Iterable,
) -> Callable[..., Any]:
    """Return `compute`, or a function that has kept what it returned for each of its arguments.

    Args:
        name: of the recording, one for each use.
        compute: called with positional arguments only.
        arguments: all values that each of its arguments can have.

    Raises:
        KeyError: what is played holds no such name.
    """
    if _played is not None:
        places, values = _played[name]
        return lambda *chosen: values[places[chosen]]
    if _kept is not None:
        every = [*product(*arguments)]
        values = [compute(*chosen) for chosen in every]
        shapes = {getattr(value, "shape", None) for value in values}
        if len(shapes) == 1 and None not in shapes:
            values = np.stack(values)  # thousands of small arrays would take far more room
        _kept[name] = {chosen: place for place, chosen in enumerate(every)}, values
    return compute
