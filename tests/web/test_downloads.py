"""What pages are made of is taken only if it is what it should be, and kept."""

import subprocess
import urllib.error
import urllib.request
import zipfile
from hashlib import sha256

import pytest

from web import downloads
from web.downloads import DownloadError, Package, npm_folder, pyodide_wheel, pypi_wheel

WHEEL = "numpy-1-py3-none-any.whl"


@pytest.fixture
def offline(monkeypatch):
    def refuse(*args, **options):
        raise urllib.error.URLError("no network")

    def fail(command, **options):
        return subprocess.CompletedProcess(command, 1, "", "ERROR: no network")

    monkeypatch.setattr(urllib.request, "urlopen", refuse)
    monkeypatch.setattr(downloads.subprocess, "run", fail)


def test_an_altered_file_is_refused(tmp_path):
    file = tmp_path / WHEEL
    file.write_bytes(b"altered")
    with pytest.raises(DownloadError, match="(?s)SHA-256 is .*expected .*Delete it"):
        pyodide_wheel(WHEEL, sha256(b"right").hexdigest(), tmp_path)
    assert file.read_bytes() == b"altered"


def test_an_altered_answer_is_refused_each_time(tmp_path, monkeypatch):
    class Answer:
        def __enter__(self):
            return self

        def __exit__(self, *error):
            pass

        def read(self):
            return b"altered"

    monkeypatch.setattr(urllib.request, "urlopen", lambda *args, **options: Answer())
    for _ in range(2):
        with pytest.raises(DownloadError, match="SHA-256"):
            pyodide_wheel(WHEEL, sha256(b"right").hexdigest(), tmp_path)
    assert not (tmp_path / WHEEL).exists()


def test_what_is_kept_needs_no_network(tmp_path, offline):
    (tmp_path / WHEEL).write_bytes(b"right")
    assert pyodide_wheel(WHEEL, sha256(b"right").hexdigest(), tmp_path) == tmp_path / WHEEL


def test_offline_it_says_what_to_do(tmp_path, offline):
    package = Package("katex", "1.0", "0" * 64, "MIT")
    for fetch in (npm_folder, pypi_wheel):
        with pytest.raises(DownloadError, match="could not be fetched: ERROR: no network\nCheck"):
            fetch(package, tmp_path)
    with pytest.raises(DownloadError, match="open-webui.* could not be fetched"):
        pyodide_wheel(WHEEL, "0" * 64, tmp_path)


def test_without_npm_it_says_where_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DownloadError, match="https://nodejs.org"):
        npm_folder(Package("katex", "1.0", "0" * 64, "MIT"), tmp_path)


def test_where_the_cdn_is_not_reached_a_wheel_comes_from_elsewhere(tmp_path, offline):
    spec, folder = downloads.ELSEWHERE
    with zipfile.ZipFile(tmp_path / f"{spec}.whl", "w") as archive:
        archive.writestr(folder + WHEEL, b"right")
    file = pyodide_wheel(WHEEL, sha256(b"right").hexdigest(), tmp_path)
    assert file.read_bytes() == b"right"
    with pytest.raises(DownloadError, match="neither at .* nor in .*open-webui"):
        pyodide_wheel("scipy-1.whl", "0" * 64, tmp_path)
