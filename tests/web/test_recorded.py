"""Explorers say in a page what they say in Jupyter, in the same Python that the page runs.

What comes from PyTorch is a recording there. Four of them round the inputs of units, to 1/63 of
their range; then a number of the line may differ by one in its last digit. All else is the same.
"""

import json
import re
import subprocess

import pytest

from tests.conftest import NOTEBOOKS
from tests.tools.found import EXPLORERS
from tests.tools.site import parts
from web.build import CACHE
from web.recordings import record

MODULES = {make.__name__: make.__module__ for make in EXPLORERS}
LESSONS = sorted(NOTEBOOKS.glob("*.ipynb"))
LAST_DIGIT = {  # of what is said of the inputs of units; all others say the same to the last digit
    "covariate_shift_explorer": 0.01,
    "activations_explorer": 0.01,
    "noise_explorer": 0.1,
    "own_training_explorer": 0.1,
}


def words_and_numbers(line: str) -> tuple[str, list[float]]:
    number = r"-?\d+(?:\.\d+)?(?:e-?\d+)?"
    return re.sub(number, "#", line), [float(n) for n in re.findall(number, line)]


@pytest.mark.parametrize("notebook", LESSONS, ids=lambda path: path.stem)
def test_an_explorer_says_the_same_in_a_page(site, notebook):
    said = record(notebook, CACHE / "recordings").said
    assert said
    file = parts() / "recordings" / f"{notebook.stem}.bin"
    names = [f"{MODULES[name]}.{name}" for name in said]
    script = str(NOTEBOOKS.parent / "tests" / "web" / "lines.mjs")
    command = ["node", script, str(parts()), str(file) if file.exists() else "", *names]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    in_page = json.loads(done.stdout.splitlines()[-1])
    for name, lines in said.items():
        for line, other in zip(lines, in_page[name], strict=True):
            (words, numbers), (other_words, others) = map(words_and_numbers, (line, other))
            assert other_words == words, name
            assert others == pytest.approx(numbers, abs=1.001 * LAST_DIGIT.get(name, 0)), (
                name,
                line,
            )


def test_recordings_are_small(site):
    files = [*(parts() / "recordings").iterdir()]
    assert files
    for file in files:
        assert file.stat().st_size <= 3e6, file.name
