"""Give a student the lessons, then become the student's server.

`python hub/student.py [OPTION ...]` stands in place of `jupyterhub-singleuser`, which gets the
options: on the hub's own machine, in a container or in a pod. It needs nothing but Python and what
the lessons need.
"""

import contextlib
import hashlib
import json
import os
import resource
import runpy
import sqlite3
import sys
import tempfile
from itertools import count
from pathlib import Path

LESSONS = Path(__file__).resolve().parents[1] / "notebooks"
FOLDER = "lessons"  # in the student's home
RECORD = ".given.json"  # in that folder: name of a lesson → SHA-256 of what was given last


def give(lessons: Path, folder: Path) -> list[Path]:
    """Bring the lessons of a student up to date, and lose nothing of the student's.

    A lesson that is missing is copied; one that is as it was given is replaced by a newer version.
    Where the student has changed it, the newer one comes beside it: `01_forward_by_hand-new.ipynb`.

    Args:
        lessons: a folder with notebooks.
        folder: of the student; made where there is none.

    Returns:
        The files that were written.

    Raises:
        OSError: if a file cannot be written, on a full disk say. Every other file is whole, and the
            next call goes on from there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    given, written = read(folder / RECORD), []
    for lesson in sorted(lessons.glob("*.ipynb")):
        content = lesson.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        target = place_for(digest, folder / lesson.name, given.get(lesson.name))
        if target:
            write(target, content)
            written.append(target)
        given[lesson.name] = digest
        write(folder / RECORD, json.dumps(given, indent=1).encode())
    return written


def place_for(digest: str, mine: Path, last: str | None) -> Path | None:
    """Where a version of a lesson belongs; None if the student has it already.

    Args:
        digest: of that version.
        mine: the student's file, which need not exist.
        last: digest of what the student was given last.
    """
    if not mine.exists():
        return mine
    now = hashlib.sha256(mine.read_bytes()).hexdigest()
    if digest in (last, now):
        return None
    if now == last:
        return mine
    beside = (mine.with_stem(f"{mine.stem}-new{n if n > 1 else ''}") for n in count(1))
    return next(path for path in beside if not path.exists())


def read(record: Path) -> dict[str, str]:
    """Return what was given; nothing if there is no record, or a damaged one."""
    try:
        return json.loads(record.read_text())
    except (OSError, ValueError):
        return {}


def write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise


def limit_memory() -> None:
    """Hold each process of this student to the hub's limit.

    A kernel that asks for more gets a MemoryError, which is a sentence under the cell, where a
    container alone would kill it. All processes of a student together can take more.
    """
    if limit := int(os.environ.get("MEM_LIMIT", 0)):  # JupyterHub sets it, in bytes
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def trust(lessons: list[Path]) -> None:
    """Sign lessons with the student's key, so that JupyterLab shows all that is stored in them."""
    import nbformat  # the server needs it, too: so thirty starts at once take a quarter less
    from nbformat.sign import NotebookNotary

    notary = NotebookNotary()
    for lesson in lessons:
        notary.sign(nbformat.read(lesson, as_version=4))


def main() -> None:
    """Do both; raise SystemExit with a sentence where the lessons cannot be written."""
    try:
        written = give(LESSONS, Path.home() / FOLDER)
    except OSError as error:
        sys.exit(f"The lessons could not be copied to {Path.home()}: {error}. Ask your teacher.")
    with contextlib.suppress(OSError, sqlite3.Error):  # unsigned lessons can be read and run, too
        trust(written)
    limit_memory()
    # A kernel's sockets are files there, and their paths may have no more than 100 characters.
    os.environ["JUPYTER_RUNTIME_DIR"] = tempfile.mkdtemp(prefix="jupyter-")
    runpy.run_module("jupyterhub.singleuser", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
