"""What a lesson's explorers and predictions took from PyTorch, kept for the lesson's page.

    python -m web.recordings NOTEBOOK FILE

The lesson is run as it stands, in a kernel of its own, and keeps it on the way.
"""

import hashlib
import pickle
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
from nbclient import NotebookClient

BEGIN = """\
from bnlib.live import recording as _recording
from bnlib.live.predictions import Predictions as _Predictions
_keeping = _recording.kept()
_kept, _asked, _compared = _keeping.__enter__(), {}, {}

def _keep_what_is_asked(kind):
    ask = getattr(_Predictions, kind)
    def keep(self, step, *arguments):
        _asked[step] = kind, arguments
        ask(self, step, *arguments)
    setattr(_Predictions, kind, keep)

for _kind in ("choice", "number", "curve"):
    _keep_what_is_asked(_kind)

_compare = _Predictions.compare

def _keep_comparison(self, step, truth, text, within=0):
    _compared[step] = truth, text, within
    _compare(self, step, truth, text, within)

_Predictions.compare = _keep_comparison

from tests.tools.found import EXPLORERS as _explorers
_made = {}

def _keep_what_is_made(make):
    def keep(*arguments, **options):
        _made[make.__name__] = explorer = make(*arguments, **options)
        return explorer
    setattr(_sys.modules[make.__module__], make.__name__, keep)

import sys as _sys
for _make in _explorers:
    _keep_what_is_made(_make)
"""
END = """\
import json
import pickle
from pathlib import Path
import numpy
from tests.tools.moves import lines
_plain = json.loads(json.dumps([_asked, _compared], default=lambda x: numpy.asarray(x).tolist()))
_said = {name: lines(explorer) for name, explorer in _made.items()}
Path(%r).write_bytes(pickle.dumps((_kept, *_plain, _said)))
"""


class Recording(NamedTuple):
    """What was kept of a lesson."""

    explorers: dict[str, Any]  # for bnlib.live.recording.play
    asked: dict[str, Any]  # step → kind and arguments of the question
    compared: dict[str, Any]  # step → what it is compared with: truth, text, within
    said: dict[str, list[str]]  # name of an explorer → its lines as its controls are moved


def record(notebook: Path, folder: Path) -> Recording:
    """Run a lesson and return what was kept; where nothing has changed since, from `folder`.

    Args:
        notebook: of the lesson, beside the folder bnlib/ that it is run with.
        folder: of earlier recordings; this one is put there.
    """
    file = folder / f"{notebook.stem}-{_digest(notebook)}.pickle"
    if not file.exists():
        print(f"Running {notebook.name} …", file=sys.stderr, flush=True)
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob(f"{notebook.stem}-*.pickle"):
            old.unlink()
        lesson = nbformat.read(notebook, as_version=4)
        code = nbformat.v4.new_code_cell
        part = file.with_suffix(".part")
        lesson.cells = [code(BEGIN), *lesson.cells, code(END % str(part))]
        where = {"metadata": {"path": str(notebook.parent)}}
        client = NotebookClient(lesson, kernel_name="python3", resources=where, timeout=1800)
        client.execute(stderr=subprocess.DEVNULL)  # warnings of Jupyter about itself
        part.rename(file)
    return Recording(*pickle.loads(file.read_bytes()))


def _digest(notebook: Path) -> str:
    """Say what a recording depends on: the lesson, bnlib and its data, and what makes it."""
    root, content = notebook.parents[1], hashlib.sha256()
    lesson = nbformat.read(notebook, as_version=4)
    for cell in lesson.cells:
        if cell.cell_type == "code":
            content.update(cell.source.encode())
    tools = root / "tests" / "tools"
    files = [Path(__file__), tools / "found.py", tools / "moves.py"]
    for file in [*files, *sorted([*root.glob("bnlib/**/*.py"), *root.glob("data/*.npz")])]:
        content.update(file.read_bytes())
    return content.hexdigest()[:16]


def packed(recording: dict[str, Any]) -> bytes:
    """Return a recording as a page fetches it."""
    return zlib.compress(pickle.dumps(recording, protocol=5), 9)


if __name__ == "__main__":
    made = record(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve())
    for name, value in made.explorers.items():
        print(f"{name:24} {len(packed({name: value})) / 1e6:6.2f} MB")
    print(f"{len(made.compared)} predictions compared")
