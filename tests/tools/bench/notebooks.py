"""Each lesson under nbval: seconds, the peak of its kernel's memory, its size on disk."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from tests.conftest import NOTEBOOKS
from tests.tools.bench.table import Row, markdown

BUDGETS = {"00": (20, 200), "10": (30, 700)}  # seconds, MB: without torch, and with Keras


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
        most_seconds, most_megabytes = BUDGETS.get(path.stem[:2], (20, 500))
        what, budget = f"{path.stem} under nbval", f"≤ {most_seconds} s"
        yield Row(what, f"{seconds:.1f} s", budget=budget, holds=seconds <= most_seconds)
        what, budget = f"{what}, peak memory of its kernel", f"≤ {most_megabytes} MB"
        yield Row(what, f"{megabytes:.0f} MB", budget=budget, holds=megabytes <= most_megabytes)
        size = path.stat().st_size / 2**20
        what = f"{path.stem} as it is stored"
        yield Row(what, f"{size:.2f} MB", budget="≤ 1 MB", holds=size <= 1)


if __name__ == "__main__":
    print(markdown(rows()))
