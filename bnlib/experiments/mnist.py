"""MNIST: 70,000 handwritten digits, downloaded when somebody asks for them, and kept in a cache.

Nothing here reaches for the network but `download`, and it fetches only what is missing.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import ssl
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
TIMEOUT = 20  # seconds without a byte
PIECE = 1 << 16  # bytes that are written at a time
NETWORK_ERRORS = (
    urllib.error.URLError,
    HTTPException,
    TimeoutError,
    ConnectionError,
    ssl.SSLError,
)


class File(NamedTuple):
    """One of the four files, compressed, as it is published."""

    name: str
    size: int  # bytes
    sha256: str


TRAIN = (
    File(
        "train-images-idx3-ubyte.gz",
        9_912_422,
        "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    ),
    File(
        "train-labels-idx1-ubyte.gz",
        28_881,
        "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    ),
)
TEST = (
    File(
        "t10k-images-idx3-ubyte.gz",
        1_648_877,
        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    ),
    File(
        "t10k-labels-idx1-ubyte.gz",
        4_542,
        "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    ),
)
FILES = TRAIN + TEST


class DownloadError(OSError):
    """MNIST could not be downloaded; the message says what was tried, and what to do."""


class Mnist(NamedTuple):
    """Images as rows of 784 pixels in [0, 1], with their digits 0 to 9."""

    x_train: NDArray[np.float32]  # (60000, 784), or (8000, 784)
    y_train: NDArray[np.int64]  # (60000,), or (8000,)
    x_test: NDArray[np.float32]  # (10000, 784), or (2000, 784)
    y_test: NDArray[np.int64]  # (10000,), or (2000,)


def cache_folder() -> Path:
    """Return the folder for MNIST in the user's cache, where each system has its caches."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA", "")
        other = Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        base, other = "", Path.home() / "Library" / "Caches"
    else:
        base, other = os.environ.get("XDG_CACHE_HOME", ""), Path.home() / ".cache"
    # A relative path in XDG_CACHE_HOME is to be ignored, says its specification.
    return (Path(base) if os.path.isabs(base) else other) / "bnlib" / "mnist"


def is_complete(folder: Path | None = None) -> bool:
    """Return whether all four files lie in `folder`, the cache if None, and are what they were."""
    folder = folder or cache_folder()
    return all(_is_good(folder / file.name, file) for file in FILES)


def load(folder: Path | None = None) -> Mnist:
    """Load MNIST from a folder; the network is not touched.

    Args:
        folder: with the four compressed files; the cache if None. If it holds only the 10,000 test
            images, every fifth of them is for testing, and the other 8,000 are for training.

    Raises:
        FileNotFoundError: a file is missing; the message says how to get it.
        ValueError: a file is damaged; likewise.

    Source: Y. LeCun, C. Cortes, C. Burges, The MNIST database of handwritten digits.
    """
    folder = folder or cache_folder()
    x_test, y_test = _images(folder, TEST)
    if any((folder / file.name).exists() for file in TRAIN):
        return Mnist(*_images(folder, TRAIN), x_test, y_test)
    test = np.arange(len(y_test)) % 5 == 4
    return Mnist(x_test[~test], y_test[~test], x_test[test], y_test[test])


def download(folder: Path | None = None) -> Path:
    """Download what is missing or damaged of the four files (11.6 MB), and return their folder.

    A download that broke off goes on where it stopped. Each file is tried at one mirror after the
    other, and taken only if its SHA-256 is right.

    Args:
        folder: where to put them; the cache if None.

    Raises:
        DownloadError: no mirror gave a file, or it cannot be stored.
    """
    folder = folder or cache_folder()
    for file in FILES:
        if not _is_good(folder / file.name, file):
            print(f"{file.name}, {file.size / 1e6:.1f} MB", flush=True)
            _fetch(file, folder)
    return folder


def _fetch(file: File, folder: Path) -> None:
    """Bring one file to `folder`; what has come of it so far lies beside it, as .part."""
    part, failures = folder / f"{file.name}.part", []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for mirror in MIRRORS:
            try:
                _resume(mirror + file.name, part, file.size)
            except NETWORK_ERRORS as error:
                failures.append(f"{mirror} ({_reason(error)})")
                continue
            if _is_good(part, file):
                part.replace(folder / file.name)
                return
            failures.append(f"{mirror} ({_shortage(part, file)})")
    except OSError as error:
        raise DownloadError(
            f"MNIST cannot be stored in {folder}: {_reason(error)}. Say where it may lie, as in "
            "download(Path('a/folder')), and load it from there."
        ) from error
    raise DownloadError(
        f"{file.name} of MNIST could not be downloaded. Tried: {'; '.join(failures)}. Check the "
        f"connection or proxy and try again, or copy the file to {folder} yourself. All lessons "
        "work without it, on the small digits that they bring along."
    )


def _resume(address: str, part: Path, size: int) -> None:
    """Append to `part` what is missing of a file of `size` bytes, or write it anew."""
    have = part.stat().st_size if part.exists() else 0
    if have >= size:  # whole, and yet it was not taken
        part.unlink()
        have = 0
    request = urllib.request.Request(address)
    if have:
        request.add_header("Range", f"bytes={have}-")
    with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
        goes_on = have and answer.status == 206
        with part.open("ab" if goes_on else "wb") as file:
            for piece in _pieces(answer, size):
                file.write(piece)


def _pieces(answer, size: int) -> Iterator[bytes]:
    """Yield what comes, but not much more than `size` bytes of it, whatever a server may send."""
    for _ in range(0, size + PIECE, PIECE):
        piece = answer.read(PIECE)
        if not piece:
            return
        yield piece


def _shortage(part: Path, file: File) -> str:
    """Say what is wrong with what has come; keep it only if more of it may still come."""
    have = part.stat().st_size
    if have < file.size:
        return f"broke off after {have} of {file.size} bytes"
    part.unlink()
    return "another file: its SHA-256 is wrong"


def _reason(error: Exception) -> str:
    """Return why, in the system's words where it has some."""
    reason = getattr(error, "reason", None)  # of a URLError, an exception or a text
    error = reason if isinstance(reason, Exception) else error
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _is_good(path: Path, file: File) -> bool:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() == file.sha256
    except OSError:
        return False


def _images(
    folder: Path, files: tuple[File, File]
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return the images (N, 784) and the labels (N,) of a pair of files."""
    pixels, labels = (_bytes_of(folder / file.name, file) for file in files)
    x = np.frombuffer(pixels, np.uint8, offset=16).reshape(-1, 784).astype(np.float32)
    x /= 255  # in place: the 60,000 take 188 MB
    return x, np.frombuffer(labels, np.uint8, offset=8).astype(np.int64)


def _bytes_of(path: Path, file: File) -> bytes:
    remedy = "bnlib.experiments.mnist.download() fetches it."
    if not path.exists():
        raise FileNotFoundError(f"A file of MNIST is missing: there is no {path}. {remedy}")
    if not _is_good(path, file):
        raise ValueError(f"{path} is damaged or altered: its SHA-256 is wrong. {remedy}")
    return gzip.decompress(path.read_bytes())
