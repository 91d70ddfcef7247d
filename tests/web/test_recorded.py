"""Explorers that play what was recorded say what they say with PyTorch, and need none of it.

The recordings are rounded: to 1/63 of the range of a unit's inputs, to 1/31 where the order of the
images is kept, and to half precision for feature maps. What that changes in a line is stated here.
"""

import json
import re
import subprocess
import sys

import pytest

from tests.conftest import NOTEBOOKS, ROOT
from web.build import CACHE
from web.recordings import packed, record

# How far a number of the line may be off; those that are not named say the same to the last digit.
OFF = {
    "covariate_shift_explorer": 0.02,
    "activations_explorer": 0.03,
    "noise_explorer": 0.1,
    "own_training_explorer": 0.1,
}
PLAYED = """
import importlib, json, pickle, sys, zlib
sys.modules["torch"] = None  # an import of it fails
from bnlib.live import recording
recording.play(pickle.loads(zlib.decompress(open(sys.argv[1], "rb").read())))
from tests.tools.found import EXPLORERS
from web.recordings import lines
made = {make.__name__: make for make in EXPLORERS}
print(json.dumps({name: lines(made[name]()) for name in sys.argv[2:]}))
"""
LESSONS = sorted(NOTEBOOKS.glob("*.ipynb"))


def words_and_numbers(line: str) -> tuple[str, list[float]]:
    number = r"-?\d+(?:\.\d+)?(?:e-?\d+)?"
    return re.sub(number, "#", line), [float(n) for n in re.findall(number, line)]


@pytest.mark.parametrize("notebook", LESSONS, ids=lambda path: path.stem)
def test_a_recording_says_what_the_lesson_says(notebook, tmp_path):
    recording = record(notebook, CACHE / "recordings")
    file = tmp_path / "recording"
    file.write_bytes(packed(recording.explorers))
    command = [sys.executable, "-c", PLAYED, str(file), *recording.said]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for name, played in json.loads(done.stdout).items():
        for line, other in zip(recording.said[name], played, strict=True):
            (words, expected), (other_words, numbers) = map(words_and_numbers, (line, other))
            assert other_words == words, name
            assert numbers == pytest.approx(expected, abs=OFF.get(name, 0)), (name, line)


@pytest.mark.parametrize("notebook", LESSONS, ids=lambda path: path.stem)
def test_a_recording_is_small(notebook):
    recording = record(notebook, CACHE / "recordings")
    assert len(packed(recording.explorers)) <= 3e6
