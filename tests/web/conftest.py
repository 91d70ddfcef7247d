"""The pages, built once, a server that only serves files, and a browser that goes nowhere else."""

import contextlib
import os
from collections.abc import Iterator

import pytest
from filelock import FileLock
from playwright.sync_api import sync_playwright

from tests.tools.browser import FLAGS
from tests.tools.site import served
from web.build import build
from web.downloads import DownloadError

WAIT_MS = 60_000  # a busy machine must not matter here; the bench says how fast it is


@pytest.fixture(scope="session")
def site(tmp_path_factory, worker_id) -> Iterator[str]:
    """The address of the pages. Where their parts cannot be had, their tests are skipped.

    With CI set they fail.
    """
    if worker_id == "master":
        why = built()
    else:  # one of several processes, of which the first builds for all
        said = tmp_path_factory.getbasetemp().parent / "built.txt"
        with FileLock(f"{said}.lock"):
            if not said.exists():
                said.write_text(built())
            why = said.read_text()
    if why:
        decide = pytest.fail if os.environ.get("CI") else pytest.skip
        decide(why)
    with served() as address:
        yield address


def built() -> str:
    """Build the pages, or say why that cannot be."""
    try:
        build()
    except DownloadError as why:
        return str(why)
    return ""


@pytest.fixture(scope="session")
def browser(chromium_path):
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def visit(site, browser):
    """A function that opens a page; at the end, nobody may have complained or gone elsewhere."""
    complaints: list[str] = []
    with contextlib.ExitStack() as stack:

        def opened(stem: str, width: int = 1280, ready: bool = True, **options):
            options = {"service_workers": "block"} | options
            size = {"width": width, "height": 900}
            context = stack.enter_context(browser.new_context(viewport=size, **options))
            context.set_default_timeout(WAIT_MS)
            page = context.new_page()
            page.complaints = complaints
            page.on("console", lambda m: m.type == "error" and complaints.append(m.text))
            page.on("pageerror", lambda error: complaints.append(str(error)))
            local = (site, "data:", "blob:")
            page.on("request", lambda r: r.url.startswith(local) or complaints.append(r.url))
            page.goto(f"{site}/{stem}.html")
            if ready:
                page.locator("html[data-ready]").wait_for()
            return page

        yield opened
    assert complaints == []
