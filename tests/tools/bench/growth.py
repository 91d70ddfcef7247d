"""What happens to an explorer, in the browser, when there is 10 and 100 times as much to show.

The digits are repeated, the made-up batches are longer, and so are the draws of batch-mates. What
shows one image, a map, a record or accuracies stays as it is, and so do the trainings of lessons 11
and 12, which are shown as that of lesson 03 is.
It counts as fluid while the median from slider to picture is at most 100 ms; about that long, an
answer feels immediate (Miller 1968; Card et al. 1991).
"""

import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tests.conftest import find_browser
from tests.tools.bench.latency import p50_p95, press
from tests.tools.bench.table import Row, markdown
from tests.tools.browser import Notebook, chromium, jupyterlab, write_notebook
from tests.tools.found import EXPLORERS

FACTORS, FLUID_MS = (10, 100), 100
STAY = {  # without "_explorer"
    *("five_values", "three_arrows", "gain_map", "who_shares", "norm_by_batch", "sweep", "border"),
    *("placement", "feature_maps", "directions", "landscape", "noise", "figure_one"),
    "own_training",
}
ROUNDS = 2
SETUP = """\
import numpy as np
import psutil
import torch

from bnlib.experiments import comparison, data, patients, signal_propagation
from bnlib.explorers import (
    gamma_beta_identity, relu_vs_sigmoid, train_vs_eval, which_statistics
)

torch.set_num_threads(1)
TIMES = {times}
digits = data.Digits(*(np.concatenate([part] * TIMES) for part in data.load_digits()))
modules = (
    comparison, patients, relu_vs_sigmoid, signal_propagation, train_vs_eval, which_statistics
)
for module in modules:
    module.load_digits = lambda: digits
gamma_beta_identity.skewed_batches = lambda: data.skewed_batches(batch_size=400 * TIMES)
comparison.PROBE *= TIMES
signal_propagation.IMAGES_PER_DIGIT *= TIMES
train_vs_eval.DRAWS *= TIMES

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
    makes = [make for make in EXPLORERS if make.__name__.removesuffix("_explorer") not in STAY]
    cells = [CELL.format(module=make.__module__, name=make.__name__) for make in makes]
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "notebooks")
        root.mkdir()
        write_notebook(root / "growth.ipynb", [SETUP.format(times=times), *cells])
        with (
            jupyterlab(root, Path(folder, "state")) as server,
            chromium(find_browser()) as page,
        ):
            opened = Notebook(page, server, "growth.ipynb")
            opened.run_all()
            for index, make in enumerate(makes, start=1):
                pressed = [press(opened, index, "explorer") for _ in range(ROUNDS)]
                megabytes = float(opened.cell(index).locator("pre").last.text_content())
                found[make.__name__] = sum(pressed, []), megabytes
    return found


def rows() -> Iterator[Row]:
    """Two rows for each explorer; where it is not fluid, the row says up to where it is."""
    usual, *grown = (measure(times) for times in (1, *FACTORS))
    for name, (before, megabytes_before) in usual.items():
        medians = [statistics.median(before)]
        for times, found in zip(FACTORS, grown, strict=True):
            now, megabytes = found[name]
            medians.append(statistics.median(now))
            fluid = medians[-1] <= FLUID_MS
            yield Row(
                f"{name} with {times} × as much to show",
                f"{p50_p95(now)}, {megabytes:.0f} MB" + ("" if fluid else f"; {limit(medians)}"),
                f"as it is: {p50_p95(before)}, {megabytes_before:.0f} MB",
                f"{medians[-1] / medians[0]:.2f}",
                f"fluid: ≤ {FLUID_MS} ms",
                fluid,
            )


def limit(medians: list[float]) -> str:
    """Up to how many times as much an explorer is fluid, by its medians for 1 and FACTORS times."""
    times = (1, *FACTORS)[: len(medians)]
    return f"fluid up to about {np.interp(FLUID_MS, medians, times):.0f} ×"


if __name__ == "__main__":
    print(markdown(rows()))
