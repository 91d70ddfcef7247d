"""A class on one machine: 30 kernels started within a minute, each of which executes lessons.

Linux only: the memory of a student is counted with what kernels share divided among them.
"""

import asyncio
import statistics
import subprocess
import time
from collections.abc import Iterator

import nbformat
import psutil
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from tests.conftest import NOTEBOOKS
from tests.tools.bench.table import Row, markdown

STUDENTS, WITHIN_SECONDS, PATIENCE_SECONDS = 30, 60, 1800
LESSONS = "01", "03", "06"


def lessons() -> nbformat.NotebookNode:
    """The lessons one after the other, for one kernel."""
    notebooks = [nbformat.read(next(NOTEBOOKS.glob(f"{n}*")), as_version=4) for n in LESSONS]
    cells = [cell for notebook in notebooks for cell in notebook.cells]
    for number, cell in enumerate(cells):
        cell.id = f"cell-{number}"  # "title" is in each of them
    return nbformat.v4.new_notebook(cells=cells)


class Class:
    """Who is through and after how many seconds, who is not and why; and the kernels' memory."""

    def __init__(self):
        self.seconds: dict[int, float] = {}
        self.failures: dict[int, str] = {}
        self.megabytes: list[float] = []  # of each kernel, when all of them together were largest

    @property
    def over(self) -> bool:
        return len(self.seconds) + len(self.failures) == STUDENTS

    async def meet(self) -> None:
        await asyncio.gather(self.weigh(), *map(self.attend, range(STUDENTS)))

    async def attend(self, seat: int) -> None:
        await asyncio.sleep(seat * WITHIN_SECONDS / STUDENTS)
        start = time.perf_counter()
        folder = {"metadata": {"path": str(NOTEBOOKS)}}
        client = NotebookClient(lessons(), timeout=PATIENCE_SECONDS, resources=folder)
        async with client.async_setup_kernel(stderr=subprocess.DEVNULL):  # warnings about itself
            try:
                for index, cell in enumerate(client.nb.cells):
                    await client.async_execute_cell(cell, index)
                self.seconds[seat] = time.perf_counter() - start
            except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
                self.failures[seat] = str(error)
            while not self.over:  # nobody leaves before the end
                await asyncio.sleep(1)

    async def weigh(self) -> None:
        while not self.over:
            await asyncio.sleep(5)
            weights = [weight for p in psutil.Process().children() if (weight := _weight(p))]
            self.megabytes = max(self.megabytes, weights, key=sum)


def _weight(process: psutil.Process) -> float | None:
    """The megabytes of a kernel; None if it is none, or has just ended."""
    try:
        if "ipykernel" in str(process.cmdline()):
            return process.memory_full_info().pss / 1e6
    except psutil.Error:
        pass
    return None


def rows() -> Iterator[Row]:
    """How many get through, how long it takes, and what memory they need."""
    start, students = time.perf_counter(), Class()
    asyncio.run(students.meet())
    minutes = (time.perf_counter() - start) / 60
    what = f"{STUDENTS} students on this machine, lessons {', '.join(LESSONS)}, all cells at once"
    yield Row(f"{what}: finished", f"{len(students.seconds)} of {STUDENTS}")
    yield Row(f"{what}: until all were through", f"{minutes:.1f} min")
    if through := [seconds / 60 for seconds in students.seconds.values()]:
        figure = f"{statistics.median(through):.1f} / {max(through):.1f} min"
        yield Row(f"{what}: one of them, median / slowest", figure)
    memory = students.megabytes
    figure = f"{statistics.mean(memory):.0f} / {max(memory):.0f} MB"
    yield Row(f"{what}: memory of each, mean / largest", figure)


if __name__ == "__main__":
    print(markdown(rows()))
