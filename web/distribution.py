"""The Python of the pages: Pyodide, and compiled wheels of what the explorers need."""

import email
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

CORE = "pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip"
WANTED = "numpy", "matplotlib", "pillow"
UNUSED = "fonttools", "pytz"  # matplotlib wants them for PDF and for time zones
BNLIB_NEEDS = "numpy", "matplotlib", "pillow", "ipywidgets"


def build(root: Path, out: Path, cache: Path) -> list[Package]:
    """Put a distribution into the folder `out`, and return what is in it that is not ours.

    Args:
        root: of the project.
        out: made anew.
        cache: of downloads and of compiled wheels.
    """
    pyodide = npm_folder(NPM[0], cache)
    packages = lock(pyodide)["packages"]
    entries = {name: packages[name] for name in _closure(packages, WANTED)}
    wheels = {
        name: pyodide_wheel(entry["file_name"], entry["sha256"], cache)
        for name, entry in entries.items()
    }
    for entry in entries.values():
        entry["depends"] = [name for name in entry["depends"] if name not in UNUSED]
    for package in PYPI:
        wheels[package.name] = pypi_wheel(package, cache)
        entries[package.name] = _entry(wheels[package.name], [])
    entries["ipywidgets"]["depends"] = ["comm", "traitlets"]
    wheels["bnlib"] = _wheel_of_bnlib(root, cache)
    entries["bnlib"] = _entry(wheels["bnlib"], [*BNLIB_NEEDS])
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    for file in CORE:
        shutil.copy(pyodide / file, out)
    for name, file in _compiled(wheels, pyodide, cache).items():
        shutil.copy(file, out / entries[name]["file_name"])
        entries[name]["sha256"] = sha256(file.read_bytes()).hexdigest()
    whole = lock(pyodide) | {"packages": dict(sorted(entries.items()))}
    (out / "pyodide-lock.json").write_text(json.dumps(whole), encoding="utf-8")
    ours = {"bnlib", *(package.name for package in PYPI)}
    return [
        Package(name, entry["version"], entry["sha256"], _licence(wheels[name]))
        for name, entry in entries.items()
        if name not in ours
    ]


def _licence(wheel: Path) -> str:
    """Return the licence that a wheel names."""
    with zipfile.ZipFile(wheel) as archive:
        [metadata] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        said = email.message_from_bytes(archive.read(metadata))
    classified = [c.rsplit(" :: ", 1)[1] for c in said.get_all("Classifier", []) if "License" in c]
    return said["License-Expression"] or ", ".join(classified) or said["License"]


def _closure(packages: dict, wanted: tuple[str, ...]) -> list[str]:
    found, todo = [], [*wanted]
    while todo:
        name = todo.pop().lower().replace("_", "-")
        if name not in (*found, *UNUSED):
            found.append(name)
            todo += packages[name]["depends"]
    return found


def _entry(file: Path, depends: list[str]) -> dict:
    """Describe a wheel as Pyodide's lock file does."""
    name, version = file.name.split("-")[:2]
    tops = {
        path.split("/")[0] for path in zipfile.ZipFile(file).namelist() if "dist-info" not in path
    }
    return {
        "name": name,
        "version": version,
        "file_name": file.name,
        "install_dir": "site",
        "sha256": "",
        "package_type": "package",
        "imports": sorted(tops),
        "depends": depends,
        "unvendored_tests": False,
    }


def _wheel_of_bnlib(root: Path, cache: Path) -> Path:
    folder = cache / "bnlib"
    shutil.rmtree(folder, ignore_errors=True)
    options = ["--quiet", "--no-deps", "--wheel-dir", str(folder)]
    done = subprocess.run([sys.executable, "-m", "pip", "wheel", *options, str(root)])
    if done.returncode:
        raise DownloadError("bnlib could not be made into a wheel; the lines above say why.")
    [file] = folder.glob("*.whl")
    return file


def _compiled(wheels: dict[str, Path], pyodide: Path, cache: Path) -> dict[str, Path]:
    """Compile wheels; those that were compiled before are in the cache."""
    script = Path(__file__).with_name("compile.mjs")
    files, todo = {}, []
    for name, file in wheels.items():
        digest = sha256(file.read_bytes() + script.read_bytes()).hexdigest()[:16]
        files[name] = cache / f"{name}-{digest}.compiled"
        if not files[name].exists():
            todo += [str(file), str(files[name])]
    if todo:
        print("Compiling for the browser …", file=sys.stderr, flush=True)
        subprocess.run(["node", str(script), str(pyodide), *todo], check=True)
    return files
