"""ruff, over the code and the notebooks; mypy, over bnlib."""

import subprocess
import sys

import pytest

from tests.conftest import ROOT

TOOLS = [["ruff", "check", "--quiet", "."], ["ruff", "format", "--diff", "--quiet", "."], ["mypy"]]


@pytest.mark.parametrize("command", TOOLS, ids=" ".join)
def test_it_has_nothing_to_say(command):
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
