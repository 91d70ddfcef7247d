"""All measurements, in Markdown: `python3 run.py bench`, or some of them, `… bench latency`.

They are kept in README.md beside this file. The machine should have nothing else to do.
"""

import datetime
import os
import platform
import re
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
    pages,
    recording,
    set_up,
)
from tests.tools.bench.table import markdown

RESULTS = Path(__file__).with_name("README.md")
PACKAGES = "numpy", "torch", "matplotlib", "jupyterlab", "ipywidgets", "keras"
PARTS = {
    part.__name__.rpartition(".")[2]: part
    for part in (
        numerics,
        recording,
        latency,
        committing,
        notebooks,
        growth,
        set_up,
        classroom,
        pages,
    )
}
TEXT = """\
# What was measured

`python3 run.py bench` measures all of this; with the name of a part, that part, and the others stay
as they are. Each says when it was measured, and where.

- What stands in one row was measured in turns, in one run. Another run differs by a tenth or so, on
  a busy machine by more.
- *Slider to picture* is the time from a key press in JupyterLab, in Chromium, to the decoded
  picture, with a tenth of a second between two presses. The *floor* is a slider that only changes a
  label; *interact* draws the same picture anew with pyplot at each change.
- *Commit to shown* is the time from a key press on a prediction's button until the page says that
  the answer is committed.
- *A page* is one of the web edition, in a browser that has not seen it, served from this machine; a
  first visit counts bytes as a server sends them that compresses.
- *As much to show*: the digits are repeated, the batches of lesson 04 and the draws of lesson 06
  multiplied. Memory is what an explorer adds to its kernel.
"""


def main() -> None:
    sections = dict(re.findall(r"(?ms)^## (\w+)\n\n(.*?)(?=^## |\Z)", RESULTS.read_text("utf-8")))
    chosen = sys.argv[1:] or [*PARTS]
    if unknown := {*chosen} - PARTS.keys():
        sys.exit(f"There is no part {sorted(unknown)}; there are {', '.join(PARTS)}.")
    for name in chosen:
        print(f"{name} …", file=sys.stderr, flush=True)
        start = time.perf_counter()
        table = markdown(PARTS[name].rows())
        sections[name] = f"{conditions((time.perf_counter() - start) / 60)}\n\n{table}\n\n"
        text = "".join(
            f"\n## {part}\n\n{sections[part].strip()}\n" for part in PARTS if part in sections
        )
        RESULTS.write_text(TEXT + text, encoding="utf-8", newline="\n")  # a later part may fail
        print(table)


def conditions(minutes: float) -> str:
    """Say when and where something was measured, and how long that took."""
    memory = psutil.virtual_memory().total / 2**30
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"On {datetime.date.today().isoformat()}, in {minutes:.0f} minutes, on a machine with\n"
        f"{os.cpu_count()} cores and {memory:.0f} GB of memory: {platform.system()} on "
        f"{platform.machine()}, Python {platform.python_version()},\n{packages}."
    )


if __name__ == "__main__":
    main()
