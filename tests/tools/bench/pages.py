"""What the reader of the web pages waits for, and what comes through the network.

Everything is served from this machine. A first visit is counted as a server sends it that
compresses: what is compressed as it is, the rest by gzip.
"""

import gzip
import statistics
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Page

from tests.conftest import find_browser
from tests.tools.bench.latency import PAUSE_MS, p50_p95
from tests.tools.bench.table import Row, markdown
from tests.tools.browser import at_its_end, chromium, milliseconds_to
from tests.tools.site import Site, parts, served
from web.build import SITE, build

READABLE_S, START_S, PICTURE_MS, FIRST_MB, RECORDING_MB = 1.5, 6, 60, 25, 3
PRESSES, WARM_UP = 8, 2
# Seconds from the click on the first explorer until its picture and its controls are there.
START = """async () => {
    const place = document.querySelector('.explorer > .live'), before = performance.now();
    place.querySelector('.start').click();
    while (place.dataset.state !== 'live') await new Promise(requestAnimationFrame);
    await place.querySelector('img').decode();
    return (performance.now() - before) / 1000;
}"""
# Seconds until everything is there that a reader without controls needs.
LOADED = "performance.getEntriesByType('navigation')[0].loadEventEnd / 1000"


def megabytes(paths: set[str]) -> float:
    """What a server that compresses sends for these paths of the site."""
    files = [SITE / path.lstrip("/") for path in paths]
    return sum(_sent(file) for file in files if file.is_file()) / 1e6


def _sent(file: Path) -> int:
    content = file.read_bytes()
    return len(content if file.suffix in (".bin", ".zip", ".png") else gzip.compress(content))


def visit(page: Page, address: str) -> tuple[float, float, dict[str, list[float]], set[str]]:
    """Seconds until a page can be read, and from click to picture; milliseconds by explorer."""
    Site.asked.clear()
    page.goto(address)
    page.locator("html[data-ready]").wait_for()
    readable, start = page.evaluate(LOADED), page.evaluate(START)
    page.locator(".start").first.wait_for(state="detached")
    first_visit = {*Site.asked}
    times = {}
    for explorer in page.locator(".explorer > .live").all():
        name = explorer.evaluate("e => JSON.parse(e.dataset.live).function")
        slider = explorer.locator(".bnlib-controls").get_by_role("slider").first
        slider.focus()
        keys = ["ArrowRight", "ArrowLeft"]
        if at_its_end(slider):
            keys.reverse()
        times[name] = []
        for key in keys * (PRESSES // 2):
            times[name].append(milliseconds_to("img", explorer, key))
            page.wait_for_timeout(PAUSE_MS)
        del times[name][:WARM_UP]
    return readable, start, times, first_visit


def rows() -> Iterator[Row]:
    """The times of every lesson's page and of every explorer; the sizes."""
    build()
    recordings = {
        file.name: file.stat().st_size / 1e6 for file in (parts() / "recordings").iterdir()
    }
    visits = {}
    with served() as address:
        for lesson in sorted(file.stem for file in SITE.glob("[01]*.html")):
            with chromium(find_browser()) as page:  # a new browser: nothing is kept in it
                visits[lesson] = visit(page, f"{address}/{lesson}.html")
    for lesson, (readable, start, _, asked) in visits.items():
        kept = [path for path in asked if "/recordings/" in path]
        size = megabytes(asked - {*kept})
        what = f"page {lesson}"
        yield Row(
            f"{what}, loaded", f"{readable:.2f} s", "", "", f"≤ {READABLE_S} s",
            readable <= READABLE_S,
        )  # fmt: skip
        yield Row(
            f"{what}, click to live picture", f"{start:.1f} s", "", "", f"≤ {START_S} s",
            start <= START_S,
        )  # fmt: skip
        own = f"recording {megabytes({*kept}):.2f} MB" if kept else ""
        yield Row(
            f"{what}, first visit", f"{size:.1f} MB", own, "", f"≤ {FIRST_MB} MB", size <= FIRST_MB
        )
    for name, size in sorted(recordings.items()):
        what = f"{name}, recording"
        yield Row(what, f"{size:.2f} MB", "", "", f"≤ {RECORDING_MB} MB", size <= RECORDING_MB)
    for _, _, times, _ in visits.values():
        for name, presses in times.items():
            median = statistics.median(presses)
            what = f"slider to picture in a page, {name}, p50 / p95"
            budget = f"≤ {PICTURE_MS} ms"
            yield Row(what, p50_p95(presses), "", "", budget, median <= PICTURE_MS)


if __name__ == "__main__":
    print(markdown(rows()))
