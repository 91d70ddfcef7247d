"""What every stored lesson owes its reader. That its outputs are true is nbval's to say."""

import ast
import html
import json
import re
import statistics
import sys
import types
from itertools import groupby
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
from IPython.core.inputtransformer2 import TransformerManager
from IPython.core.interactiveshell import InteractiveShell

from bnlib import __version__
from tests.conftest import ROOT
from tests.tools import minutes
from tests.tools.execute import WIDGET_VIEW, canonical

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PAGES = [
    ROOT / page
    for page in (
        "README.md",
        "data/README.md",
        "notebooks/teachers.md",
        "tests/tools/bench/README.md",
    )
]
SILENT = (ast.Assert, ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)

pytestmark = pytest.mark.filterwarnings("error")


class Lesson:
    def __init__(self, path: Path):
        self.path = path
        self.text = path.read_text(encoding="utf-8")
        self.cells = nbformat.reads(self.text, as_version=4).cells
        self.code = [cell for cell in self.cells if cell.cell_type == "code"]
        self.outputs = [output for cell in self.code for output in cell.outputs]


@pytest.fixture(scope="module", params=NOTEBOOKS, ids=lambda path: path.stem)
def lesson(request) -> Lesson:
    return Lesson(request.param)


def test_there_are_lessons():
    assert [path.name for path in NOTEBOOKS][:1] == ["00_start_here.ipynb"]


# How it is stored


def test_it_is_stored_in_canonical_form(lesson):
    assert canonical(lesson.text) == lesson.text, "python3 run.py execute stores it in that form"


def test_it_was_run_from_top_to_bottom(lesson):
    assert [cell.execution_count for cell in lesson.code] == list(range(1, len(lesson.code) + 1))


def test_no_cell_failed_or_warned(lesson):
    assert [out for out in lesson.outputs if out.output_type == "error"] == []
    assert [out.text for out in lesson.outputs if out.get("name") == "stderr"] == []


def test_no_widget_state_is_stored(lesson):
    assert "widgets" not in json.loads(lesson.text)["metadata"]
    assert WIDGET_VIEW not in lesson.text


def test_it_is_at_most_one_megabyte(lesson):
    assert lesson.path.stat().st_size <= 2**20


def test_it_names_no_path_of_a_machine(lesson):
    texts = [cell.source for cell in lesson.cells]
    for output in lesson.outputs:
        data = output.get("data", {}).items()
        texts += [str(value) for mime, value in data if not mime.startswith("image/")]
        texts.append(output.get("text", ""))
    path = re.compile(r"(?<![\w./:<)}\]*^])/[A-Za-z_][\w.-]*/[\w.-]+|\b[A-Z]:\\\w|file://")
    assert [found[0] for text in texts for found in path.finditer(text)] == []


# How it reads


def test_its_title_is_a_question(lesson):
    titles = [level_1 for cell in lesson.cells for level_1 in headings(cell, "#")]
    assert len(titles) == 1
    assert titles == headings(lesson.cells[0], "#")
    assert titles[0].endswith("?") or lesson.path.stem.startswith("00")


def test_its_cells_are_short(lesson):
    lengths = [len(cell.source.splitlines()) for cell in lesson.code]
    assert statistics.median(lengths) <= 8
    assert max(lengths) <= 25


def test_prose_leads_from_cell_to_cell(lesson):
    """Two small cells and a picture, then prose; or a question, which makes a pause."""

    def is_plain_code(cell) -> bool:
        return cell.cell_type == "code" and not cell.source.startswith("predict.")

    runs = [len(list(run)) for plain, run in groupby(lesson.cells, is_plain_code) if plain]
    assert max(runs) <= 3


def test_every_cell_shows_something(lesson):
    """A cell may be silent if it imports, defines or asserts."""
    silent = [cell.source for cell in lesson.code if not cell.outputs]
    python = TransformerManager().transform_cell
    for source in silent:
        assert any(isinstance(node, SILENT) for node in ast.walk(ast.parse(python(source)))), source


# Colab


@pytest.fixture(scope="module")
def colab_cell() -> str:
    first = {lesson.code[0].source for lesson in map(Lesson, NOTEBOOKS)}
    assert len(first) == 1, "the first cell of all lessons is the same"
    return first.pop()


def test_the_colab_cell_is_folded_and_left_out_of_web_pages(lesson):
    folded = {"jupyter": {"source_hidden": True}, "tags": ["jupyter-only"]}
    assert lesson.code[0].metadata == folded
    assert lesson.code[0].outputs == []


@pytest.mark.parametrize(
    ("on_colab", "installed", "fetches"),
    [(True, False, True), (True, True, False), (False, False, False), (False, True, False)],
)
def test_the_colab_cell_fetches_bnlib_where_it_is_missing(
    colab_cell, monkeypatch, on_colab, installed, fetches
):
    if on_colab:
        monkeypatch.setitem(sys.modules, "google.colab", types.ModuleType("google.colab"))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: installed or None)
    shell, lines = InteractiveShell(), []
    shell.register_magic_function(lines.append, magic_name="pip")
    shell.run_cell(colab_cell).raise_error()
    address = re.search(r"^\[repository\]: (\S+)$", PAGES[0].read_text(), re.MULTILINE)[1]
    assert lines == [f"install --quiet --no-deps git+{address}@v{__version__}"] * fetches


# Links


def markdown(path: Path) -> str:
    """The prose of a notebook or of a Markdown file, without its code."""
    if path.suffix == ".ipynb":
        cells = Lesson(path).cells
        text = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    else:
        text = path.read_text(encoding="utf-8")
    return re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)


def headings(cell, level: str) -> list[str]:
    if cell.cell_type != "markdown":
        return []
    prose = re.sub(r"```.*?```", "", cell.source, flags=re.DOTALL)
    return re.findall(rf"^{level} +(.+?) *$", prose, flags=re.MULTILINE)


def links(path: Path) -> list[str]:
    text = markdown(path)
    found = re.findall(r"\]\(\s*<?([^)\s>]+)", text)  # [text](target "title")
    found += re.findall(r"^\[[^\]]+\]:\s*(\S+)", text, flags=re.MULTILINE)  # [text]: target
    found += re.findall(r"""\b(?:href|src)\s*=\s*["']([^"']+)""", text)
    return [html.unescape(link) for link in found]


def anchors(path: Path) -> set[str]:
    """The anchors of the headings, as JupyterLab spells them in a notebook, GitHub in a page."""
    titles = re.findall(r"^#+ +(.+?) *$", markdown(path), flags=re.MULTILINE)
    if path.suffix == ".ipynb":
        return {title.replace(" ", "-") for title in titles}
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def broken(link: str, page: Path) -> bool:
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return parts.scheme not in ("https", "attachment")
    target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    if not (target.is_relative_to(ROOT) and target.exists()):
        return True
    return bool(parts.fragment) and unquote(parts.fragment) not in anchors(target)


@pytest.mark.parametrize("page", [*NOTEBOOKS, *PAGES], ids=lambda p: p.relative_to(ROOT).as_posix())
def test_links_inside_the_repository_resolve(page):
    assert [link for link in links(page) if broken(link, page)] == []


# How long it takes


def test_its_minutes_are_honest(lesson):
    notebook = nbformat.reads(lesson.text, as_version=4)
    computed, stated = minutes.computed(notebook), minutes.stated(notebook)
    assert round(computed.core) <= 30
    for say, are in zip(stated, computed, strict=True):
        assert abs(say - are) <= 0.2 * are, f"stated {stated}, by the rule {computed}"


TEACHERS = ROOT / "notebooks/teachers.md"
PLANNED = re.compile(r"\[\d\d\]\((\S+)\), ([^()]+) \((\d+)\)")
PLAN = re.compile(r"^\| (\d+) \| (.+) \| (\d+) \|$", re.MULTILINE)


def takes(part: str, notebook: nbformat.NotebookNode) -> float:
    """Return the minutes of a part that a plan names: the whole core, steps, or an exercise."""
    if part == "whole":
        return minutes.computed(notebook).core
    if part.startswith("*"):
        given = rf"^### {re.escape(part.strip('*'))} \((\d+) minutes\)$"
        return sum(float(m) for c in notebook.cells for m in re.findall(given, c.source, re.M))
    first, *_, last = numbers = [int(number) for number in re.findall(r"\d+", part * 2)]
    steps = range(first, last + 1) if " to " in part else set(numbers)
    sections = minutes.of_sections(notebook)
    return sections[""] + sum(sections[t] for n in steps for t in sections if t.startswith(f"{n}."))


@pytest.mark.parametrize(
    ("name", "part", "said"), sorted(set(PLANNED.findall(TEACHERS.read_text(encoding="utf-8"))))
)
def test_the_plans_for_teachers_say_the_minutes_of_the_rule(name, part, said):
    notebook = nbformat.read(TEACHERS.parent / name, as_version=4)
    assert int(said) == pytest.approx(takes(part, notebook), abs=1)


def test_the_plans_for_teachers_add_up():
    plans = PLAN.findall(TEACHERS.read_text(encoding="utf-8"))
    assert len(plans) >= 8
    for total, parts, left in plans:
        assert sum(map(int, re.findall(r"\((\d+)\)", parts))) + int(left) == int(total)
        assert int(left) >= 0.2 * int(total) - 1


def test_the_tables_of_lessons_say_the_same_minutes(lesson):
    said = minutes.stated(nbformat.reads(lesson.text, as_version=4))
    pages = {ROOT / "README.md", NOTEBOOKS[0]} - {lesson.path}  # the map does not list itself
    for page in pages:
        lines = page.read_text(encoding="utf-8").splitlines()
        rows = [line for line in lines if f"{lesson.path.name}) |" in line]
        assert [f"| {said.core:.0f} + {said.your_turn:.0f} |" in row for row in rows] == [True]
