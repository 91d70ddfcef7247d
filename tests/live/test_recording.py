"""What explorers take from PyTorch: computed, kept, and played."""

import numpy as np
import pytest

from bnlib.live import recording
from bnlib.live.recording import is_played, kept, play, recorded, table


@pytest.fixture(autouse=True)
def nothing_is_played():
    yield
    play(None)


def forbidden(*arguments):
    raise AssertionError("this needs PyTorch")


def test_without_more_it_is_computed():
    assert not is_played()
    assert recorded("a", lambda: 3) == 3
    assert table("b", lambda x: x * 2, range(3))(2) == 4


def test_what_is_kept_is_played():
    with kept() as keeping:
        assert recorded("a", lambda: {"x": 1}, pack=lambda value: [*value]) == {"x": 1}
        shares = table("b", lambda name, step: np.full(3, len(name) + step), "ab", range(2))
    assert (shares("a", 1) == 2).all()
    play(keeping)
    assert is_played()
    assert recorded("a", forbidden) == ["x"]
    played = table("b", forbidden, "ab", range(2))
    assert (played("b", 0) == 1).all() and (played("a", 1) == 2).all()


def test_values_of_different_shapes_are_kept_as_they_are():
    with kept() as keeping:
        table("rows", np.ones, range(1, 4))
        table("words", str, range(3))
    play(keeping)
    assert [table("rows", forbidden, range(1, 4))(n).shape for n in (1, 3)] == [(1,), (3,)]
    assert table("words", forbidden, range(3))(2) == "2"


def test_nothing_is_kept_afterwards():
    with kept() as keeping:
        pass
    recorded("late", lambda: 1)
    assert keeping == {} and recording._kept is None


def test_what_was_not_kept_cannot_be_played():
    play({})
    with pytest.raises(KeyError, match="missing"):
        recorded("missing", forbidden)
    with pytest.raises(KeyError, match="missing"):
        table("missing", forbidden, range(2))
