"""Each lesson under nbval: seconds, the peak of its kernel's memory, its size on disk."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from tests.conftest import NOTEBOOKS
from tests.tools.bench.table import Row, markdown


def validate(path: Path) -> tuple[float, float]:
    """Seconds, and the peak of the kernel's memory in MB."""
    start, peak = time.perf_counter(), 0
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-n0", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as pytest:
        while pytest.poll() is None:
            peak = max([peak, *map(_resident, psutil.Process(pytest.pid).children())])
            time.sleep(0.02)
        said = pytest.stdout.read()
    assert pytest.returncode == 0, said
    return time.perf_counter() - start, peak / 1e6


def _resident(process: psutil.Process) -> int:
    try:
        return process.memory_info().rss
    except psutil.NoSuchProcess:
        return 0


def rows() -> Iterator[Row]:
    """Three rows for each lesson."""
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        seconds, megabytes = validate(path)
        allowed = 200 if path.stem.startswith("00") else 500
        holds = seconds <= 20, megabytes <= allowed
        yield Row(f"{path.stem} under nbval", f"{seconds:.1f} s", budget="≤ 20 s", holds=holds[0])
        budget = f"≤ {allowed} MB"
        what = f"{path.stem} under nbval, peak memory of its kernel"
        yield Row(what, f"{megabytes:.0f} MB", budget=budget, holds=holds[1])
        size = path.stat().st_size / 2**20
        what = f"{path.stem} as it is stored"
        yield Row(what, f"{size:.2f} MB", budget="≤ 1 MB", holds=size <= 1)


if __name__ == "__main__":
    print(markdown(rows()))
