"""Make the picture of the README: lesson 01 in JupyterLab, one of five values pulled away.

`python3 run.py picture` writes notebooks/lesson.gif.
"""

import io
import tempfile
from pathlib import Path

from PIL import Image

from bnlib.live.figure import reduce_colours
from tests.conftest import NOTEBOOKS, find_browser
from tests.tools.browser import Notebook, chromium, jupyterlab, milliseconds_to

PRESSES, FRAME_MS, PAUSE_MS = 24, 60, 1500


def main() -> None:
    with (
        tempfile.TemporaryDirectory() as state,
        jupyterlab(NOTEBOOKS, Path(state)) as server,
        chromium(find_browser()) as page,
    ):
        lesson = Notebook(page, server, "01_forward_by_hand.ipynb")
        lesson.run_all()
        cell = lesson.cell_with_text("five_values_explorer()")
        cell.get_by_role("slider").last.focus()
        cell.locator("img").scroll_into_view_if_needed()
        area = cell.locator(".jp-Cell-outputArea").bounding_box()
        clip = area | {"width": cell.locator("img").bounding_box()["width"] + 100}
        frames = []
        for key in ["ArrowRight"] * PRESSES + ["ArrowLeft"] * PRESSES:
            milliseconds_to("img", cell, key)
            shot = lesson.page.screenshot(clip=clip)
            frames.append(Image.open(io.BytesIO(shot)).convert("RGB"))
    durations = [PAUSE_MS if i % PRESSES == PRESSES - 1 else FRAME_MS for i in range(len(frames))]
    first, *others = map(reduce_colours, frames)
    path = NOTEBOOKS / "lesson.gif"
    first.save(path, save_all=True, append_images=others, duration=durations, loop=0)
    print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
