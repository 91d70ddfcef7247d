"""requirements.txt, environment.yml and pyproject.toml agree, and name all that is imported."""

import ast
import re
import sys
import tomllib

import nbformat
import pytest
import yaml
from IPython.core.inputtransformer2 import TransformerManager
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from bnlib import __version__
from tests.conftest import ROOT
from tests.test_architecture import MODULES, imports

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CONDA_NAMES = {"matplotlib-base": "matplotlib", "pytorch-cpu": "torch"}
MODULE_NAMES = {"PIL": "pillow"}


def pins() -> dict[str, str]:
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if not line.startswith("#"))


def conda() -> dict[str, str]:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    assert environment["channels"] == ["conda-forge"]
    return dict(line.split("=") for line in environment["dependencies"] if "=" in line)


def third_party(names: set[str]) -> set[str]:
    """The distributions that modules of these names come from."""
    top = {name.split(".")[0] for name in names} - sys.stdlib_module_names - {"bnlib"}
    return {canonicalize_name(MODULE_NAMES.get(name, name)) for name in top}


def test_every_pin_is_a_plain_version():
    assert all(re.fullmatch(r"\d+(\.\d+)+", version) for version in pins().values())


def test_conda_has_the_same_versions_and_python_3_12():
    versions = conda()
    assert versions.pop("python") == "3.12"
    assert {CONDA_NAMES.get(name, name): version for name, version in versions.items()} == pins()


@pytest.mark.parametrize("line", PROJECT["dependencies"])
def test_the_ranges_of_pyproject_end_at_the_pins(line):
    requirement, pin = Requirement(line), Version(pins()[Requirement(line).name])
    assert pin in requirement.specifier
    (end,) = [Version(s.version) for s in requirement.specifier if s.operator == "<"]
    width = len(end.release)
    next_release = (*pin.release[: width - 1], pin.release[width - 1] + 1)
    assert end.release == next_release, f"nothing above {pin} has been tried"


def test_the_tools_of_the_tests_are_pinned():
    extras = PROJECT["optional-dependencies"]
    assert {*extras["hub"]} <= {*extras["test"]}
    for line in extras["test"]:
        requirement = Requirement(line)
        assert [s.operator for s in requirement.specifier] == ["=="], line
        assert pins().get(requirement.name) in (None, str(requirement.specifier)[2:])


def test_bnlib_depends_on_what_it_imports():
    imported = third_party(set().union(*map(imports, MODULES)))
    assert imported == {Requirement(line).name for line in PROJECT["dependencies"]}


@pytest.mark.parametrize("path", sorted(ROOT.glob("notebooks/*.ipynb")), ids=lambda p: p.stem)
def test_a_lesson_imports_only_what_is_pinned(path):
    cells = nbformat.read(path, as_version=4).cells
    code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    names = set()
    for node in ast.walk(ast.parse(TransformerManager().transform_cell(code))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module)
    assert third_party(names) <= set(pins())


def test_the_version_is_the_same_everywhere():
    """That of the lessons' tag is compared in test_notebooks.py."""
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (\S+)", changes, re.MULTILINE)[0] == __version__
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == __version__
    assert f"({citation['date-released']})" in changes.split("## ")[1]


def test_the_test_command_is_the_same_everywhere():
    for name in ("README.md", ".ci/run", ".github/workflows/ci.yml"):
        assert "python3 run.py test" in (ROOT / name).read_text(encoding="utf-8"), name
