"""What it takes to start: the set-up in a fresh copy, the next start, and `import bnlib`."""

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.tools.bench.table import Row, markdown

ROOT = Path(__file__).resolve().parents[3]
IMPORTED, IMPORTS = ("numpy", "numpy, bnlib"), 9


def seconds(*command: str, **options) -> float:
    """How long a command takes that must succeed."""
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, **options)
    return time.perf_counter() - start


def rows() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "copy")
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".venv", ".git", "*_cache"))
        lab = getattr(sys, "_base_executable", sys.executable), "run.py", "lab", "--version"
        first, second = (seconds(*lab, cwd=copy) for _ in range(2))
        tests = seconds(lab[0], "run.py", "test", "--version", cwd=copy)
    yield Row("set-up of the lessons from nothing", f"{first:.0f} s", "", "", "≤ 90 s", first <= 90)
    yield Row("the same with what tests need on top", f"{first + tests:.0f} s", "", "", "≤ 90 s",
              first + tests <= 90)  # fmt: skip
    yield Row("the next start, until JupyterLab says its version", f"{second:.1f} s")
    both = [
        [seconds(sys.executable, "-c", f"import {names}", cwd=ROOT) for names in IMPORTED]
        for _ in range(IMPORTS)
    ]
    bare, with_bnlib = (1000 * statistics.median(times) for times in zip(*both, strict=True))
    over = with_bnlib - bare
    figures = f"{with_bnlib:.0f} ms", f"{IMPORTED[0]} alone {bare:.0f} ms", f"{over:+.0f} ms"
    yield Row(f"import {IMPORTED[1]}", *figures, "≤ +50 ms", over <= 50)


if __name__ == "__main__":
    print(markdown(rows()))
