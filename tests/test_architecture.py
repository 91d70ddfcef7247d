"""Who may import whom in bnlib, folder by folder, and what is light and stays light."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.conftest import ROOT

PACKAGE = ROOT / "bnlib"
SUBJECT = "the subject"  # the modules at the root of bnlib
MAY_IMPORT = {
    SUBJECT: set(),
    "live": set(),
    "experiments": {SUBJECT},
    "pictures": {"live"},
    "exercises": {"live", "experiments", SUBJECT},
    "explorers": {"live", "experiments", "pictures", "exercises", SUBJECT},
}
MODULES = sorted(PACKAGE.rglob("*.py"))
FREE_OF_TORCH = ("live", "pictures", "exercises", "explorers")


def folder_of(name: str) -> str:
    """The folder of a module by its name: "bnlib.live.figure", as for an import of it."""
    parts = name.split(".")
    return parts[1] if len(parts) > 1 and (PACKAGE / parts[1]).is_dir() else SUBJECT


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> set[str]:
    """The absolute names that a module imports, anywhere in it, as in "bnlib.numpy_bn"."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: write bnlib.… in full, imports are compared by name"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def of_bnlib(names: set[str]) -> set[str]:
    return {name for name in names if name.split(".")[0] == "bnlib"}


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_a_folder_imports_only_from_those_it_may(path):
    folder = folder_of(module_name(path))
    imported = {folder_of(name) for name in of_bnlib(imports(path))}
    assert imported - {folder} <= MAY_IMPORT[folder]


def test_the_table_has_no_circle():
    """Folder by folder, each has only to do with those that are done already."""
    done: set[str] = set()
    while ready := [f for f, others in MAY_IMPORT.items() if f not in done and others <= done]:
        done |= {*ready}
    assert done == {*MAY_IMPORT}


@pytest.mark.parametrize("path", [*PACKAGE.rglob("__init__.py")], ids=module_name)
def test_init_files_import_nothing(path):
    assert imports(path) == set()


@pytest.mark.parametrize(
    "path", [path for path in MODULES if path.parent == PACKAGE], ids=module_name
)
def test_the_subject_imports_numpy_or_torch_only(path):
    others = {name.split(".")[0] for name in imports(path)} - sys.stdlib_module_names
    assert others - {"bnlib"} <= {path.stem.split("_")[0]}


def loaded_after(code: str) -> set[str]:
    """The modules in memory after `code` has run in a Python of its own."""
    code += "\nimport sys\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_importing_bnlib_loads_nothing_heavy():
    assert loaded_after("import bnlib").isdisjoint({"torch", "matplotlib", "ipywidgets", "IPython"})


def test_what_is_shown_loads_no_torch():
    """An explorer loads torch when a training starts; the first that does so earlier is named."""
    names = [module_name(path) for path in MODULES if path.parent.name in FREE_OF_TORCH]
    loaded = loaded_after(
        f"import importlib, sys\nfor name in {names}:\n    importlib.import_module(name)\n"
        "    assert 'torch' not in sys.modules, name"
    )
    assert {*names} <= loaded


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


# One stem for a lesson


def stems(folder: str, suffix: str) -> set[str]:
    """The stems in a folder; those of notebooks without their number."""
    names = {path.stem for path in (ROOT / folder).glob(f"*{suffix}")}
    return {re.sub(r"^\d\d_", "", name) for name in names}


@pytest.mark.parametrize("folder", ["pictures", "explorers", "exercises"])
def test_a_lesson_has_one_stem(folder):
    """A module there belongs to a lesson, or is what several share and says so."""
    shared = {"__init__", "parts", "compared_trainings", "checking", "clinic"}
    assert stems(f"bnlib/{folder}", ".py") - shared <= stems("notebooks", ".ipynb")
