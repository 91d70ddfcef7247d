"""What every check says of a function that is not there yet, cannot run, or is no function.

The exercises are those of the lessons: a cell with a function to write, and one that checks it.
"""

import ast
import re

import nbformat
import pytest

from tests.conftest import NOTEBOOKS
from tests.exercises.test_solutions import finding

CHECK = re.compile(r"\bcheck_\w+\((\w+)\)\s*$")


def exercises(path):
    """The checks of a notebook that take one function, each with the first line of its stub."""
    notebook = nbformat.read(path, as_version=4)
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    for stub, check in zip(code, code[1:], strict=False):
        if called := CHECK.search(check):
            for node in ast.parse(stub).body if "%" not in stub else []:
                if isinstance(node, ast.FunctionDef) and node.name == called[1]:
                    yield notebook, f"def {node.name}({ast.unparse(node.args)}):\n    ", check


EXERCISES = [
    pytest.param(*exercise, id=CHECK.search(exercise[-1])[0].strip())
    for path in sorted(NOTEBOOKS.glob("*.ipynb"))
    for exercise in exercises(path)
]
every_exercise = pytest.mark.parametrize(("notebook", "head", "check"), EXERCISES)


def test_exercises_are_found():
    assert len(EXERCISES) >= 15


@every_exercise
@pytest.mark.parametrize("body", ["...", "raise NotImplementedError", "pass"])
def test_a_stub_is_not_written_yet(notebook, head, check, body):
    assert finding(notebook, head + body, check).says.startswith("Not written yet")


@every_exercise
def test_what_the_student_raises_is_told(notebook, head, check):
    assert "raises NameError in line 2" in finding(notebook, head + "no_such_name", check).says


@every_exercise
def test_what_cannot_be_called_is_refused(notebook, head, check):
    name = CHECK.search(check)[1]
    assert "not a function" in finding(notebook, f"{name} = 3", check).says
    assert "it is called with" in finding(notebook, f"{name} = lambda: None", check).says
