"""The lessons as a student meets them: in JupyterLab, in Chromium, on a copy of notebooks/.

Every notebook and every control in it is found by itself; a new one needs no change here.
"""

from pathlib import Path
from typing import NamedTuple

import nbformat
import pytest
from playwright.sync_api import Locator, expect

from tests.conftest import NOTEBOOKS
from tests.tools.browser import Notebook, at_its_end, state, write_notebook
from tests.tools.needed import needed_cells

NAMES = [path.name for path in sorted(NOTEBOOKS.glob("*.ipynb"))]
DEAD = "Error displaying widget"
EXPLORER = ".jp-CodeCell:has(.jupyter-widgets):has(img)"
# Tells of the explorer number {number} of a notebook what its action {label} sets, and what is set.
ACTION = """
from bnlib.live.explorer import Explorer

explorers = [out for out in Out.values() if isinstance(out, Explorer)]
# A curve that the reader draws is one in the page, and not in Out.
explorer = next(e for e in reversed(explorers[: {number} + 1]) if {label!r} in e.actions)
wanted = explorer.actions[{label!r}](**explorer.values)
print([*wanted.items()], [(name, explorer.values[name]) for name in wanted], sep="|")
"""
FAILS_AT_3 = """\
import ipywidgets
from bnlib.live.explorer import Explorer

def draw(live):
    line = live.figure.subplots().plot([0, 1], [0, 0])[0]
    live.moves(line)
    def update(height):
        line.set_ydata([0, 1 / (3 - height)])
        return f"height {height}"
    return update

Explorer(draw, {"height": ipywidgets.IntSlider(0, 0, 10, description="height")})
"""


# A digest of the picture, made in the page: the picture itself, asked for fifty times a second,
# would take most of the time of these tests.
SEEN = """cell => {
    const {src} = cell.querySelector('img');
    let digest = 0;
    for (let i = 0; i < src.length; i++) digest = (digest * 31 + src.charCodeAt(i)) | 0;
    return [digest, cell.querySelector('[role=status], [role=alert]').textContent];
}"""


class Seen(NamedTuple):
    """What a student sees of an explorer."""

    picture: int  # a digest
    line: str


def seen(cell: Locator) -> Seen:
    """The explorer in `cell` as it is shown now."""
    return Seen(*cell.evaluate(SEEN))


# Marks the cells: to look for them anew at each look, in a page of 25,000 nodes, takes 9 ms.
MARK = "cells => cells.forEach((cell, number) => { cell.dataset.explorer = number; })"


def explorers(notebook: Notebook) -> list[Locator]:
    """The cells that hold an explorer; a lesson without one would be none of ours."""
    cells = notebook.page.locator(EXPLORER)
    cells.evaluate_all(MARK)
    assert cells.count(), "no cell shows controls and a picture"
    return [notebook.page.locator(f'[data-explorer="{n}"]') for n in range(cells.count())]


# In the page too: each look from here would keep four processes busy.
WAIT = """async (cell, then) => {
    const look = %s, end = performance.now() + 60_000;
    for (let now = look(cell); !(%s); now = look(cell)) {
        if (performance.now() > end) throw new Error(`still ${now}`);
        await new Promise(resolve => setTimeout(resolve, 40));
    }
}"""
REST = """async cell => {
    const look = %s, end = performance.now() + 60_000;
    for (let quiet = 0, before = look(cell); quiet < 10; quiet++) {
        if (performance.now() > end) throw new Error('it moves on and on');
        await new Promise(resolve => setTimeout(resolve, 40));
        const now = look(cell);
        const {session} = window.jupyterapp.shell.currentWidget.sessionContext;
        if (String(now) !== String(before) || session.kernel.status !== 'idle') quiet = 0;
        before = now;
    }
}"""


def wait_until(cell: Locator, condition: str, then: Seen | None = None) -> None:
    """Wait until what `cell` shows meets `condition`, JavaScript of `now` and `then`.

    How fast it is, the bench says; here a busy machine must not matter.
    """
    cell.evaluate(WAIT % (SEEN, condition), then)


def wait_for_change(cell: Locator, before: Seen) -> None:
    """Wait until both the picture and the line differ from `before`."""
    wait_until(cell, "now[0] !== then[0] && now[1] !== then[1]", before)


def resting_place(control: Locator) -> tuple[float, float]:
    """The middle of a control, once JupyterLab has stopped to lay out the cells around it."""
    control.scroll_into_view_if_needed()
    before, box = None, control.bounding_box()
    while box != before:
        control.page.wait_for_timeout(150)
        before, box = box, control.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def drag(cell: Locator, slider: Locator) -> None:
    """Drag a slider with the mouse to where there is room; picture and line must follow."""
    (x, y), before, mouse = resting_place(slider), seen(cell), cell.page.mouse
    far = -60 if at_its_end(slider) else 60
    upward = slider.get_attribute("aria-orientation") == "vertical"
    mouse.move(x, y)
    mouse.down()
    mouse.move(*((x, y - far) if upward else (x + far, y)), steps=8)
    mouse.up()
    wait_for_change(cell, before)


def press(cell: Locator, control: Locator, key: str) -> None:
    """Press `key` on a control; if its value changes, picture and line must follow."""
    before, value = seen(cell), state(control)
    control.press(key)
    if state(control) != value:
        wait_for_change(cell, before)


def watch_it_play(cell: Locator, play_or_pause: Locator) -> None:
    """Let a Play run for two pictures, and pause it."""
    play_or_pause.press("Enter")
    for _ in range(2):
        wait_for_change(cell, seen(cell))
    play_or_pause.press("Enter")
    wait_for_rest(cell)


def wait_for_rest(cell: Locator) -> None:
    """What is still on its way may arrive; then nothing moves any more."""
    cell.evaluate(REST % SEEN)


def watch_a_training(cell: Locator) -> None:
    """Train with every setting at its upper end, then at its lower end; meanwhile move a slider."""
    train, stop = (cell.get_by_role("button", name=name) for name in ("Train", "Stop"))
    slider = cell.locator(".bnlib-controls").get_by_role("slider").first
    settings = cell.locator(":not(.bnlib-controls) > .widget-hslider").get_by_role("slider").all()
    assert settings, "nothing can be set"
    for end in ("End", "Home"):
        for setting in settings:
            value = state(setting)
            setting.press(end)
            assert state(setting) != value
        before = seen(cell)
        train.press("Enter")
        expect(stop).to_be_enabled()
        # The line may stay: the step that is shown can be the same in the new training.
        wait_until(cell, "now[0] !== then[0]", before)
        press(cell, slider, "ArrowRight")
        cell.page.mouse.click(*resting_place(stop))  # a short training may be over by now
        expect(stop).to_be_disabled()
        wait_for_rest(cell)


# In two classes, since a class stays in one process: half of the lessons in each of the two.
@pytest.mark.parametrize("name", NAMES[::2])
class TestEveryOtherLesson:
    def test_from_the_first_look_to_the_next_day(self, opened, root, name):
        meet_a_lesson(opened, root, name)


@pytest.mark.parametrize("name", NAMES[1::2])
class TestTheLessonsBetween:
    def test_from_the_first_look_to_the_next_day(self, opened, root, name):
        meet_a_lesson(opened, root, name)


def meet_a_lesson(opened, root: Path, name: str) -> None:
    """Look before a cell has run, move every control, save, and open the lesson again."""
    notebook, stored = opened(name), nbformat.read(root / name, as_version=4)
    look_before_anything_has_run(notebook, stored)
    notebook.run(needed_cells(stored))  # nbval runs all; that would be half the time of this test
    for number, cell in enumerate(explorers(notebook)):
        cell.scroll_into_view_if_needed()
        move_every_control(cell)
        press_every_action(notebook, cell, number)
        if cell.get_by_role("button", name="Train").count():
            watch_a_training(cell)
    assert notebook.console_errors == []
    wait_for_rest(cell)
    left = [seen(cell) for cell in explorers(notebook)]
    notebook.save()
    notebook.close()

    reopened = reopen(opened, name)
    expect(reopened.page.locator(EXPLORER)).to_have_count(len(left))
    assert [seen(cell) for cell in explorers(reopened)] == left
    reopened.close()


def reopen(opened, name: str) -> Notebook:
    """Open a saved notebook, with its controls; again if it must be.

    JupyterLab looks for saved widgets for two seconds, while a new kernel starts, and gives up on
    them if they come in the last tenth of a second (as in jupyter-widgets/ipywidgets#3231).
    """
    for _ in range(3):
        notebook = opened(name)
        expect(notebook.page.get_by_text("Loading widget")).to_have_count(0)
        if notebook.page.get_by_text(DEAD).count() == 0:
            return notebook
        notebook.close()
    raise AssertionError(f"{name}, opened three times: {DEAD}")


def look_before_anything_has_run(notebook: Notebook, stored: nbformat.NotebookNode) -> None:
    """All pictures but the answers are there, at their size, and nothing is said to be broken."""
    shown = [cell for cell in stored.cells if not is_hidden(cell)]
    outputs = [output for cell in shown for output in cell.get("outputs", [])]
    pictures = sum("image/png" in output.get("data", {}) for output in outputs)
    assert pictures > 0
    images = notebook.page.locator(".jp-OutputArea-output img")
    expect(images).to_have_count(pictures)
    for image in images.all():
        image.scroll_into_view_if_needed()
        assert image.evaluate("async image => { await image.decode(); return image.width; }") > 300
    assert notebook.page.get_by_text(DEAD).count() == 0


def is_hidden(cell: nbformat.NotebookNode) -> bool:
    """Whether a cell is stored with its output collapsed, since it answers a prediction."""
    return cell.metadata.get("jupyter", {}).get("outputs_hidden", False)


def move_every_control(cell: Locator) -> None:
    """Every control to its ends by keyboard, one by mouse; Reset; and one step that stays."""
    start, controls = seen(cell), cell.locator(".bnlib-controls")
    sliders = controls.get_by_role("slider").all()
    drag(cell, sliders[0])
    for slider in sliders:
        for key in ("End", "Home", "ArrowRight"):
            press(cell, slider, key)
    for box in controls.get_by_role("checkbox").all():
        if box.is_enabled():
            press(cell, box, "Space")
        if box.is_enabled():  # some that are ticked stay so
            before = seen(cell)
            box.click()
            wait_for_change(cell, before)
    for play in cell.locator(".widget-play").all():
        watch_it_play(cell, play.get_by_role("button").first)
    reset(cell)
    wait_until(cell, "String(now) === String(then)", start)
    press(cell, sliders[0], "ArrowRight")


def reset(cell: Locator) -> None:
    cell.get_by_role("button", name="Reset").click()


def press_every_action(notebook: Notebook, cell: Locator, number: int) -> None:
    """What an action sets holds to the last digit, although the sliders of the page snap."""
    for action in cell.locator(".bnlib-controls").get_by_role("button").all()[:-1]:
        for _ in range(2):
            before = seen(cell)
            action.press("Enter")
            wait_for_change(cell, before)
            wait_for_rest(cell)
            code = ACTION.format(number=number, label=action.text_content())
            wanted, found = notebook.printed(code).strip().split("|")
            assert found == wanted
            reset(cell)
            wait_for_rest(cell)


def test_a_failing_explorer_says_so_and_recovers(opened, root):
    write_notebook(root / "failing.ipynb", [FAILS_AT_3])
    notebook = opened("failing.ipynb")
    notebook.run_all()
    [cell] = explorers(notebook)
    slider = cell.get_by_role("slider")
    press(cell, slider, "ArrowRight")
    press(cell, slider, "ArrowRight")
    before = seen(cell)
    slider.press("ArrowRight")
    wait_until(cell, "now[1].startsWith('ZeroDivisionError: division by zero')")
    assert seen(cell).picture == before.picture
    slider.press("ArrowRight")
    wait_until(cell, "now[1] === 'height 4' && now[0] !== then[0]", before)
    notebook.close()


CLINIC = "from bnlib.explorers.clinic import clinic_explorer\nclinic_explorer()"


def test_a_round_of_the_clinic_by_keyboard(opened, root):
    """Patient 2: three examinations, an illness, a treatment, and what it was."""
    write_notebook(root / "clinic.ipynb", [CLINIC])
    notebook = opened("clinic.ipynb")
    notebook.run_all()
    [cell] = explorers(notebook)
    press(cell, cell.get_by_role("slider").first, "ArrowRight")
    boxes = [cell.get_by_label(name) for name in ("loss", "gradients", "last layer")]
    for box in boxes:
        press(cell, box, "Space")
        expect(box).to_be_disabled()
    expect(cell.get_by_label("both modes")).to_be_disabled()
    for name, wanted in {"illness": "saturated", "treatment": "draw Glorot"}.items():
        choice = cell.locator(f".widget-hslider:has-text('{name}')").get_by_role("slider")
        while f"{name}: {wanted}" not in seen(cell).line:
            press(cell, choice, "ArrowRight")
    press(cell, cell.get_by_label("carry the treatment out"), "Space")
    assert "You say “saturated”, and so it is." in seen(cell).line
    press(cell, cell.get_by_role("slider").first, "ArrowRight")
    expect(boxes[0]).to_be_enabled()
    assert "You say" not in seen(cell).line
    notebook.close()


PREDICTIONS = [
    "from bnlib.live.predictions import Predictions\npredict = Predictions()",
    'predict.choice(1, "ABC")',
    'predict.number(2, 0, 100, "%")',
    'predict.curve(3, [1, 10], (0, 1), "step", "accuracy")',
    "print('the result')",
    'predict.compare(1, "B", {"A": "no.", "B": "yes.", "C": "nor this."})',
    'predict.compare(2, 50, "Because.", within=10)',
    'predict.compare(3, [0.5, 0.5], "Because.", within=0.1)',
    "predict.score()",
]


def test_predictions_are_committed_changed_and_compared_by_keyboard(opened, root):
    write_notebook(root / "predictions.ipynb", PREDICTIONS)
    notebook = opened("predictions.ipynb", width=420)
    cells = [notebook.cell(index) for index in range(len(PREDICTIONS))]
    choice, number, curve = cells[1:4]
    for _ in range(4):
        notebook.command("notebook:run-cell-and-select-next")

    def button(cell: Locator, name: str) -> Locator:
        return cell.get_by_role("button", name=name, exact=True)

    button(choice, "A").press("Enter")
    expect(choice.get_by_role("status")).to_contain_text("Committed: A.")
    expect(button(choice, "B")).to_be_disabled()
    button(choice, "Change my mind").press("Enter")
    expect(choice.get_by_role("status")).to_have_text("Not yet committed.")
    button(choice, "C").press("Space")
    for cell, key, moved in ((number, "ArrowRight", "53 %"), (curve, "ArrowUp", "0.56, 0.5")):
        cell.get_by_role("slider").first.focus()
        for _ in range(3):
            notebook.page.keyboard.press(key)
        status = cell.get_by_role("status").last
        button(cell, "Commit").press("Enter")  # at once: the page still holds the last move back
        expect(status).to_contain_text(f"Committed: {moved}.")
        button(cell, "Change my mind").click()
        expect(status).to_have_text("Not yet committed.")
        button(cell, "Commit").click()
        expect(status).to_contain_text(f"Committed: {moved}.")
        expect(cell.locator(".noUi-target:not([disabled])")).to_have_count(0)
    for _ in PREDICTIONS[3:]:  # from the cell of the last button on: a click selects its cell
        notebook.page.keyboard.press("Shift+Enter")

    for cell in (choice, number, curve):
        expect(button(cell, "Change my mind")).to_be_disabled()
    outputs = [cell.locator(".jp-OutputArea") for cell in cells]
    expect(outputs[5]).to_contain_text("You said C, and B is right.")
    expect(outputs[5]).to_contain_text("C. nor this.")
    expect(outputs[5].get_by_text("yes.")).to_be_hidden()
    outputs[5].get_by_text("The other choices").click()
    expect(outputs[5].get_by_text("yes.")).to_be_visible()
    for output in outputs[6:8]:
        expect(output).to_contain_text("Near enough. Because.")
        expect(output.locator("img")).to_have_count(1)
    expect(outputs[8]).to_contain_text("You committed to 3, 2 of them right.")
    expect(outputs[8]).to_contain_text("Worth reading again: step 1.")
    assert notebook.console_errors == []
    notebook.close()


BATCH_NORM = """\
def f(x, gamma, beta, eps):
    axes, shape = (0, *range(2, x.ndim)), (1, -1, *[1] * (x.ndim - 2))
    x_hat = x - x.mean(axis=axes, keepdims=True)
    x_hat = x_hat / np.sqrt(x.var(axis=axes, ddof=DDOF, keepdims=True) + eps)
    return gamma.reshape(shape) * x_hat + beta.reshape(shape)"""
BACKWARD = """\
def f(dy, x, gamma, eps):
    sigma = np.sqrt(x.var(axis=0, ddof=DDOF) + eps)
    x_hat = (x - x.mean(axis=0)) / sigma
    means = dy.mean(axis=0) + x_hat * (dy * x_hat).mean(axis=0)
    return gamma / sigma * (dy - means), (dy * x_hat).sum(axis=0), dy.sum(axis=0)"""
UPDATE = """\
def f(running, batch, momentum):
    now = batch.mean(axis=0), batch.var(axis=0, ddof=DDOF)
    return tuple((1 - momentum) * old + momentum * new for old, new in zip(running, now))"""
LAYER_NORM = """\
def f(x, gamma, beta, eps, dy):
    sigma = np.sqrt(x.var(axis=-1, ddof=DDOF, keepdims=True) + eps)
    x_hat = (x - x.mean(axis=-1, keepdims=True)) / sigma
    g = gamma * dy
    means = g.mean(axis=-1, keepdims=True) + x_hat * (g * x_hat).mean(axis=-1, keepdims=True)
    others = tuple(range(x.ndim - 1))
    return gamma * x_hat + beta, (g - means) / sigma, (dy * x_hat).sum(others), dy.sum(others)"""
EXERCISES = [  # a check, a solution, the right divisor and what the check says of the wrong one
    ("forward_by_hand.check_batch_norm", BATCH_NORM, "0", "m - 1 in the variance"),
    ("backward_by_hand.check_backward", BACKWARD, "0", "m - 1 in the variance"),
    ("train_vs_eval.check_running", UPDATE, "1", "the biased variance stored"),
    ("other_norms.check_layer_norm", LAYER_NORM, "0", "D - 1 in the variance"),
]


def test_exercises_are_written_wrong_then_right(opened, root):
    cells = ["import numpy as np"]
    for check, solution, *_ in EXERCISES:
        stub = solution.splitlines()[0] + "\n    ..."
        module = check.split(".")[0]
        cells += [stub, f"from bnlib.exercises import {module}\n{check}(f)"]
    write_notebook(root / "exercises.ipynb", cells)
    notebook = opened("exercises.ipynb")
    notebook.run_all()
    for number, (_, solution, right, slip) in enumerate(EXERCISES):
        written = notebook.cell(2 * number + 1)
        checked = notebook.cell(2 * number + 2).locator(".jp-OutputArea")
        expect(checked).to_contain_text("Not written yet.")
        wrong = "1" if right == "0" else "0"
        for divisor, says in ((wrong, f"Not yet: {slip}."), (right, "Right: ")):
            rewrite(written, solution.replace("DDOF", divisor))
            for _ in range(2):
                notebook.page.keyboard.press("Shift+Enter")
            expect(checked).to_contain_text(says)
    assert notebook.console_errors == []
    notebook.close()


def rewrite(cell: Locator, code: str) -> None:
    """Replace what stands in a code cell, by the keyboard."""
    cell.locator(".cm-content").click()
    cell.page.keyboard.press("ControlOrMeta+A")
    cell.page.keyboard.insert_text(code)
