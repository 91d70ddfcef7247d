"""The web pages, behind a server that only serves files."""

import contextlib
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

from web.build import SITE


def parts() -> Path:
    """Return the folder with what the pages fetch: scripts, Python and recordings."""
    [script] = SITE.glob("*/start.mjs")
    return script.parent


class Site(http.server.SimpleHTTPRequestHandler):
    """Serves the pages in `folder` and notes which paths were asked for; answers while `is_up`."""

    asked: list[str] = []
    is_up = True
    folder = SITE

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if self.is_up:
            self.directory = str(self.folder)
            super().do_GET()

    def log_message(self, *args) -> None:
        pass


@contextlib.contextmanager
def served() -> Iterator[str]:
    """Serve what has been built, and give the address."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
