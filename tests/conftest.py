"""What several tests share: an IPython, where the browser is, and a JupyterLab in it."""

import os
import shutil
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell

from tests.tools.browser import Notebook, chromium, jupyterlab

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
BROWSERS = [
    "google-chrome",
    "google-chrome-stable",
    "chromium",
    "chromium-browser",
    "chrome",
    "msedge",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
]
for folder in ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA"):  # on Windows
    if folder in os.environ:
        programs = Path(os.environ[folder])
        BROWSERS.append(str(programs / "Google/Chrome/Application/chrome.exe"))
        BROWSERS.append(str(programs / "Microsoft/Edge/Application/msedge.exe"))


def find_browser() -> str | None:
    """The path of Chromium, Chrome or Edge; the environment variable CHROMIUM comes first."""
    if "CHROMIUM" in os.environ:
        return shutil.which(os.environ["CHROMIUM"])
    return next(filter(None, map(shutil.which, BROWSERS)), None)


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Let torch use one thread, as the lessons do: on small networks two wait for each other."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The browser of the browser tests. Without one they are skipped, and with CI set they fail."""
    path = find_browser()
    if path is None:
        decide = pytest.fail if os.environ.get("CI") else pytest.skip
        decide("no Chromium, Chrome or Edge found: install one, or set CHROMIUM to its path")
    return path


@pytest.fixture
def shell():
    """An IPython, so that `display` publishes."""
    yield InteractiveShell.instance()
    InteractiveShell.clear_instance()


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    """A folder with copies of the notebooks."""
    return shutil.copytree(NOTEBOOKS, tmp_path_factory.mktemp("lab") / "notebooks")


@pytest.fixture(scope="module")
def opened(root, chromium_path):
    """A function that opens a notebook of `root` by name in a running JupyterLab."""
    with (
        jupyterlab(root, root.parent / "state") as server,
        chromium(chromium_path) as page,
    ):
        yield lambda name, **options: Notebook(page, server, name, **options)


MARKED = {
    "chromium_path": "browser",
    "class_hub": "hub",
    "site": "web",
}  # a fixture → the mark of its tests


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Mark what uses the browser, a hub or the pages, so that `-m browser` misses no test."""
    for item in items:
        for fixture, mark in MARKED.items():
            if fixture in getattr(item, "fixturenames", ()):
                item.add_marker(mark)
