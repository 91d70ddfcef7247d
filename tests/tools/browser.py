"""JupyterLab in a real browser: what the browser tests and the latency bench drive."""

import contextlib
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbformat.sign import NotebookNotary
from playwright.sync_api import Locator, Page, expect, sync_playwright

START_SECONDS = 60
# The sandbox needs rights that containers lack; background traffic disturbs a measurement.
FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update"]
# The page of JupyterLab is loaded once for all notebooks: that halves the time of opening one.
LAB_IS_UP = """async () => {
    await window.jupyterapp.restored;
    window.jupyterapp.shell.collapseLeft();
}"""
OPEN = "path => window.jupyterapp.commands.execute('docmanager:open', {path}).then(() => {})"
# What was not saved is thrown away, without the question that JupyterLab asks a person.
CLOSE = """async () => {
    for (const panel of [...window.jupyterapp.shell.widgets('main')].filter(p => p.context)) {
        await panel.context.sessionContext.shutdown();
        panel.context.model.dirty = false;
        panel.close();
    }
}"""
READY = """() => {
    const panel = window.jupyterapp?.shell?.currentWidget;
    const kernel = panel?.sessionContext?.session?.kernel;
    return panel?.context?.isReady && kernel?.status === 'idle';
}"""
RUN_CELLS = """async indices => {
    const {commands, shell} = window.jupyterapp;
    for (const index of indices) {
        shell.currentWidget.content.activeCellIndex = index;
        await commands.execute('notebook:run-cell');
    }
}"""
COMMAND = "id => window.jupyterapp.commands.execute(id)"
# Resolves to the milliseconds from the next key press until `what` (a picture or a text, by its CSS
# selector) of a cell has changed, a picture is decoded, and the browser is about to show it.
NEXT_CHANGE = """([cell, what]) => new Promise((resolve, reject) => {
    const read = () => what === 'img' ? cell.querySelector('img').src
        : [...cell.querySelectorAll(what)].map(e => e.textContent).join();
    const before = read();
    let pressed = 0;
    document.addEventListener('keydown', () => { pressed = performance.now(); },
        {once: true, capture: true});
    const observer = new MutationObserver(async () => {
        if (cell.querySelector('img') === null && what === 'img' || read() === before) return;
        observer.disconnect();
        if (what === 'img') await cell.querySelector('img').decode();
        requestAnimationFrame(() => resolve(performance.now() - pressed));
    });
    const all = {subtree: true, childList: true, attributes: true, characterData: true};
    observer.observe(cell, all);
    setTimeout(() => reject(new Error(`the ${what} of the cell has not changed`)), 10000);
})"""


# Resolves to what a piece of code prints in the kernel, without a trace in the notebook.
PRINTED = """async code => {
    const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
    const run = kernel.requestExecute({code, store_history: false});
    let text = '';
    run.onIOPub = message => { text += message.content.text ?? message.content.evalue ?? ''; };
    await run.done;
    return text;
}"""


def write_notebook(path: Path, code: list[str]) -> None:
    """Write a notebook with a cell for each piece of code."""
    notebook = nbformat.v4.new_notebook(cells=list(map(nbformat.v4.new_code_cell, code)))
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, path)


class Server:
    """A running JupyterLab on a folder of notebooks."""

    def __init__(self, base: str, token: str):
        self.base, self.token = base, token

    @property
    def url(self) -> str:
        """The address of a JupyterLab in which nothing is open."""
        return f"{self.base}/lab?token={self.token}&reset"


@contextlib.contextmanager
def jupyterlab(root: Path, state: Path) -> Iterator[Server]:
    """Start JupyterLab on the folder `root`, whose notebooks it trusts as after run.py's set-up.

    Its user settings and its log go to `state`.
    """
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    token = secrets.token_hex(16)
    env = {f"JUPYTER_{name}_DIR": str(state / name) for name in ("CONFIG", "RUNTIME", "DATA")}
    env |= {f"JUPYTERLAB_{name}_DIR": str(state / name) for name in ("WORKSPACES", "SETTINGS")}
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
    command += [f"--port={port}", "--ServerApp.port_retries=0", f"--ServerApp.root_dir={root}"]
    command += [f"--IdentityProvider.token={token}", "--LabApp.expose_app_in_browser=True"]
    _sign(root, state / "DATA")
    log = state / "jupyterlab.log"
    with log.open("wb") as out:
        process = subprocess.Popen(command, env=os.environ | env, stdout=out, stderr=out, cwd=root)
        try:
            base = f"http://127.0.0.1:{port}"
            _wait_until_up(f"{base}/api/status?token={token}", process, log)
            yield Server(base, token)
        finally:
            process.terminate()
            process.wait(timeout=30)


def _sign(root: Path, data: Path) -> None:
    data.mkdir(parents=True)
    notary = NotebookNotary(data_dir=str(data))
    for path in root.glob("*.ipynb"):
        notary.sign(nbformat.read(path, as_version=4))


def _wait_until_up(url: str, process: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=1):
            return
        time.sleep(0.1)
    raise RuntimeError(f"JupyterLab did not start in {START_SECONDS} s:\n{log.read_text()[-2000:]}")


@contextlib.contextmanager
def chromium(path: str) -> Iterator[Page]:
    """The page of a headless browser; `path` is that of its executable."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        page = browser.new_page()
        page.set_default_timeout(START_SECONDS * 1000)  # a busy machine must not matter in a test
        expect.set_options(timeout=START_SECONDS * 1000)
        yield page
        browser.close()


def at_its_end(slider: Locator) -> bool:
    """Whether a slider cannot go further to the right."""
    return slider.evaluate("s => Number(s.ariaValueNow) >= Number(s.ariaValueMax)")


def state(control: Locator) -> str:
    """The value of a slider, or whether a box is ticked."""
    return control.evaluate("c => c.ariaValueNow ?? String(c.checked)")


class Notebook:
    """A notebook, alone in `page`; `console_errors` collects what the page complains of."""

    def __init__(self, page: Page, server: Server, name: str, width: int = 1280):
        self.page = page
        self.page.set_viewport_size({"width": width, "height": 900})
        self.console_errors: list[str] = []
        self.listeners = {"console": self._on_console, "pageerror": self._on_page_error}
        for event, listener in self.listeners.items():
            self.page.on(event, listener)
        if not self.page.url.startswith(server.base):
            self.page.goto(server.url)
        self.page.wait_for_function("window.jupyterapp", timeout=START_SECONDS * 1000)
        self.page.evaluate(LAB_IS_UP)
        self.page.evaluate(CLOSE)  # what a test has left open that failed
        self.page.evaluate(OPEN, name)
        self.page.wait_for_function(READY, timeout=START_SECONDS * 1000)

    def _on_console(self, message) -> None:
        if message.type == "error":
            self.console_errors.append(message.text)

    def _on_page_error(self, error) -> None:
        self.console_errors.append(str(error))

    def command(self, name: str) -> None:
        """Run a command of JupyterLab, and wait for its end."""
        self.page.evaluate(COMMAND, name)

    def run_all(self) -> None:
        """Run > Run All Cells, and wait until all have run."""
        self.command("notebook:run-all-cells")

    def run(self, cells: list[int]) -> None:
        """Run the cells at these indices (from 0), one after the other, and wait for the last."""
        self.page.evaluate(RUN_CELLS, cells)

    def printed(self, code: str) -> str:
        """What `code` prints in the kernel, or the error that it ends with."""
        return self.page.evaluate(PRINTED, code)

    def save(self) -> None:
        self.command("docmanager:save")

    def close(self) -> None:
        """Close the notebook and shut its kernel down, as at the end of a day."""
        for event, listener in self.listeners.items():
            self.page.remove_listener(event, listener)
        self.page.evaluate(CLOSE)

    def cell(self, index: int) -> Locator:
        """The cell at `index` (from 0), scrolled into view; its contents exist only there."""
        cell = self.page.locator(f'.jp-Cell[data-windowed-list-index="{index}"]')
        cell.scroll_into_view_if_needed()
        return cell

    def cell_with_text(self, code: str) -> Locator:
        """The first code cell whose source contains `code`."""
        find = "code => window.jupyterapp.shell.currentWidget.model.sharedModel.cells"
        find += ".findIndex(c => c.cell_type === 'code' && c.source.includes(code))"
        return self.cell(self.page.evaluate(find, code))


def milliseconds_to(what: str, place: Locator, key: str) -> float:
    """From pressing `key` to the next change of `what`, "img" say, a selector in `place`."""
    change = place.page.evaluate_handle(
        f"arguments_ => ({{promise: ({NEXT_CHANGE})(arguments_)}})",
        [place.element_handle(), what],
    )
    place.page.keyboard.press(key)
    return place.page.evaluate("change => change.promise", change)
