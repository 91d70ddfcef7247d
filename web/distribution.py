"""The Python of the pages: Pyodide, the compiled packages, and the memory that it starts with."""

import email
import gzip
import json
import shutil
import subprocess
import sys
import zipfile
from hashlib import sha256
from pathlib import Path

from web.downloads import (
    NPM,
    PYPI,
    DownloadError,
    Package,
    lock,
    npm_folder,
    pyodide_wheel,
    pypi_wheel,
)

HERE = Path(__file__).parent
CORE = "pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip"
WANTED = "numpy", "matplotlib", "pillow"
UNUSED = "fonttools", "pytz"  # matplotlib wants them for PDF and for time zones


def build(root: Path, out: Path, cache: Path) -> list[Package]:
    """Put a distribution into `out`/pyodide, and return which of Pyodide's wheels are in it.

    Args:
        root: of the project.
        out: with start.mjs in it; its folder pyodide/ is made here.
        cache: of downloads, of compiled wheels and of the memory.
    """
    pyodide = npm_folder(NPM[0], cache)
    whole = lock(pyodide)
    entries = {name: whole["packages"][name] for name in _closure(whole["packages"])}
    theirs = {
        name: pyodide_wheel(entry["file_name"], entry["sha256"], cache)
        for name, entry in entries.items()
    }
    others = [*(pypi_wheel(package, cache) for package in PYPI), _wheel_of_bnlib(root, cache)]
    folder = out / "pyodide"
    folder.mkdir()
    for file in CORE:
        shutil.copy(pyodide / file, folder)
    no_wheels = json.dumps(whole | {"packages": {}})
    (folder / "pyodide-lock.json").write_text(no_wheels, encoding="utf-8")
    files = {"bridge.py": (HERE / "bridge.py").read_bytes()}
    for wheel in _compiled([*theirs.values(), *others], pyodide, cache):
        files |= _files(wheel)
    (folder / "packages.bin").write_bytes(packed(files))
    shutil.copy(_memory(out, cache), folder / "memory.bin")
    return [
        Package(name, entry["version"], entry["sha256"], _licence(theirs[name]))
        for name, entry in entries.items()
    ]


def _closure(packages: dict) -> list[str]:
    """Return the names of the packages of Pyodide that are needed."""
    found, todo = [], [*WANTED]
    while todo:
        name = todo.pop().lower().replace("_", "-")
        if name not in (*found, *UNUSED):
            found.append(name)
            todo += packages[name]["depends"]
    return found


def _licence(wheel: Path) -> str:
    """Return the licence that a wheel names."""
    with zipfile.ZipFile(wheel) as archive:
        [metadata] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        said = email.message_from_bytes(archive.read(metadata))
    classified = [c.rsplit(" :: ", 1)[1] for c in said.get_all("Classifier", []) if "License" in c]
    return said["License-Expression"] or ", ".join(classified) or said["License"]


def _wheel_of_bnlib(root: Path, cache: Path) -> Path:
    folder = cache / "bnlib"
    shutil.rmtree(folder, ignore_errors=True)
    options = ["--quiet", "--no-deps", "--wheel-dir", str(folder)]
    done = subprocess.run([sys.executable, "-m", "pip", "wheel", *options, str(root)])
    if done.returncode:
        raise DownloadError("bnlib could not be made into a wheel; the lines above say why.")
    [file] = folder.glob("*.whl")
    return file


def _compiled(wheels: list[Path], pyodide: Path, cache: Path) -> list[Path]:
    """Compile wheels; those that were compiled before are in the cache."""
    script = HERE / "compile.mjs"
    files, todo = [], {}
    for wheel in wheels:
        content = NPM[0].sha256.encode() + wheel.read_bytes() + script.read_bytes()
        files.append(_place(cache, f"{wheel.name.split('-')[0]}.compiled", content))
        if not files[-1].exists():
            todo[files[-1]] = wheel
    if todo:
        print("Compiling for the browser …", file=sys.stderr, flush=True)
        pairs = [str(path) for to, wheel in todo.items() for path in (wheel, _part(to))]
        subprocess.run(["node", str(script), str(pyodide), *pairs], check=True)
    for file in todo:
        _part(file).rename(file)
    return files


def packed(files: dict[str, bytes]) -> bytes:
    """Return files as start.mjs unpacks them: a line of JSON with names and sizes, then all bytes.

    JavaScript unpacks this in a fifth of the time that Python in the page takes for an archive.
    """
    index = json.dumps([(name, len(content)) for name, content in files.items()])
    return gzip.compress(b"\n".join([index.encode(), b"".join(files.values())]), mtime=0)


def _files(wheel: Path) -> dict[str, bytes]:
    """Return name → content of the files in a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist() if name[-1] != "/"}


def _memory(out: Path, cache: Path) -> Path:
    """Return the memory that pages start with; what was made of the same is in the cache."""
    script = HERE / "memory.mjs"
    parts = sorted([*(out / "pyodide").iterdir(), out / "start.mjs", script])
    file = _place(cache, "memory.bin", b"".join(part.read_bytes() for part in parts))
    if not file.exists():
        subprocess.run(["node", str(script), str(out), str(_part(file))], check=True)
        _part(file).rename(file)
    return file


def _place(cache: Path, name: str, made_of: bytes) -> Path:
    """Return where to keep what is made of something, and drop what was made of anything else."""
    folder = cache / "made"
    folder.mkdir(exist_ok=True)
    file = folder / f"{sha256(made_of).hexdigest()[:16]}-{name}"
    for old in folder.glob(f"*-{name}"):
        if old != file:
            old.unlink()
    return file


def _part(file: Path) -> Path:
    """Return where a file is made, to be moved to its place when it is whole."""
    return file.with_name(f"{file.name}.part")
