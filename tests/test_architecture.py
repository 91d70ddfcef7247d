"""The floors of bnlib: imports only go down, and what is light stays light."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "bnlib"
FLOORS = [
    {"numpy_bn", "torch_bn", "__init__"},
    {"data", "evaluation", "experiments", "models", "recorder", "signal_propagation", "training"}
    | {"activation_measures"},
    {"live", "live_training", "activation_plots", "mode_plots", "plots", "shift_plots"},
    {"explorers"},
]
MODULES = sorted(PACKAGE.rglob("*.py"))


def floor(name: str) -> int:
    """The floor of a module, by its name below bnlib."""
    floors = [number for number, names in enumerate(FLOORS) if name in names]
    assert floors, f"bnlib.{name} is new: write it into FLOORS, on the floor where it belongs"
    return floors[0]


def name_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> set[str]:
    """The absolute names that a module imports, anywhere in it: "numpy", "bnlib.plots", …"""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: write bnlib.… in full, imports are compared by name"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def of_bnlib(names: set[str]) -> set[str]:
    return {name.split(".")[1] for name in names if name.startswith("bnlib.")} - {"__version__"}


def by_path(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


@pytest.mark.parametrize("path", MODULES, ids=by_path)
def test_imports_only_go_down(path):
    below = floor(name_of(path))
    assert {name for name in of_bnlib(imports(path)) if floor(name) > below} == set()


@pytest.mark.parametrize("name", ["numpy_bn", "torch_bn"])
def test_the_numerics_import_numpy_or_torch_only(name):
    names = imports(PACKAGE / f"{name}.py")
    assert of_bnlib(names) == set()
    others = {name.split(".")[0] for name in names} - sys.stdlib_module_names
    assert others == {name.split("_")[0]}


def loaded_after(code: str) -> set[str]:
    """The modules in memory after `code` has run in a Python of its own."""
    code += "\nimport sys\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_importing_bnlib_loads_nothing_heavy():
    assert loaded_after("import bnlib").isdisjoint({"torch", "matplotlib", "ipywidgets", "IPython"})


@pytest.mark.parametrize(
    "module", ["plots", "live", "live_training", "activation_plots", "mode_plots", "shift_plots"]
)
def test_pictures_do_not_load_torch(module):
    assert "torch" not in loaded_after(f"import bnlib.{module}")


PROBE = """
import json, pathlib, sys
status = pathlib.Path("/proc/self/status")
print(json.dumps({"modules": [*sys.modules], "status": status.exists() and status.read_text()}))
"""


@pytest.fixture(scope="module")
def lesson_00() -> dict:
    """What the kernel of lesson 00 says of itself once all its cells have run."""
    notebook = nbformat.read(ROOT / "notebooks" / "00_start_here.ipynb", as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell(PROBE))
    folder = {"metadata": {"path": str(ROOT / "notebooks")}}
    NotebookClient(notebook, kernel_name="python3", resources=folder).execute()
    return json.loads(notebook.cells[-1].outputs[0].text)


def test_lesson_00_does_not_load_torch(lesson_00):
    assert "torch" not in lesson_00["modules"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process its peak memory")
def test_lesson_00_takes_at_most_200_MB(lesson_00):
    kilobytes = int(re.search(r"VmHWM:\s+(\d+) kB", lesson_00["status"])[1])
    assert kilobytes <= 200_000
