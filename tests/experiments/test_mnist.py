"""MNIST: fetched from a mirror of the tests' own, never from the network."""

import gzip
import hashlib
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from bnlib.experiments import mnist
from bnlib.experiments.mnist import DownloadError, File, cache_folder, download, is_complete, load
from tests.conftest import ROOT


def idx(array: np.ndarray) -> bytes:
    """An array of bytes in the format of MNIST, compressed."""
    head = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">i4").tobytes()
    return gzip.compress(head + array.astype(np.uint8).tobytes(), mtime=0)


GENERATOR = np.random.default_rng(0)
CONTENTS = {
    "train-images-idx3-ubyte.gz": idx(GENERATOR.integers(0, 256, (30, 28, 28))),
    "train-labels-idx1-ubyte.gz": idx(np.arange(30) % 10),
    "t10k-images-idx3-ubyte.gz": idx(GENERATOR.integers(0, 256, (20, 28, 28))),
    "t10k-labels-idx1-ubyte.gz": idx(np.arange(20) % 10),
}
FILES = [File(n, len(c), hashlib.sha256(c).hexdigest()) for n, c in CONTENTS.items()]
FIRST = FILES[0]
CONTENT = CONTENTS[FIRST.name]


class Mirror(ThreadingHTTPServer):
    """Serves CONTENTS, as well as it is told to.

    Attributes:
        address: of the folder.
        asked: (file, the Range that was asked for) of each request.
        broken_off: serve only so many bytes of a file.
        altered: serve other bytes.
        ranges: whether it can begin in the middle of a file.
        down: whether it answers with an error.
    """

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server_port}/mnist/"
        self.asked = []
        self.broken_off, self.altered, self.ranges, self.down = None, False, True, False


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        mirror, name = self.server, self.path.split("/")[-1]
        wanted = self.headers["Range"]
        mirror.asked.append((name, wanted))
        if mirror.down:
            self.send_error(503)
            return
        content = CONTENTS[name][::-1] if mirror.altered else CONTENTS[name]
        start = int(wanted[6:-1]) if wanted and mirror.ranges else 0
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        self.wfile.write(content[start : mirror.broken_off])

    def log_message(self, *_):
        pass


@pytest.fixture
def mirrors(monkeypatch):
    """Two mirrors of the small files; the first one is asked first."""
    both = Mirror(), Mirror()
    for mirror in both:
        threading.Thread(target=mirror.serve_forever, args=(0.01,), daemon=True).start()
    monkeypatch.setattr(mnist, "MIRRORS", tuple(mirror.address for mirror in both))
    monkeypatch.setattr(mnist, "TRAIN", tuple(FILES[:2]))
    monkeypatch.setattr(mnist, "TEST", tuple(FILES[2:]))
    monkeypatch.setattr(mnist, "FILES", tuple(FILES))
    yield both
    for mirror in both:
        mirror.shutdown()
        mirror.server_close()


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "cache" / "mnist"


def files_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


# What comes


def test_it_is_downloaded_once(mirrors, folder, capsys):
    assert download(folder) == folder
    assert files_in(folder) == CONTENTS and is_complete(folder)
    assert "train-images-idx3-ubyte.gz, 0.0 MB" in capsys.readouterr().out
    download(folder)
    assert [name for name, _ in mirrors[0].asked] == [*CONTENTS] and mirrors[1].asked == []


def test_what_is_loaded_are_images_and_their_digits(mirrors, folder):
    images = load(download(folder))
    assert images.x_train.shape == (30, 784) and images.x_test.shape == (20, 784)
    assert images.x_train.dtype == np.float32 and images.y_test.dtype == np.int64
    assert 0 <= images.x_train.min() < 0.01 and 0.99 < images.x_train.max() <= 1
    pixels = np.frombuffer(gzip.decompress(CONTENT), np.uint8)[16:]
    np.testing.assert_array_equal(np.round(255 * images.x_train.ravel()), pixels)
    assert images.y_train.tolist() == [k % 10 for k in range(30)]


def test_with_the_test_images_alone_every_fifth_is_for_testing(mirrors, folder):
    whole = load(download(folder))
    for file in mnist.TRAIN:
        (folder / file.name).unlink()
    part = load(folder)
    np.testing.assert_array_equal(part.x_test, whole.x_test[4::5])
    assert part.y_test.tolist() == [4, 9, 4, 9] and len(part.y_train) == 16
    assert not is_complete(folder)


def test_half_of_the_training_part_is_no_training_part(mirrors, folder):
    download(folder)
    (folder / FILES[1].name).unlink()
    with pytest.raises(FileNotFoundError, match=r"there is no .*train-labels.*download\(\)"):
        load(folder)


def test_nothing_is_loaded_from_the_network(mirrors, folder):
    with pytest.raises(FileNotFoundError, match=r"MNIST is missing.*mnist\.download\(\) fetches"):
        load(folder)
    assert mirrors[0].asked == [] and not is_complete(folder)


def test_the_checksums_are_those_of_the_published_files():
    """As many public programs state them, and as the 10,000 test images are."""
    assert [file.name for file in mnist.FILES] == [*CONTENTS]
    assert [file.size for file in mnist.FILES] == [9_912_422, 28_881, 1_648_877, 4_542]
    assert [file.sha256[:8] for file in mnist.FILES] == [
        "440fcabf",
        "3552534a",
        "8d422c7b",
        "f7ae60f9",
    ]
    assert {len(file.sha256) for file in mnist.FILES} == {64}
    assert all(mirror.startswith("https://") and mirror.endswith("/") for mirror in mnist.MIRRORS)


# When something goes wrong


def test_a_dead_mirror_is_passed_over(mirrors, folder, monkeypatch):
    monkeypatch.setattr(mnist, "MIRRORS", ("http://127.0.0.1:9/", mirrors[1].address))
    assert is_complete(download(folder))
    assert len(mirrors[1].asked) == 4


def test_a_mirror_that_answers_with_an_error_is_passed_over(mirrors, folder):
    mirrors[0].down = True
    assert is_complete(download(folder))


def test_another_file_is_not_taken(mirrors, folder):
    mirrors[0].altered = True
    assert is_complete(download(folder))
    assert mirrors[1].asked == [(name, None) for name in CONTENTS], "all of it, anew"


def test_what_broke_off_is_resumed_at_the_next_mirror(mirrors, folder):
    mirrors[0].broken_off = 100
    assert is_complete(download(folder))
    assert mirrors[1].asked[0] == (FIRST.name, "bytes=100-")
    assert [*files_in(folder)] and not [*folder.glob("*.part")]


def test_what_broke_off_is_resumed_the_next_day(mirrors, folder):
    for mirror in mirrors:
        mirror.broken_off = 100
    with pytest.raises(DownloadError, match=rf"broke off after 100 of {FIRST.size} bytes"):
        download(folder)
    assert files_in(folder) == {f"{FIRST.name}.part": CONTENT[:100]}
    for mirror in mirrors:
        mirror.broken_off = None
    assert is_complete(download(folder))
    assert mirrors[0].asked[-4] == (FIRST.name, "bytes=100-")


def test_a_mirror_that_cannot_resume_sends_all_of_it(mirrors, folder):
    mirrors[0].broken_off, mirrors[1].ranges = 100, False
    assert is_complete(download(folder))


@pytest.mark.parametrize("part", [b"wrong" * 20, CONTENT[::-1], CONTENT + b"more"])
def test_a_damaged_part_is_not_built_upon(mirrors, folder, part):
    folder.mkdir(parents=True)
    (folder / f"{FIRST.name}.part").write_bytes(part)
    assert is_complete(download(folder))


def test_a_damaged_file_is_refused_and_repaired(mirrors, folder):
    path = download(folder) / FIRST.name
    path.write_bytes(CONTENT[:-1])
    with pytest.raises(ValueError, match=r"train-images.* is damaged.*download\(\)"):
        load(folder)
    assert not is_complete(folder)
    assert is_complete(download(folder))
    assert len(mirrors[0].asked) == 5, "only the damaged one is fetched again"


def test_a_server_that_never_ends_does_not_fill_the_disk(mirrors, folder, monkeypatch):
    monkeypatch.setattr(mnist, "PIECE", 64)
    small = FIRST._replace(size=100)
    monkeypatch.setattr(mnist, "FILES", (small,))
    monkeypatch.setattr(mnist, "MIRRORS", mnist.MIRRORS[:1])
    seen = []
    monkeypatch.setattr(
        mnist, "_is_good", lambda path, _: bool(seen.append(path.exists() and path.stat().st_size))
    )
    with pytest.raises(DownloadError):
        download(folder)
    assert max(seen) < 300 < FIRST.size


def test_offline_a_sentence_says_what_was_tried_and_what_to_do(folder, monkeypatch):
    dead = "http://127.0.0.1:9/a/", "http://no-such-host.invalid/b/"
    monkeypatch.setattr(mnist, "MIRRORS", dead)
    with pytest.raises(DownloadError) as raised:
        download(folder)
    words = str(raised.value)
    assert "train-images-idx3-ubyte.gz of MNIST could not be downloaded. Tried: " in words
    assert all(address in words for address in dead) and str(folder) in words
    assert "Check the connection or proxy" in words and "All lessons work without it" in words


def test_a_mirror_that_is_silent_is_given_up(mirrors, folder, monkeypatch):
    def silent(*_, **__):
        raise TimeoutError("timed out")

    monkeypatch.setattr(mnist.urllib.request, "urlopen", silent)
    with pytest.raises(DownloadError, match="timed out"):
        download(folder)


def test_where_nothing_can_be_written_it_says_so(mirrors, tmp_path):
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(DownloadError, match=r"MNIST cannot be stored in .*: Not a directory"):
        download(file / "mnist")
    assert mirrors[0].asked == []


def test_a_read_only_cache_is_told(mirrors, folder, monkeypatch):
    """Root may write anywhere, so the system's refusal is played."""

    def refused(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refused)
    with pytest.raises(DownloadError, match=r"cannot be stored in .*: Permission denied.*download"):
        download(folder)


# Where it lies


@pytest.mark.parametrize(
    ("system", "variables", "expected"),
    [
        ("linux", {"XDG_CACHE_HOME": "/caches"}, "/caches/bnlib/mnist"),
        ("linux", {}, "/home/ada/.cache/bnlib/mnist"),
        ("linux", {"XDG_CACHE_HOME": "not/absolute"}, "/home/ada/.cache/bnlib/mnist"),
        ("darwin", {"XDG_CACHE_HOME": "/caches"}, "/home/ada/Library/Caches/bnlib/mnist"),
        ("win32", {"LOCALAPPDATA": "/local"}, "/local/bnlib/mnist"),
        ("win32", {}, "/home/ada/AppData/Local/bnlib/mnist"),
    ],
)
def test_each_system_has_its_cache(monkeypatch, system, variables, expected):
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(Path, "home", lambda: Path("/home/ada"))
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert cache_folder() == Path(expected)


def test_the_cache_is_where_it_goes_if_nothing_is_said(mirrors, tmp_path, monkeypatch):
    monkeypatch.setattr(mnist, "cache_folder", lambda: tmp_path / "of the user")
    assert download() == tmp_path / "of the user"
    assert is_complete() and len(load().y_train) == 30


def test_importing_it_touches_neither_network_nor_disk(tmp_path):
    code = "import socket, sys\nsocket.socket.connect = None\nimport bnlib.experiments.mnist\n"
    code += "print('torch' in sys.modules)"
    run = {"cwd": ROOT, "capture_output": True, "text": True}
    environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path), "LOCALAPPDATA": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, **run)
    assert done.stdout.strip() == "False", done.stderr
    assert [*tmp_path.iterdir()] == []
