"""The pages in a real browser: every lesson and every control, with files behind them alone."""

import contextlib
import gzip
import html
import json
import re
import shutil
import subprocess
import sys

import nbformat
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.conftest import NOTEBOOKS, ROOT
from tests.exercises.test_solutions import finding, solutions
from tests.tools.browser import at_its_end, state
from tests.tools.site import Site, parts
from tests.web.conftest import WAIT_MS
from web.build import SITE
from web.pages import CHECK, NEED_TORCH, ONLY_IN_JUPYTER

LESSONS = sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb"))
ASKS_ELSEWHERE = """
from js import XMLHttpRequest
request = XMLHttpRequest.new()
request.open("GET", "https://example.org/", False)
request.send()
"""
WITHOUT_TORCH = """
import sys
import numpy as np
sys.modules["torch"] = None  # an import of it fails
from bnlib.exercises.{0} import *
from bnlib.exercises import {0}
exercises = {0}
"""


def lesson(stem: str) -> nbformat.NotebookNode:
    return nbformat.read(NOTEBOOKS / f"{stem}.ipynb", as_version=4)


def start(page: Page) -> None:
    """Start the Python of a page, and wait until all that can come alive by itself has."""
    page.locator(".start").first.click()
    expect(page.locator(".start")).to_have_count(0, timeout=WAIT_MS)


def live(page: Page, kind: str) -> Locator:
    return page.locator(f".{kind} > .live")


def picture_and_line(explorer: Locator) -> list[str]:
    return explorer.evaluate(
        "e => [e.querySelector('img').src, e.querySelector('[role=status]').textContent]"
    )


def expect_change(explorer: Locator, before: list[str]) -> None:
    """Wait until both the picture and the line have changed."""
    expect(explorer.locator("img").first).not_to_have_attribute("src", before[0], timeout=WAIT_MS)
    expect(explorer.get_by_role("status").first).not_to_have_text(before[1], timeout=WAIT_MS)


def press(explorer: Locator, control: Locator, key: str) -> None:
    """Press a key on a control: its value must change, and picture and line must follow."""
    before, value = picture_and_line(explorer), state(control)
    control.press(key)
    assert state(control) != value
    expect_change(explorer, before)


def move(explorer: Locator, slider: Locator) -> None:
    """Move a slider by one step."""
    press(explorer, slider, "ArrowLeft" if at_its_end(slider) else "ArrowRight")


# In two classes, since a class stays in one process: half of the lessons in each of the two.
@pytest.mark.parametrize("stem", LESSONS[::2])
class TestEveryOtherLesson:
    def test_all_of_it_is_alive(self, visit, stem):
        meet_a_lesson(visit(stem), stem)


@pytest.mark.parametrize("stem", LESSONS[1::2])
class TestTheLessonsBetween:
    def test_all_of_it_is_alive(self, visit, stem):
        meet_a_lesson(visit(stem), stem)


def meet_a_lesson(page: Page, stem: str) -> None:
    """Move every control, let every solution be checked, and look at it all on a phone."""
    start(page)
    explorers = live(page, "explorer").all()
    assert explorers
    for explorer in explorers:
        move_every_control(explorer)
    check_every_solution(page, lesson(stem))
    page.set_viewport_size({"width": 420, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= 420
    move(explorers[-1], explorers[-1].locator(".bnlib-controls").get_by_role("slider").first)


def move_every_control(explorer: Locator) -> None:
    """Move each by keyboard; its picture and its line must follow."""
    controls = explorer.locator(".bnlib-controls")
    for slider in controls.get_by_role("slider").all():
        move(explorer, slider)
    for box in controls.get_by_role("checkbox").all():
        if box.is_enabled():
            press(explorer, box, "Space")
    for action in controls.get_by_role("button").all()[:-1]:
        before = picture_and_line(explorer)
        action.press("Enter")
        expect_change(explorer, before)
    if explorer.get_by_role("button", name="Train").count():
        train_for_a_while(explorer)
    assert explorer.locator(".trouble").count() == 0


def train_for_a_while(explorer: Locator) -> None:
    """Train: the picture follows, and the bar. Stop ends it."""
    picture, _ = picture_and_line(explorer)
    explorer.get_by_role("button", name="Train").press("Enter")
    expect(explorer.locator("img").first).not_to_have_attribute("src", picture, timeout=WAIT_MS)
    expect(explorer.get_by_text(re.compile(r"^[1-9]\d* steps/s$"))).to_be_visible(timeout=WAIT_MS)
    stop = explorer.get_by_role("button", name="Stop")
    if stop.is_enabled():
        stop.press("Enter")
    expect(stop).to_be_disabled(timeout=WAIT_MS)
    filled = explorer.locator(".progress-bar").evaluate(
        "bar => bar.style.width || bar.style.height"
    )
    assert float(filled.rstrip("%")) > 0


def check_every_solution(page: Page, notebook: nbformat.NotebookNode) -> None:
    """Write each folded solution; the page must say of it what Python says."""
    exercises = [
        (e, json.loads(e.get_attribute("data-live"))) for e in live(page, "exercise").all()
    ]
    for solution, check in solutions(notebook):
        if NEED_TORCH & {*CHECK.findall(check)}:
            continue
        [(exercise, known)] = [
            (e, known) for e, known in exercises if check in (known["check"], known["code"])
        ]
        last = "" if known["check"] else check.splitlines()[-1]  # it stands in the same cell
        exercise.get_by_role("textbox").fill(f"{solution}\n{last}")
        exercise.get_by_role("button", name="Check").press("Enter")
        said = exercise.locator(".output pre")
        expect(said).to_contain_text(repr(finding(notebook, solution, check)), timeout=WAIT_MS)


def test_a_round_of_the_clinic(visit):
    """Patient 2 by keyboard: three examinations, an illness, a treatment, and what it was."""
    page = visit("06_train_vs_eval")
    start(page)
    clinic = live(page, "explorer").filter(has=page.get_by_label("carry the treatment out"))
    press(clinic, clinic.get_by_role("slider").first, "ArrowRight")
    for name in ("loss", "gradients", "last layer"):
        press(clinic, clinic.get_by_label(name), "Space")
    expect(clinic.get_by_label("both modes")).to_be_disabled()
    for name, wanted in {"illness": "saturated", "treatment": "draw Glorot"}.items():
        choice = clinic.locator(f".widget-hslider:has-text('{name}')").get_by_role("slider")
        while f"{name}: {wanted}" not in picture_and_line(clinic)[1]:
            press(clinic, choice, "ArrowRight")
    press(clinic, clinic.get_by_label("carry the treatment out"), "Space")
    assert "You say “saturated”, and so it is." in picture_and_line(clinic)[1]


@pytest.mark.parametrize("stem", LESSONS)
def test_without_javascript_a_lesson_can_be_read(visit, stem):
    page = visit(stem, ready=False, java_script_enabled=False)
    stored = lesson(stem)
    stored.cells = [c for c in stored.cells if ONLY_IN_JUPYTER not in c.metadata.get("tags", [])]
    outputs = [output for cell in stored.cells for output in cell.get("outputs", [])]
    data = [output.data for output in outputs if "data" in output]
    texts = [image.get_attribute("alt") for image in page.locator("main img").all()]
    assert texts == [d["text/plain"] for d in data if "image/png" in d]
    read = page.locator("main").text_content()
    for cell in stored.cells:
        if cell.cell_type == "code":
            assert cell.source in read
    assert page.get_by_role("button").count() == 0
    expect(page.locator("noscript .note")).to_be_visible()


def test_pages_do_not_speak_of_what_jupyter_alone_has(site):
    of_jupyter = re.compile(r"Shift\W+Enter|[Rr]un (?:it|the|this|All)\b.{0,12}\b(?:cell|again)")
    for stem in LESSONS:
        text = (SITE / f"{stem}.html").read_text(encoding="utf-8")
        sections = re.findall(r'(?s)<section class="text">.*?</section>', text)
        assert sections
        for section in sections:
            section = re.sub("<.*?>", "", section)
            assert not of_jupyter.search(section), (stem, section)
    in_jupyter = "Run the next cell.", "run it again", "*Shift+Enter*"
    assert all(map(of_jupyter.search, in_jupyter))


def test_predictions_survive_a_reload(visit):
    page = visit("01_forward_by_hand")
    start(page)
    compare = live(page, "comparison").nth(2)
    button = compare.get_by_role("button", name="Compare with my prediction")
    expect(button).to_be_disabled()
    choice = live(page, "prediction").nth(2)
    choice.get_by_role("button", name="A", exact=True).press("Enter")
    expect(choice.get_by_role("status")).to_have_text("Committed: A. Now look at the result.")
    number = live(page, "prediction").first
    number.get_by_role("slider").press("ArrowRight")
    number.get_by_role("button", name="Commit").press("Enter")
    expect(number.get_by_role("status")).to_contain_text("Committed: 1.02.")
    button.press("Enter")
    expect(compare).to_contain_text("You said A, and B is right.")
    expect(choice.get_by_role("status")).to_have_text("Committed: A.")  # and stays so
    page.reload()
    expect(choice).to_contain_text("Committed on an earlier visit: A.")
    start(page)
    expect(compare).to_contain_text("You said A, and B is right.", timeout=WAIT_MS)
    expect(choice.get_by_role("status")).to_have_text("Committed: A.")
    expect(number.get_by_role("status")).to_have_text("Committed: 1.02. Now look at the result.")
    first = live(page, "comparison").first
    first.get_by_role("button", name="Compare with my prediction").press("Enter")
    expect(first).to_contain_text("You said 1.02.")
    expect(first.locator("img")).to_have_count(1)
    score = live(page, "score")
    score.get_by_role("button", name="Count my predictions").press("Enter")
    expect(score).to_contain_text("You committed to 2")


@pytest.mark.parametrize("lost", ["**/pyodide.asm.wasm", "**/widgets.js", "**/worker.mjs"])
def test_what_cannot_be_fetched_is_said(site, browser, lost):
    page = browser.new_page(service_workers="block")
    page.route(lost, lambda route: route.abort())
    page.goto(f"{site}/01_forward_by_hand.html")
    page.locator(".start").first.click()
    said = page.get_by_role("alert").first
    expect(said).to_contain_text("Reload the page to try again", timeout=WAIT_MS)
    expect(page.locator(".start")).to_have_count(0)
    page.close()


def test_the_policy_holds_where_python_runs(visit):
    """An exercise asks another host, and the browser does not let it."""
    page = visit("01_forward_by_hand")
    exercise = live(page, "exercise").first
    exercise.get_by_role("textbox").fill(ASKS_ELSEWHERE)
    with page.expect_event("requestfailed", timeout=WAIT_MS) as failed:
        exercise.get_by_role("button", name="Check").press("Enter")
    assert (failed.value.url, failed.value.failure) == ("https://example.org/", "csp")
    expect(exercise.locator(".output pre")).to_contain_text("NetworkError", timeout=WAIT_MS)
    page.complaints.clear()


def test_what_needs_torch_is_said_to_need_it(site):
    found = set()
    for stem in LESSONS:
        text, here = (SITE / f"{stem}.html").read_text(encoding="utf-8"), set()
        for solution, check in solutions(lesson(stem)):
            if need := NEED_TORCH & {*CHECK.findall(check)}:
                code = "\n".join([WITHOUT_TORCH.format(stem[3:]), solution, check])
                command = [sys.executable, "-c", code]
                done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
                assert "torch" in done.stderr.splitlines()[-1], done.stderr
                here |= need
        assert text.count("This exercise needs PyTorch") == len(here)
        found |= here
    assert found == NEED_TORCH


def test_an_exercise_is_edited_and_kept(visit):
    page = visit("01_forward_by_hand")
    exercise = live(page, "exercise").first
    editor = exercise.get_by_role("textbox")
    stub = editor.input_value()
    editor.fill("def my_batch_norm(x, gamma, beta, eps):")
    editor.press("End")
    editor.press("Enter")
    page.keyboard.type("return x / 0")
    assert editor.input_value().endswith(":\n    return x / 0")
    page.reload()
    expect(editor).to_have_value(re.compile("return x / 0"))
    exercise.get_by_role("button", name="Check").press("Enter")
    expect(exercise.locator(".output pre")).not_to_contain_text("Checking", timeout=WAIT_MS)
    editor.fill("def my_batch_norm(x, gamma, beta, eps):\n    return y")
    exercise.get_by_role("button", name="Check").press("Enter")
    expect(exercise.locator(".output pre")).to_contain_text(
        "name 'y' is not defined", timeout=WAIT_MS
    )
    editor.fill("x = 1\nif x\n    pass")
    exercise.get_by_role("button", name="Check").press("Enter")
    said = exercise.locator(".output pre")
    expect(said).to_contain_text("line 2\n    if x\n", timeout=WAIT_MS)
    expect(said).to_contain_text("SyntaxError: expected ':'")
    exercise.get_by_role("button", name="Start over").press("Enter")
    expect(editor).to_have_value(stub)
    editor.press("Escape")
    editor.press("Tab")
    expect(exercise.get_by_role("button", name="Check")).to_be_focused()


def test_a_check_that_never_ends_is_stopped(visit):
    page = visit("01_forward_by_hand")
    exercise = live(page, "exercise").first
    exercise.get_by_role("textbox").fill("while True:\n    pass")
    stop = exercise.get_by_role("button", name="Stop")
    expect(stop).to_be_hidden()
    start(page)
    check = exercise.get_by_role("button", name="Check")
    check.press("Enter")
    expect(check).to_be_disabled()
    page.wait_for_timeout(1000)  # it runs in circles, and nothing else is answered
    explorer = live(page, "explorer").first
    seen = picture_and_line(explorer)
    explorer.locator(".bnlib-controls").get_by_role("slider").first.press("ArrowRight")
    page.wait_for_timeout(1000)
    assert picture_and_line(explorer) == seen
    with page.expect_navigation():
        stop.press("Enter")
    expect(exercise.get_by_role("textbox")).to_have_value("while True:\n    pass")
    expect(exercise.locator(".output")).to_contain_text("Stopped: it had not come to an end.")
    expect(stop).to_be_hidden()
    exercise.get_by_role("textbox").fill("1 + 1")
    exercise.get_by_role("button", name="Check").press("Enter")
    expect(stop).to_be_visible()
    expect(exercise.locator(".output pre")).not_to_contain_text("Checking", timeout=WAIT_MS)
    expect(stop).to_be_hidden()


def test_a_slider_ends_where_fast_keys_have_moved_it(visit):
    """What Python says of an earlier value does not move it back."""
    page = visit("00_start_here")
    start(page)
    explorer = live(page, "explorer").first
    slider = explorer.get_by_role("slider").first
    before = int(float(slider.get_attribute("aria-valuenow")))
    for _ in range(3):
        for key in ["ArrowRight"] * 6 + ["ArrowLeft"] * 2:
            slider.press(key)
        page.wait_for_timeout(500)
        assert float(slider.get_attribute("aria-valuenow")) == before + 4
        expect(explorer.get_by_role("status").first).to_contain_text(f"Layer {before + 4} ")
        for _ in range(4):
            slider.press("ArrowLeft")
        page.wait_for_timeout(500)


def test_what_was_answered_can_be_forgotten(visit):
    page = visit("01_forward_by_hand")
    editor = live(page, "exercise").first.get_by_role("textbox")
    stub = editor.input_value()
    editor.fill("mine")
    page.reload()
    expect(editor).to_have_value("mine")
    page.evaluate("localStorage.setItem('bnlib/02_backward_by_hand/committed', '{}')")
    page.once("dialog", lambda dialog: dialog.accept())
    with page.expect_navigation():
        page.get_by_role("button", name="Forget my answers").press("Enter")
    expect(editor).to_have_value(stub)
    assert page.evaluate("Object.keys(localStorage)") == ["bnlib/02_backward_by_hand/committed"]


def test_all_code_opens_with_one_switch(visit):
    page = visit("01_forward_by_hand")
    switch = page.get_by_role("button", name="All code")
    closed = page.locator("details.code:not([open])")
    assert closed.count() > 0
    switch.press("Enter")
    expect(closed).to_have_count(0)
    switch.press("Enter")
    expect(page.locator("details.code[open]")).to_have_count(0)


@contextlib.contextmanager
def site_that(**changed):
    """The server is another one for a while, and has not been asked for anything."""
    Site.asked.clear()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in changed.items():
            patch.setattr(Site, name, value)
        yield


def wait_until_kept(page: Page, build: str) -> None:
    """Wait until the browser has kept, for this build alone, all that was asked for."""
    page.wait_for_function(
        """async ([name, paths]) => {
            if ((await caches.keys()).join() !== name) return false;
            const cache = await caches.open(name);
            const builds = (await cache.keys()).map(({ url }) => url.match(/[0-9a-f]{16}/)?.[0]);
            if (builds.some(build => build && !name.endsWith(build))) return false;
            return (await Promise.all(paths.map(path => cache.match(path)))).every(Boolean);
        }""",
        arg=[f"bnlib-{build}", sorted({path for path in Site.asked if path != "/kept.js"})],
    )


def start_and_move(page: Page) -> None:
    start(page)
    explorer = live(page, "explorer").first
    press(explorer, explorer.get_by_role("slider").first, "ArrowRight")


def test_the_second_visit_needs_no_network(visit):
    Site.asked.clear()
    page = visit("00_start_here", service_workers="allow")
    start(page)
    wait_until_kept(page, parts().name)
    with site_that(is_up=False):
        page.reload()
        page.locator("html[data-ready]").wait_for()
        start_and_move(page)
        assert {*Site.asked} <= {"/00_start_here.html", "/kept.js"}  # is there a newer one?


def test_a_new_build_takes_the_place_of_the_old_one(visit, tmp_path):
    """Whoever comes back gets pages and scripts of one build, and the old one is not kept."""
    Site.asked.clear()
    page = visit("00_start_here", service_workers="allow")
    start(page)
    wait_until_kept(page, parts().name)
    new, name = tmp_path / "site", "0123456789abcdef"
    shutil.copytree(SITE, new)
    (new / parts().name).rename(new / name)
    for file in [new / "kept.js", new / "00_start_here.html"]:
        file.write_text(file.read_text().replace(parts().name, name))
    script = new / name / "page.mjs"
    script.write_text(script.read_text() + "document.documentElement.dataset.build = 'new';")
    with site_that(folder=new):
        page.reload()
        page.locator("html[data-build=new]").wait_for()
        start_and_move(page)
        assert not [path for path in Site.asked if parts().name in path]
        wait_until_kept(page, name)
    with site_that(folder=new, is_up=False):
        page.reload()
        page.locator("html[data-build=new]").wait_for()
        start_and_move(page)


def test_no_page_fetches_anything_foreign(site):
    fetched = re.compile(r"<(?:script|img|link|iframe)[^>]*(?:src|href)=\"([^\"]*)")
    pages = sorted(SITE.glob("*.html"))
    assert len(pages) == len(LESSONS) + 3
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert "default-src 'self'" in html.unescape(text)
        for address in fetched.findall(text):
            assert (SITE / address).exists(), (page.name, address)


def test_every_link_between_pages_leads_somewhere(site):
    for page in sorted(SITE.glob("*.html")):
        text = page.read_text(encoding="utf-8")
        for address in re.findall(r"<a [^>]*href=\"([^\"]*)", text):
            if address.startswith("http"):
                continue
            file, _, anchor = address.partition("#")
            target = SITE / (file or page.name)
            assert target.exists(), (page.name, address)
            assert not anchor or f'id="{anchor}"' in target.read_text(encoding="utf-8"), address


def test_licences_are_listed(site):
    text = (SITE / "licences.html").read_text(encoding="utf-8")
    packages = gzip.decompress((parts() / "pyodide" / "packages.bin").read_bytes())
    names = [name for name, _ in json.loads(packages.splitlines()[0])]
    shipped = {name.split("-")[0] for name in names if ".dist-info/" in name} - {"bnlib"}
    assert len(shipped) > 10
    for name in shipped:
        assert f"<td>{name.replace('_', '-')}</td>" in text
    assert "None" not in text and "UNKNOWN" not in text
