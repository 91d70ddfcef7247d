"""A class on a hub on this machine: 30 students log in, read a lesson, and run its cells.

Linux only: memory that processes share is divided among them.
"""

import random
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import nbformat
import psutil
import websocket

from tests.conftest import NOTEBOOKS
from tests.tools.bench.table import Row, markdown
from tests.tools.hub import ClassHub, install_proxy
from tests.tools.minutes import computed
from tests.tools.student import CellError, Student

STUDENTS, LESSONS, AT_ONCE = 30, ("01", "03", "06"), "01"
HASTE = 8  # how much faster the class reads than the lesson's minutes say: the bench must end


class Lesson(NamedTuple):
    """A lesson as a class goes through it."""

    name: str
    cells: list[str]  # the code
    seconds: float  # mean time between two of them


def lesson(number: str) -> Lesson:
    """Load a lesson by its number, "01" say."""
    path = next(NOTEBOOKS.glob(f"{number}_*.ipynb"))
    notebook = nbformat.read(path, as_version=4)
    cells = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    return Lesson(path.name, cells, 60 * computed(notebook).core / len(cells) / HASTE)


class Memory:
    """Looks every few seconds what the hub, the servers and the kernels take together."""

    def __init__(self, hub: ClassHub):
        self._hub, self._over = hub, threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self.most: dict[str, list[float]] = {}  # MB of each process, when all of them took most

    def __enter__(self) -> "Memory":
        self._thread.start()
        return self

    def __exit__(self, *error) -> None:
        self._over.set()
        self._thread.join()

    @property
    def total(self) -> float:
        """The MB of all of them together, when that was most."""
        return sum(map(sum, self.most.values()))

    def _watch(self) -> None:
        while not self._over.wait(3):
            before, self.most = self.most, self._now()
            if sum(map(sum, before.values())) > self.total:
                self.most = before

    def _now(self) -> dict[str, list[float]]:
        hub = psutil.Process(self._hub.process.pid)
        students = self._hub.servers()
        kernels = [process for process in students if "ipykernel" in str(_command(process))]
        groups = {
            "hub": [hub, *(child for child in hub.children() if child not in students)],
            "servers": [process for process in students if process not in kernels],
            "kernels": kernels,
        }
        return {name: [*filter(None, map(_megabytes, group))] for name, group in groups.items()}


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:  # it has just ended
        return []


def _megabytes(process: psutil.Process) -> float:
    try:
        return process.memory_full_info().pss / 1e6
    except psutil.Error:
        return 0


class Class:
    """Students with servers, what they wait for, and what goes wrong."""

    def __init__(self, hub: ClassHub):
        self._hub = hub
        self.seconds: list[float] = []  # of each cell, until it had run
        self.errors: list[str] = []
        self.students = self._all(self._log_in, range(STUDENTS))

    def read(self) -> None:
        """Go through the lessons, a third of the class through each, with time to read."""
        lessons = [lesson(LESSONS[seat % len(LESSONS)]) for seat in range(STUDENTS)]
        self._all(self._read, self.students, lessons)

    def run_at_once(self) -> list[float]:
        """Run all cells of a lesson, all students at the same time; seconds of each of them."""
        return self._all(self._run, self.students, [lesson(AT_ONCE)] * STUDENTS)

    def _all(self, do, *of_each) -> list:
        with ThreadPoolExecutor(STUDENTS) as pool:
            return list(pool.map(do, *of_each))

    def _log_in(self, seat: int) -> Student:
        student = Student(self._hub.url, f"student-{seat}")
        student.log_in(self._hub.password)
        student.start_server()
        return student

    def _read(self, student: Student, lesson: Lesson) -> None:
        pauses = random.Random(student.name)
        student.open_kernel(lesson.name)
        for cell in lesson.cells:
            student.wait(lesson.seconds * pauses.uniform(0, 2))
            self.seconds.append(self._run_cell(student, cell))
        student.close_kernel()

    def _run(self, student: Student, lesson: Lesson) -> float:
        student.open_kernel(lesson.name)
        seconds = sum(self._run_cell(student, cell) for cell in lesson.cells)
        student.close_kernel()
        return seconds

    def _run_cell(self, student: Student, cell: str) -> float:
        start = time.perf_counter()
        try:
            student.run(cell)
        except (CellError, websocket.WebSocketException) as error:
            self.errors.append(f"{student.name}: {cell[:80]}: {error}")
        return time.perf_counter() - start


def rows() -> Iterator[Row]:
    """How long a class waits, and what memory it needs."""
    try:
        install_proxy()
    except SystemExit as why:
        yield Row(f"a class on a hub: not measured, {str(why).splitlines()[0]}", "")
        return
    with tempfile.TemporaryDirectory() as folder:
        hub = ClassHub(Path(folder))
        try:
            yield from _of_class(hub)
        finally:
            hub.close()


def _of_class(hub: ClassHub) -> Iterator[Row]:
    who, start = f"{STUDENTS} students on a hub on this machine", time.perf_counter()
    students = Class(hub)
    yield Row(f"{who}: until all have a server", f"{time.perf_counter() - start:.0f} s")
    with Memory(hub) as memory:
        students.read()
    reading = f"{who}, a third in each of {', '.join(LESSONS)}, reading {HASTE} × as fast"
    waits = statistics.quantiles(students.seconds, n=100)
    figure = f"{waits[49]:.1f} / {waits[94]:.1f} / {max(students.seconds):.1f} s"
    yield Row(f"{reading}: until a cell has run, p50 / p95 / longest", figure)
    failed, cells = len(students.errors), len(students.seconds)
    lost = sum(student.lost for student in students.students)
    yield Row(f"{reading}: cells that ended in an error", f"{failed} of {cells}", holds=not failed)
    yield Row(f"{reading}: connections lost while nothing ran, and made again", f"{lost}")
    yield Row(f"{reading}: memory of all together, at most", f"{memory.total / 1000:.1f} GB")
    for name, megabytes in memory.most.items():
        figure = f"{statistics.mean(megabytes):.0f} / {max(megabytes):.0f} MB"
        yield Row(f"{reading}: {len(megabytes)} × {name}, mean / largest", figure)
    seconds = students.run_at_once()
    figure = f"{statistics.median(seconds):.0f} / {max(seconds):.0f} s"
    yield Row(f"{who}, all of {AT_ONCE} at once: until it has run, median / slowest", figure)
    for error in students.errors:
        print(error, file=sys.stderr)


if __name__ == "__main__":
    print(markdown(rows()))
