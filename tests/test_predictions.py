"""What a lesson owes a reader who predicts: nothing is given away, and no letter is a safe bet."""

import ast
import re
from collections import Counter
from typing import NamedTuple

import nbformat
import pytest
from IPython.core.inputtransformer2 import TransformerManager

from tests.conftest import NOTEBOOKS

ASKING = {"choice", "number", "curve"}


class Call(NamedTuple):
    """A call of `predict` in a lesson."""

    index: int  # of its cell
    method: str
    arguments: list[ast.expr]

    @property
    def step(self) -> int:
        return ast.literal_eval(self.arguments[0])


def calls(cells) -> list[Call]:
    """All calls of `predict` in a lesson, in their order."""
    found = []
    for index, cell in enumerate(cells):
        if cell.cell_type != "code":
            continue
        tree = ast.parse(TransformerManager().transform_cell(cell.source))
        found += [
            Call(index, node.func.attr, node.args)
            for node in ast.walk(tree)
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and getattr(node.func.value, "id", None) == "predict"
        ]
    return found


class Lesson:
    def __init__(self, path):
        self.cells = nbformat.read(path, as_version=4).cells
        self.calls = calls(self.cells)
        self.asked = {call.step: call for call in self.calls if call.method in ASKING}
        self.compared = {call.step: call for call in self.calls if call.method == "compare"}

    def results(self, step: int):
        """The cells with an output between a question and its comparison."""
        between = self.cells[self.asked[step].index + 1 : self.compared[step].index]
        return [cell for cell in between if cell.get("outputs")]

    def choices(self, step: int) -> dict[str, str]:
        """Letter → text of a choice, from the text above it."""
        text = self.cells[self.asked[step].index - 1].source
        return dict(re.findall(r"^- \*\*([A-Z])\.\*\* (.+)$", text, re.MULTILINE))


LESSONS = {path.stem: Lesson(path) for path in sorted(NOTEBOOKS.glob("*.ipynb"))}
STEPS = [(stem, step) for stem, lesson in LESSONS.items() for step in lesson.asked]
CHOICES = [(stem, s) for stem, s in STEPS if LESSONS[stem].asked[s].method == "choice"]


def test_there_are_predictions():
    assert len(STEPS) >= 19


@pytest.mark.parametrize(("stem", "step"), STEPS)
def test_every_question_is_compared_once_after_its_result(stem, step):
    lesson = LESSONS[stem]
    assert lesson.compared[step].index > lesson.asked[step].index
    assert lesson.results(step), "nothing runs between the question and its comparison"
    assert [call.step for call in lesson.calls if call.method == "compare"].count(step) == 1


@pytest.mark.parametrize(("stem", "step"), STEPS)
def test_no_answer_is_shown_before_its_cell_has_run(stem, step):
    for cell in LESSONS[stem].results(step):
        assert cell.metadata.get("jupyter", {}).get("outputs_hidden") is True, cell.source
        first = cell.outputs[0]
        text = first.get("text") or first["data"]["text/plain"]
        assert not re.search(r"\b\d", text.splitlines()[0]), "JupyterLab shows this line"


@pytest.mark.parametrize(("stem", "step"), STEPS)
def test_the_code_of_a_comparison_is_folded_and_its_output_holds_everything(stem, step):
    lesson = LESSONS[stem]
    cell = lesson.cells[lesson.compared[step].index]
    assert cell.metadata == {"jupyter": {"source_hidden": True}}
    assert not cell.source.startswith("assert"), "JupyterLab shows the first line of a folded cell"
    [output] = cell.outputs
    markdown = output.data["text/markdown"]
    assert markdown.startswith("<details>") and markdown.endswith("</details>")
    if (stem, step) in CHOICES:
        assert {*re.findall(r"^\*\*([A-Z])\.\*\*", markdown, re.M)} == {*lesson.choices(step)}


@pytest.mark.parametrize(("stem", "step"), CHOICES)
def test_choices_are_alike_in_length_and_explained(stem, step):
    lesson = LESSONS[stem]
    choices = lesson.choices(step)
    assert "".join(choices) == ast.literal_eval(lesson.asked[step].arguments[1])
    truth, texts = lesson.compared[step].arguments[1:3]
    assert ast.literal_eval(truth) in choices
    assert {*ast.literal_eval(texts)} == {*choices}
    lengths = sorted(map(len, choices.values()))
    assert lengths[-1] <= 1.35 * lengths[0], choices


@pytest.mark.parametrize("stem", sorted({stem for stem, _ in CHOICES}))
def test_right_letters_are_evenly_spread(stem):
    lesson = LESSONS[stem]
    steps = [step for of, step in CHOICES if of == stem]
    right = [ast.literal_eval(lesson.compared[step].arguments[1]) for step in steps]
    counts = Counter(right)
    assert max(counts.values()) - min(counts[letter] for letter in "ABC") <= 1, counts
    longest = [max(c := lesson.choices(step), key=lambda k: len(c[k])) for step in steps]
    assert sum(map(str.__eq__, right, longest)) <= len(right) / 2, "the longest is a good bet"


@pytest.mark.parametrize("stem", sorted({stem for stem, _ in STEPS}))
def test_a_lesson_ends_with_the_score(stem):
    lesson = LESSONS[stem]
    assert lesson.calls[-1].method == "score"


@pytest.mark.parametrize("stem", sorted({stem for stem, _ in STEPS}))
def test_not_all_questions_are_letters(stem):
    kinds = Counter(call.method for call in LESSONS[stem].asked.values())
    assert kinds["number"] + kinds["curve"] >= 3
