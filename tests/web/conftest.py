"""The pages, built once, and a server of files."""

import functools
import http.server
import threading
from collections.abc import Iterator

import pytest

from web.build import SITE, build
from web.downloads import DownloadError


@pytest.fixture(scope="session")
def site() -> Iterator[str]:
    """The address of the pages. Where their parts cannot be had, their tests are skipped."""
    try:
        build()
    except DownloadError as why:
        pytest.skip(str(why))

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args) -> None:
            pass

    handler = functools.partial(Quiet, directory=str(SITE))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
