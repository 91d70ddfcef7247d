"""A hub as `python3 run.py hub` starts it, on copies of hub/ and of the lessons."""

import contextlib
import importlib.util
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import psutil

from tests.conftest import NOTEBOOKS, ROOT

# Beside what is tested: ports of its own, a disk that can be said to be full, and a JupyterLab that
# tests/tools/browser.py can ask.
CONFIG = """
import shutil
from pathlib import Path

load_subconfig({config!r})
c.JupyterHub.bind_url = "http://127.0.0.1:{}"
c.JupyterHub.hub_port = {}
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{}"
c.Spawner.args.append("--LabApp.expose_app_in_browser=True")

usage, full = shutil.disk_usage, Path({full!r})
shutil.disk_usage = lambda path: usage(path)._replace(free=0) if full.exists() else usage(path)
"""


class ClassHub:
    """A running hub; `root` holds copies of hub/ and notebooks/, and the folder class/."""

    def __init__(self, root: Path):
        self.root, self.full, self.ports = root, root / "full", free_ports(3)
        self.url = f"http://127.0.0.1:{self.ports[0]}"
        for folder in (ROOT / "hub", NOTEBOOKS):
            shutil.copytree(folder, root / folder.name)
        self.config, config = root / "test_config.py", str(root / "hub" / "jupyterhub_config.py")
        self.config.write_text(CONFIG.format(*self.ports, config=config, full=str(self.full)))
        self.start()

    def start(self) -> None:
        """Start the hub, and wait until it answers."""
        command = [sys.executable, "-m", "jupyterhub", f"--config={self.config}"]
        with (self.root / "hub.log").open("ab") as log:
            self.process = subprocess.Popen(command, cwd=self.root, stdout=log, stderr=log)
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and self.process.poll() is None:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{self.url}/hub/health", timeout=1)
                return
            time.sleep(0.2)
        raise RuntimeError((self.root / "hub.log").read_text()[-3000:])

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Stop the hub; the servers of students go on."""
        self.process.send_signal(how)
        self.process.wait(timeout=60)

    def close(self) -> None:
        """Stop the hub and all that students run."""
        self.stop()
        for process in self.servers():
            with contextlib.suppress(psutil.Error):
                process.kill()

    def servers(self) -> list[psutil.Process]:
        """The servers of students, and their kernels."""
        return [p for p in psutil.process_iter() if self._is_student(p)]

    def _is_student(self, process: psutil.Process) -> bool:
        with contextlib.suppress(psutil.Error):
            return Path(process.cwd()).is_relative_to(self.root / "class" / "students")
        return False

    @property
    def password(self) -> str:
        """The one that students have."""
        return self.password_of("class")

    def password_of(self, whom: str) -> str:
        """The password of the "class" or of the "teacher"."""
        return (self.root / "class" / f"{whom}-password.txt").read_text().strip()


def install_proxy() -> None:
    """Install JupyterHub's proxy in this environment; SystemExit says what is missing for it."""
    if Path(sys.prefix, "node_modules", ".bin", "configurable-http-proxy").exists():
        return
    spec = importlib.util.spec_from_file_location("run", ROOT / "run.py")
    assert spec is not None and spec.loader is not None  # the file is there
    run = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(run)
    run.VENV = sys.prefix
    run.check_node()
    run.install_proxy()


def free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
