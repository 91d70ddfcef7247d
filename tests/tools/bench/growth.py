"""What happens to an explorer, in the browser, when there is 10 and 100 times as much to show.

The digits are repeated, the made-up batches are longer, and so are the draws of batch-mates. The
five values of lesson 01 stay five. It counts as fluid while the median from slider to picture is at
most 100 ms; about that long, an answer feels immediate (Miller 1968; Card et al. 1991).
"""

import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.conftest import find_browser
from tests.explorers.found import EXPLORERS
from tests.tools.bench.latency import p50_p95, press
from tests.tools.bench.table import Row, markdown
from tests.tools.browser import Notebook, chromium, jupyterlab, write_notebook

FACTORS, FLUID_MS = (10, 100), 100
ROUNDS = 2
SETUP = """\
import numpy as np
import psutil
import torch

from bnlib import data, experiments
from bnlib.explorers import activations, depth, identity, modes

torch.set_num_threads(1)
TIMES = {times}
digits = data.Digits(*(np.concatenate([part] * TIMES) for part in data.load_digits()))
for module in (activations, depth, experiments, modes):
    module.load_digits = lambda: digits
identity.skewed_batches = lambda: data.skewed_batches(batch_size=400 * TIMES)
experiments.PROBE *= TIMES
activations.ROWS = np.argsort(digits.y_train[:experiments.PROBE], kind="stable")[::3]
depth.IMAGES_PER_DIGIT *= TIMES
modes.DRAWS *= TIMES

def megabytes():
    return psutil.Process().memory_info().rss / 1e6
"""
CELL = """\
before = megabytes()
from {module} import {name}
explorer = {name}()
display(explorer)
print(megabytes() - before)
"""


def measure(times: int) -> dict[str, tuple[list[float], float]]:
    """For each explorer, milliseconds from slider to picture, and the megabytes that it takes."""
    makes = [make for make in EXPLORERS if make.__name__ != "five_values_explorer"]
    cells = [CELL.format(module=make.__module__, name=make.__name__) for make in makes]
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "notebooks")
        root.mkdir()
        write_notebook(root / "growth.ipynb", [SETUP.format(times=times), *cells])
        with (
            jupyterlab(root, Path(folder, "state")) as server,
            chromium(find_browser()) as browser,
        ):
            opened = Notebook(browser, server, "growth.ipynb")
            opened.run_all()
            for index, make in enumerate(makes, start=1):
                pressed = [press(opened, index, "explorer") for _ in range(ROUNDS)]
                megabytes = float(opened.cell(index).locator("pre").last.text_content())
                found[make.__name__] = sum(pressed, []), megabytes
    return found


def rows() -> Iterator[Row]:
    """Two rows for each explorer."""
    usual, *grown = (measure(times) for times in (1, *FACTORS))
    for name, (before, megabytes_before) in usual.items():
        for times, found in zip(FACTORS, grown, strict=True):
            now, megabytes = found[name]
            median = statistics.median(now)
            yield Row(
                f"{name} with {times} × as much to show",
                f"{p50_p95(now)}, {megabytes:.0f} MB",
                f"as it is: {p50_p95(before)}, {megabytes_before:.0f} MB",
                f"{median / statistics.median(before):.2f}",
                f"fluid: ≤ {FLUID_MS} ms",
                median <= FLUID_MS,
            )


if __name__ == "__main__":
    print(markdown(rows()))
