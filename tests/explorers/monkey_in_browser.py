"""A thousand random actions on all explorers in a real browser, from a fixed seed.

On demand: `python3 run.py test tests/explorers/monkey_in_browser.py`. test_monkey.py is its quick
sister.

After each action the page must come to show what the kernel says belongs to the controls.
"""

import base64
import hashlib
import random
import time

from playwright.sync_api import Locator

from tests.tools.browser import write_notebook
from tests.tools.found import EXPLORERS

ACTIONS, PATIENCE = 1000, 60
KEYS = ["ArrowLeft", "ArrowRight", "PageUp", "PageDown", "Home", "End"]
SETUP = """\
import hashlib
import torch
from bnlib.live.explorer import one_at_a_time

explorers = []

def say(explorer):
    with one_at_a_time:
        line = explorer._update(**explorer.values)
        print(hashlib.md5(explorer.png()).hexdigest(), line, end="")
"""


def test_no_picture_is_left_behind_its_controls(opened, root):
    cells = [
        f"from {make.__module__} import {make.__name__} as make\n"
        "explorers.append(make())\nexplorers[-1]"
        for make in EXPLORERS
    ]
    write_notebook(root / "monkey.ipynb", [SETUP, *cells])
    notebook = opened("monkey.ipynb")
    notebook.run_all()
    chance = random.Random(0)
    for action in range(ACTIONS):
        number = chance.randrange(len(EXPLORERS))
        cell = notebook.cell(1 + number)
        done = act(cell, chance)
        deadline = time.monotonic() + PATIENCE  # a training that was started takes its time
        while seen(cell) != (kernel := notebook.printed(f"say(explorers[{number}])")):
            where = f"action {action}, {EXPLORERS[number].__name__}, {done}"
            assert time.monotonic() < deadline, f"{where}: {seen(cell)} instead of {kernel}"
            notebook.page.wait_for_timeout(50)
    assert notebook.console_errors == []


def act(cell: Locator, chance: random.Random) -> str:
    """Do one of all the things that can be done to an explorer; returns what it was."""
    sliders = cell.get_by_role("slider").all()
    others = cell.locator("input[type=checkbox]:enabled, button.jupyter-button:enabled").all()
    control = chance.choice(sliders + others)
    if control in others:
        control.press("Space")
        return "Space"
    if chance.random() < 0.3:
        track = control.locator("xpath=..")
        width = track.bounding_box()["width"]
        track.click(position={"x": chance.uniform(1, width - 1), "y": 2}, force=True)
        return "click"
    key = chance.choice(KEYS)
    control.press(key)
    return key


def seen(cell: Locator) -> str:
    """The digest of the picture in `cell`, and the line of numbers."""
    png = base64.b64decode(cell.locator("img").get_attribute("src").partition(",")[2])
    line = cell.locator("[role=status], [role=alert]").text_content()
    return f"{hashlib.md5(png).hexdigest()} {line}"
