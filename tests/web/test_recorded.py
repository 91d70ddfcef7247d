"""Explorers that play what was recorded say what they say with PyTorch, and need none of it."""

from tests.explorers.test_explorers import other_values

WITHOUT_TORCH = """
import pickle, sys, zlib
sys.modules["torch"] = None  # so that an import of it fails
from bnlib.live import recording
recording.play(pickle.loads(zlib.decompress(open(sys.argv[1], "rb").read())))
"""


def settings(explorer):
    """Each control at a few of its values, the others where they start."""
    for name, control in explorer.controls.items():
        for value in [] if control.disabled else other_values(control):
            yield {name: value}
