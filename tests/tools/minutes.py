"""How many minutes a lesson takes a student, by the rule that its stated minutes are held to.

    python -m tests.tools.minutes

Words of prose at 180 a minute, 6 seconds a line of code, a minute a prediction, two minutes an
explorer, and what is given to an exercise in its heading: "### Fold a layer (8 minutes)". What is
folded is not counted. "Your turn" runs from its heading to the next one of its level; the rest is
the core.
"""

import re
from pathlib import Path
from typing import NamedTuple

import nbformat

STATED = re.compile(r"\*\*Time:\*\* (\d+) minutes, and (\d+) for \*Your turn\*")
FOLDED = re.compile(r"<details>.*?</details>", re.DOTALL)
GIVEN = re.compile(r"^### .*\((\d+) minutes\)$", re.MULTILINE)
PREDICTION = re.compile(r"predict\.(choice|number|curve)\(")


class Minutes(NamedTuple):
    """Of a lesson's core, and of "Your turn"."""

    core: float
    your_turn: float


def computed(notebook: nbformat.NotebookNode) -> Minutes:
    """Return the minutes of a lesson by the rule."""
    sections = of_sections(notebook)
    your_turn = sections.pop("Your turn", 0.0)
    return Minutes(sum(sections.values()), your_turn)


def of_sections(notebook: nbformat.NotebookNode) -> dict[str, float]:
    """Return the minutes under each `## heading` by the rule, and under "" before the first."""
    spent = {"": 0.0}
    title = ""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            spent[title] += _of_code(cell)
            continue
        for part in re.split(r"^(?=## )", FOLDED.sub("", cell.source), flags=re.MULTILINE):
            if heading := re.match(r"## (.*)", part):
                title = heading[1]
            spent[title] = spent.get(title, 0.0) + _of_text(part)
    return spent


def stated(notebook: nbformat.NotebookNode) -> Minutes:
    """Return the minutes that the first cells of a lesson state.

    Raises:
        ValueError: it states none.
    """
    found = STATED.search("\n".join(cell.source for cell in notebook.cells[:5]))
    if not found:
        raise ValueError("its first cells say no '**Time:** … minutes, and … for *Your turn*'")
    return Minutes(*map(float, found.groups()))


def _of_text(text: str) -> float:
    return len(text.split()) / 180 + sum(map(float, GIVEN.findall(text)))


def _of_code(cell: nbformat.NotebookNode) -> float:
    if cell.metadata.get("jupyter", {}).get("source_hidden"):
        return 0
    lines = sum(bool(line.strip()) for line in cell.source.splitlines())
    asked = bool(PREDICTION.search(cell.source))
    return lines / 10 + asked + 2 * ("_explorer(" in cell.source)


if __name__ == "__main__":
    for path in sorted(Path("notebooks").glob("*.ipynb")):
        minutes = computed(nbformat.read(path, as_version=4))
        print(f"{path.name:35} core {minutes.core:5.1f}  your turn {minutes.your_turn:5.1f}")
