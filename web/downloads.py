"""What the pages are made of and do not come from here: fetched once, kept, and checked.

A file is taken only if its SHA-256 is the one that is written down: here, or in the lock file of
Pyodide, which is itself one of these files.
"""

import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import urllib.request
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

PYODIDE = "314.0.3"
CDN = f"https://cdn.jsdelivr.net/pyodide/v{PYODIDE}/full/"  # of Pyodide's wheels
# The same wheels, byte by byte, for where the CDN cannot be reached: 106 MB, from PyPI.
ELSEWHERE = "open-webui==0.12.4", "open_webui/frontend/pyodide/"


class Package(NamedTuple):
    """A package from npm or PyPI, of one version."""

    name: str
    version: str
    sha256: str
    licence: str


NPM = [
    Package(
        "pyodide",
        PYODIDE,
        "d7f7d24f8db486c7eda7280f3b0f7517524c8e43e8b086c6ee6ae8016658b484",
        "MPL-2.0",
    ),
    Package(
        "@jupyter-widgets/html-manager",
        "1.0.15",
        "2b9d65cb7913e1c7d671757a10008b32c9c2448d4429513371e55c07d6107638",
        "BSD-3-Clause",
    ),
    Package(
        "requirejs",
        "2.3.7",
        "31f3330c978fb28684622fe71165dc946432cf0210b2ea8a1ca0233e70f2737d",
        "MIT",
    ),
    Package(
        "katex",
        "0.19.1",
        "24da5a599eb2fcede2e270b99a6ff48bca816beecc95feeb84e8cccbd1bb34fd",
        "MIT",
    ),
    Package(
        "marked",
        "18.2.1",
        "d66c5213fc203466186060105b01f51896764ba64b3797d2620d02e28e34b8ca",
        "MIT",
    ),
]
PYPI = [  # in Python alone, and not among Pyodide's wheels
    Package(
        "ipywidgets",
        "8.1.9",
        "f2b8cbcaae10252b809fbe4d7470db75c09b769a32cbf816d20e5ca6d3c5a79d",
        "BSD-3-Clause",
    ),
    Package(
        "traitlets",
        "5.16.1",
        "f775618166caa0396c8e337099240f2bd3e5e917d203b2e6fbe21a58d3cb1f6b",
        "BSD-3-Clause",
    ),
    Package(
        "comm",
        "0.2.3",
        "c615d91d75f7f04f095b30d1c1711babd43bdc6419c1be9886a85f2f4e489417",
        "BSD-3-Clause",
    ),
]


class DownloadError(Exception):
    """Something could not be had, or is not what it should be; the message says what to do."""


def npm_folder(package: Package, cache: Path) -> Path:
    """Return the unpacked folder of a package from npm."""
    stem = f"{package.name.strip('@').replace('/', '-')}-{package.version}"
    archive = _checked(cache / f"{stem}.tgz", package.sha256, lambda file: _npm_pack(package, file))
    folder = cache / stem
    if not folder.exists():
        part = folder.with_name(f"{stem}.part")
        shutil.rmtree(part, ignore_errors=True)
        with tarfile.open(archive) as tar:
            tar.extractall(part, filter="data")
        part.rename(folder)
    return folder / "package"


def pypi_wheel(package: Package, cache: Path) -> Path:
    """Return a wheel from PyPI that is in Python alone."""
    stem = package.name.replace("-", "_")
    file = cache / f"{stem}-{package.version}-py3-none-any.whl"
    spec = f"{package.name}=={package.version}"
    return _checked(file, package.sha256, lambda part: _pip_download(spec, part))


def pyodide_wheel(file_name: str, sha256: str, cache: Path) -> Path:
    """Return one of Pyodide's wheels."""
    collection = cache / f"{ELSEWHERE[0]}.whl"

    def fetch(file: Path) -> None:
        try:
            if not collection.exists():  # else the CDN could not be reached the last time
                with urllib.request.urlopen(CDN + file_name, timeout=20) as answer:
                    file.write_bytes(answer.read())
                return
        except OSError:
            print(f"\n{CDN} cannot be reached. Fetching {ELSEWHERE[0]}, 106 MB …", file=sys.stderr)
            _pip_download(ELSEWHERE[0], collection)
        _from_collection(collection, file_name, file)

    return _checked(cache / file_name, sha256, fetch)


def _checked(file: Path, sha256: str, fetch: Callable[[Path], None]) -> Path:
    """Return `file`, fetched if it is not there, and refused if it is not what it should be."""
    file.parent.mkdir(parents=True, exist_ok=True)
    if not file.exists():
        print(f"Fetching {file.name} … ", end="", file=sys.stderr, flush=True)
        part = file.with_name(f"{file.name}.part")
        fetch(part)
        print(f"{part.stat().st_size / 1e6:.1f} MB", file=sys.stderr)
        if _sha256(part) == sha256:
            part.rename(file)
    found = file if file.exists() else file.with_name(f"{file.name}.part")
    if _sha256(found) != sha256:
        raise DownloadError(
            f"{found} is not the file that the pages are made with: its SHA-256 is "
            f"{_sha256(found)}, expected {sha256}. Delete it and run this again."
        )
    return file


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _npm_pack(package: Package, file: Path) -> None:
    spec = f"{package.name}@{package.version}"
    folder = file.with_name(f"{file.name}.folder")
    folder.mkdir(exist_ok=True)
    npm = shutil.which("npm")
    if npm is None:
        raise DownloadError("npm is missing, which comes with Node: https://nodejs.org")
    _run([npm, "pack", spec, "--silent", "--pack-destination", str(folder)], spec)
    _move_the_one_in(folder, file)


def _pip_download(spec: str, file: Path) -> None:
    folder = file.with_name(f"{file.name}.folder")
    options = ["--quiet", "--no-deps", "--only-binary=:all:", "--dest", str(folder)]
    _run([sys.executable, "-m", "pip", "download", *options, spec], spec)
    _move_the_one_in(folder, file)


def _from_collection(collection: Path, file_name: str, file: Path) -> None:
    with zipfile.ZipFile(collection) as archive:
        try:
            file.write_bytes(archive.read(ELSEWHERE[1] + file_name))
        except KeyError:
            raise DownloadError(f"{file_name} is neither at {CDN} nor in {collection}.") from None


def _move_the_one_in(folder: Path, file: Path) -> None:
    [only] = folder.iterdir()
    only.replace(file)
    folder.rmdir()


def _run(command: list[str], what: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        raise DownloadError(
            f"{what} could not be fetched: {' '.join(last)}\nCheck the network and run this "
            "again. What has been fetched once is kept, and needs no network any more."
        )


def lock(pyodide: Path) -> dict:
    """Return Pyodide's list of its wheels, with a SHA-256 for each."""
    return json.loads((pyodide / "pyodide-lock.json").read_text(encoding="utf-8"))
