"""Predictions: committed, changed, locked by the result, and compared with it."""

import numpy as np
import pytest
from IPython.utils.capture import capture_output

from bnlib.live.predictions import Choice, Curve, Number, Predictions

TEXTS = {"A": "overlooks one thing.", "B": "sees it.", "C": "overlooks another."}
TRUTH = [0.1, 0.5, 0.9]


@pytest.fixture
def predict(shell) -> Predictions:
    made = Predictions()
    with capture_output():
        made.choice(1, "ABC")
        made.number(2, 0, 100, "%")
        made.curve(3, [1, 10, 100], (0, 1), "step", "accuracy")
    yield made
    shell.events.unregister("pre_run_cell", made._lock)


def said(call, *arguments, **options) -> list[dict]:
    """What a call shows."""
    with capture_output() as shown:
        call(*arguments, **options)
    return [output.data for output in shown.outputs]


def text_of(call, *arguments, **options) -> str:
    return said(call, *arguments, **options)[-1]["text/plain"]


def status(prediction) -> str:
    return prediction._status.value


def click(prediction, label: str) -> None:
    """Click a button, if it is not locked, as in a page."""
    [button] = [b for b in prediction.row.children if getattr(b, "description", "") == label]
    if not button.disabled:
        button.click()


# Committing


def test_a_letter_is_committed_by_a_click_and_locks_the_others(predict):
    question = predict._of_step[1]
    click(question, "C")
    assert question.answer == "C" and "Committed: C" in status(question)
    click(question, "A")
    assert question.answer == "C"


@pytest.mark.parametrize(("step", "label"), [(1, "C"), (2, "Commit"), (3, "Commit")])
def test_the_button_that_commits_keeps_the_focus_and_does_no_harm(predict, shell, step, label):
    question = predict._of_step[step]
    [button] = [b for b in question.row.children if getattr(b, "description", "") == label]
    button.click()
    assert not button.disabled, "a disabled button has no focus, and Shift+Enter then does nothing"
    before, words = question.answer, status(question)
    button.click()
    assert question.answer == before and status(question) == words
    shell.run_cell("1 + 1")
    words = status(question)
    button.click()
    assert question.answer == before and status(question) == words


def test_a_mind_can_be_changed_until_another_cell_runs(predict, shell):
    question = predict._of_step[1]
    click(question, "C")
    click(question, "Change my mind")
    assert question.answer is None and "Not yet" in status(question)
    click(question, "A")
    shell.run_cell("1 + 1")
    click(question, "Change my mind")
    assert question.answer == "A" and status(question).endswith("Committed: A.</div>")


@pytest.mark.parametrize("step", [1, 2, 3])
def test_every_kind_says_that_an_answer_was_taken_back(predict, step):
    question = predict._of_step[step]
    click(question, "C" if step == 1 else "Commit")
    click(question, "Change my mind")
    assert question.answer is None and "Not yet committed." in status(question)


def test_what_is_not_committed_can_still_be_after_run_all(predict, shell):
    shell.run_cell("1 + 1")
    question = predict._of_step[1]
    click(question, "B")
    assert question.answer == "B"


def test_a_number_and_a_curve_are_committed_as_they_stand(predict):
    number, curve = predict._of_step[2], predict._of_step[3]
    number.row.children[0].value = 40
    curve.explorer.set(**{"1": 0.2, "10": 0.6, "100": 1})
    for question in (number, curve):
        click(question, "Commit")
    assert number.answer == 40 and "40 %" in status(number)
    assert curve.answer == [0.2, 0.6, 1] and "0.2, 0.6, 1" in status(curve)
    assert number.row.children[0].disabled
    assert all(handle.disabled for handle in curve.explorer.controls.values())


def move(question, value: float) -> None:
    """Move the first slider of a number or a curve."""
    explorer = getattr(question, "explorer", None)
    [slider, *_] = explorer.controls.values() if explorer else question.row.children
    slider.value = value


@pytest.mark.parametrize("step", [2, 3])
def test_a_move_that_arrives_after_the_click_is_committed_too(predict, step):
    question = predict._of_step[step]
    click(question, "Commit")
    move(question, 0.8)
    assert np.ravel(question.answer)[0] == 0.8 and "Committed: 0.8" in status(question)


@pytest.mark.parametrize("step", [2, 3])
def test_no_move_changes_what_the_result_has_locked_or_commits_by_itself(predict, shell, step):
    question = predict._of_step[step]
    move(question, 0.8)
    assert question.answer is None
    click(question, "Commit")
    shell.run_cell("1 + 1")
    move(question, 0.2)
    assert np.ravel(question.answer)[0] == 0.8 and "Committed: 0.8" in status(question)


QUESTION = "predict.choice(1, 'ABC')"


def test_running_the_question_again_keeps_the_answer_until_another_cell_has_run(shell):
    made = Predictions()
    shell.user_ns["predict"] = made
    with capture_output():
        shell.run_cell(QUESTION)
        click(made._of_step[1], "B")
        shell.run_cell(QUESTION)  # as with Shift+Enter after a click, which selects this cell
        assert made._of_step[1].answer == "B" and not made._of_step[1].locked
        shell.run_cell("1 + 1")
        shell.run_cell(QUESTION)
    assert made._of_step[1].answer is None
    shell.events.unregister("pre_run_cell", made._lock)


# Comparing


def test_without_an_answer_everything_is_in_a_folded_block(predict):
    for step, truth, text in ((1, "B", TEXTS), (2, 30, "Because."), (3, TRUTH, "Because.")):
        [shown] = said(predict.compare, step, truth, text)
        assert shown["text/markdown"].startswith("<details>")
        assert shown["text/markdown"].endswith("</details>")
    text = text_of(predict.compare, 1, "B", TEXTS)
    assert text.index("**B** is right") < text.index("sees it") < text.index("one thing")


@pytest.mark.parametrize(("letter", "right"), [("A", False), ("B", True), ("C", False)])
def test_what_this_choice_overlooks_comes_first_and_the_others_are_folded(predict, letter, right):
    click(predict._of_step[1], letter)
    text = text_of(predict.compare, 1, "B", TEXTS)
    own, others = text.split("<details>")
    assert own.startswith(f"You said **{letter}**") and ("and that is right" in own) == right
    assert TEXTS[letter] in own and TEXTS[letter] not in others
    assert all(TEXTS[other] in others for other in TEXTS if other != letter)
    assert predict._of_step[1].right == right


@pytest.mark.parametrize(("answer", "right"), [(30, True), (35, True), (36, False), (100, False)])
def test_a_number_is_right_within_its_margin_and_shown_on_one_scale(predict, answer, right):
    question = predict._of_step[2]
    question.row.children[0].value = answer
    click(question, "Commit")
    picture, text = said(predict.compare, 2, 30, "Because.", within=5)
    assert "image/png" in picture and f"{answer:g}" in picture["text/plain"]
    assert "Measured: **30 %**" in text["text/plain"] and question.right == right


def test_a_large_number_is_written_out(predict):
    [text] = said(predict.compare, 2, 2160, "Because.")
    assert "Measured: **2,160 %**" in text["text/plain"]


@pytest.mark.parametrize(("offset", "right"), [(0, True), (0.09, True), (-0.2, False)])
def test_a_curve_is_right_within_its_margin_on_average(predict, offset, right):
    question = predict._of_step[3]
    heights = np.add(TRUTH, offset).clip(0, 1)
    question.explorer.set(**dict(zip(question.x, heights, strict=True)))
    click(question, "Commit")
    picture, _text = said(predict.compare, 3, TRUTH, "Because.", within=0.1)
    assert "image/png" in picture and question.right == right


def test_once_compared_an_answer_stays(predict):
    click(predict._of_step[1], "C")
    said(predict.compare, 1, "B", TEXTS)
    click(predict._of_step[1], "Change my mind")
    assert predict._of_step[1].answer == "C"


def test_a_step_that_asked_nothing_is_refused(predict):
    with pytest.raises(KeyError, match="step 9 asks for no prediction"):
        predict.compare(9, "B", TEXTS)


# The score


def test_the_score_counts_what_was_committed_and_names_the_steps_to_read_again(predict):
    assert "3 predictions were asked for. You have committed to none" in text_of(predict.score)
    click(predict._of_step[1], "A")
    predict._of_step[2].commit(31)
    text = text_of(predict.score)
    assert "You committed to 2, 0 of them right. Not compared yet: step 1, 2." in text
    said(predict.compare, 1, "B", TEXTS)
    said(predict.compare, 2, 30, "Because.", within=5)
    text = text_of(predict.score)
    assert "You committed to 2, 1 of them right. Worth reading again: step 1." in text


# Where no widget can be shown


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Choice(1, "ABCD"), "A, B, C or D"),
        (lambda: Number(1, 0, 3, "points"), "a number from 0 to 3 points"),
        (lambda: Curve(1, [1, 2], (0, 1), "x", "y"), "a curve, y over x"),
    ],
)
def test_a_question_without_widgets_says_what_to_predict(shell, make, words):
    assert text_of(make().show) == f"Run this cell to predict: {words}"


@pytest.mark.parametrize(
    "make",
    [lambda: Choice(1, "AB"), lambda: Number(1, 0, 3), lambda: Curve(1, [1], (0, 1), "", "")],
)
def test_all_widgets_are_core_widgets_with_words_for_a_screen_reader(make):
    prediction = make()
    tree = [prediction.row]
    for widget in tree:
        assert widget._model_module == "@jupyter-widgets/controls", widget
        tree += getattr(widget, "children", ())
    buttons = [widget for widget in tree if hasattr(widget, "icon")]
    assert buttons and all(button.tooltip.startswith("Step 1: ") for button in buttons)
