"""All measurements in one Markdown table: `python3 run.py bench`.

It is kept in README.md beside this file. The machine should have nothing else to do.
"""

import datetime
import os
import platform
import sys
import time
from importlib.metadata import version
from pathlib import Path

import psutil

from tests.tools.bench import (
    classroom,
    committing,
    growth,
    latency,
    notebooks,
    numerics,
    recording,
    set_up,
)
from tests.tools.bench.table import markdown

RESULTS = Path(__file__).with_name("README.md")
PACKAGES = "numpy", "torch", "matplotlib", "jupyterlab", "ipywidgets", "keras"
TEXT = """\
# What was measured

`python3 run.py bench` printed this table on {date}, in {minutes:.0f} minutes, on a machine with
{cores} cores and {memory:.0f} GB of memory: {system}, Python {python},
{packages}.

- What stands in one row was measured in turns, in one run. Another run differs by a tenth or so, on
  a busy machine by more.
- *Slider to picture* is the time from a key press in JupyterLab, in Chromium, to the decoded
  picture, with a tenth of a second between two presses. The *floor* is a slider that only changes a
  label; *interact* draws the same picture anew with pyplot at each change.
- *Commit to shown* is the time from a key press on a prediction's button until the page says that
  the answer is committed.
- *As much to show*: the digits are repeated, the batches of lesson 04 and the draws of lesson 06
  multiplied. Memory is what an explorer adds to its kernel.

{table}
"""


def main() -> None:
    start, rows = time.perf_counter(), []
    parts = numerics, recording, latency, committing, notebooks, growth, set_up, classroom
    for part in parts:
        print(f"{part.__name__} …", file=sys.stderr, flush=True)
        rows += part.rows()
        write(markdown(rows), minutes=(time.perf_counter() - start) / 60)  # a later part may fail
    print(markdown(rows))


def write(table: str, minutes: float) -> None:
    """Keep the table of all that has been measured so far."""
    text = TEXT.format(
        date=datetime.date.today().isoformat(),
        minutes=minutes,
        cores=os.cpu_count(),
        memory=psutil.virtual_memory().total / 2**30,
        system=f"{platform.system()} on {platform.machine()}",
        python=platform.python_version(),
        packages=", ".join(f"{name} {version(name)}" for name in PACKAGES),
        table=table,
    )
    RESULTS.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
