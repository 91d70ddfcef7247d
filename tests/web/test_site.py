"""The pages in a real browser: alone, without a server behind them, and without JavaScript."""

import contextlib

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.conftest import NOTEBOOKS
from tests.tools.browser import FLAGS

LESSONS = sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb"))
START_MS = 60_000  # a busy machine must not matter here; the bench says how fast it is


@contextlib.contextmanager
def opened(site: str, chromium_path: str, stem: str, width: int = 1280, **options):
    """A page; requests to other hosts are refused and collected, as are complaints."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=FLAGS)
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        page = context.new_page()
        page.complaints, page.foreign = [], []
        page.on("console", lambda m: m.type == "error" and page.complaints.append(m.text))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))

        def refuse_foreign(route):
            if route.request.url.startswith((site, "data:", "blob:")):
                route.continue_()
            else:
                page.foreign.append(route.request.url)
                route.abort()

        context.route("**/*", refuse_foreign)
        page.goto(f"{site}/{stem}.html")
        yield page
        browser.close()


def start(page):
    """Start the Python of a page, and wait until all that can come alive by itself has."""
    page.locator(".start").first.click()
    waiting = page.locator(".start")
    expect(waiting).to_have_count(0, timeout=START_MS)


@pytest.mark.parametrize("stem", LESSONS)
def test_a_lesson_comes_alive(site, chromium_path, stem):
    with opened(site, chromium_path, stem) as page:
        start(page)
        for explorer in page.locator('[data-live*="explorer"]').all():
            line = explorer.get_by_role("status").last
            for slider in explorer.locator(".bnlib-controls").get_by_role("slider").all():
                before = line.text_content()
                slider.focus()
                page.keyboard.press("ArrowRight")
                page.keyboard.press("ArrowRight")
                expect(line).not_to_have_text(before)
        assert page.foreign == [] and page.complaints == []
