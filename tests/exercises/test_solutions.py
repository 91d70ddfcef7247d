"""The solutions that stand folded in the notebooks, where they are not run."""

import ast
import re

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tests.conftest import NOTEBOOKS

FOLDED = re.compile(r"<b>A solution</b></summary>\s*```python\n(.*?)```", re.DOTALL)


def solutions(notebook) -> list[tuple[str, str]]:
    """Each folded solution, and the code of the cell before it that checks one."""
    found, checks = [], []
    for cell in notebook.cells:
        if cell.cell_type == "code" and re.search(r"\bcheck_\w+\(", cell.source):
            checks.append(cell.source)
        elif cell.cell_type == "markdown":
            found += [(code, checks[-1]) for code in FOLDED.findall(cell.source)]
    return found


def finding(notebook, solution: str, check: str):
    """What the check says of the solution, after all imports of the notebook."""
    sources = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    lines = [line for source in sources for line in source.splitlines()]
    names: dict = {}
    exec("\n".join(line for line in lines if line.startswith(("from bnlib.ex", "import n"))), names)
    exec(solution, names)
    return eval(compile(ast.Expression(ast.parse(check).body[-1].value), "", "eval"), names)


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_every_folded_solution_is_right(path):
    notebook = nbformat.read(path, as_version=4)
    for solution, check in solutions(notebook):
        found = finding(notebook, solution, check)
        assert found.right, found


@pytest.mark.parametrize(("divisor", "right"), [("(m - 1)", True), ("m", False)])
def test_a_solution_is_found_and_checked(divisor, right):
    notebook = new_notebook(
        cells=[
            new_code_cell("import numpy as np\n\nfrom bnlib.exercises.train_vs_eval import *"),
            new_code_cell("def update(running, batch, momentum):\n    ..."),
            new_code_cell("check_running(update)"),
            new_markdown_cell(
                "<details><summary><b>A solution</b></summary>\n\n```python\n"
                "def update(running, batch, momentum):\n"
                "    m = len(batch)\n"
                f"    now = batch.mean(axis=0), batch.var(axis=0) * m / {divisor}\n"
                "    both = zip(running, now)\n"
                "    return tuple((1 - momentum) * a + momentum * b for a, b in both)\n"
                "```\n\n</details>"
            ),
        ]
    )
    [(solution, check)] = solutions(notebook)
    assert finding(notebook, solution, check).right == right
