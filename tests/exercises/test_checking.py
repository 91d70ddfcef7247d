"""How a student's function is run, and what is said of one that cannot be compared."""

import numpy as np
import pytest

from bnlib.exercises.backward_by_hand import EXERCISE as BACKWARD
from bnlib.exercises.checking import Exercise, Finding
from bnlib.exercises.forward_by_hand import EXERCISE as FORWARD
from bnlib.exercises.train_vs_eval import EXERCISE as RUNNING

EXERCISES = [FORWARD, BACKWARD, RUNNING]
SLIPS = [(exercise, slip) for exercise in EXERCISES for slip in exercise.slips]

DOUBLE = Exercise(
    right=lambda x: 2 * x,
    results=("y",),
    stages=(((np.array([[1.0], [2]]),), (np.arange(1.0, 41).reshape(5, 4, 2),)),),
    slips=(),
    praise="Right.",
)


# A finding


def test_a_finding_is_shown_as_its_text(shell):
    finding = Finding(False, "Not yet: this.\n  expected y = [1]\n  got      y = [2]")
    shown, _ = shell.display_formatter.format(finding)
    assert shown == {"text/plain": finding.says} == {"text/plain": repr(finding)}


@pytest.mark.parametrize("exercise", EXERCISES)
def test_what_is_said_is_the_same_each_time(exercise):
    for slip in exercise.slips[:3]:
        f = exercise.with_slips(slip)
        assert exercise.check(f) == exercise.check(f)


# A known slip


@pytest.mark.parametrize(("exercise", "slip"), SLIPS, ids=lambda it: getattr(it, "name", ""))
def test_a_slip_is_taken_for_no_other(exercise, slip):
    says = exercise.check(exercise.with_slips(slip)).says
    assert says.startswith(f"Not yet: {slip.name}.\n")


@pytest.mark.parametrize(("exercise", "slip"), SLIPS, ids=lambda it: getattr(it, "name", ""))
def test_a_slip_is_told_in_sentences(exercise, slip):
    assert slip.why.endswith((".", ".)")) and not slip.name.endswith(".")


@pytest.mark.parametrize("exercise", EXERCISES)
def test_the_cases_stay_as_they_are(exercise):
    def spoil(*arguments):
        for argument in arguments:
            for array in argument if isinstance(argument, tuple) else (argument,):
                if isinstance(array, np.ndarray):
                    array[:] = 0

    exercise.check(spoil)
    assert exercise.check(exercise.right).right


# What cannot be compared


@pytest.mark.parametrize(
    ("returned", "words"),
    [
        (None, "Not written yet. Your function is to return y."),
        (..., "Not written yet. Your function is to return y."),
        ([1, 2], "y is a list, not a NumPy array."),
        (3.0, "y is a float, not a NumPy array."),
        (np.float64(3), "y is a float64, not a NumPy array."),
        ((np.ones(2), np.ones(2)), "y is a tuple, not a NumPy array."),
        (np.ones(2), "y has the shape (2,), not (2, 1)."),
        (np.array([["a"], ["b"]]), "y is an array of <U1, not of numbers."),
        (np.array([[1j], [2]]), "y is an array of complex128, not of numbers."),
        (np.array([[np.nan], [4]]), "differs from what is expected: 1 of its 2 entries are NaN"),
        (np.array([[2], [5]]), "differs in 1 of 2 entries, only in example 1"),
    ],
)
def test_what_is_no_right_array_is_described(returned, words):
    finding = DOUBLE.check(lambda x: returned)
    assert not finding.right and words in finding.says


def test_a_function_that_is_not_implemented_is_not_written_yet():
    def stub(x):
        raise NotImplementedError

    assert DOUBLE.check(stub).says.startswith("Not written yet")


def test_a_branch_that_returns_nothing_is_found():
    finding = DOUBLE.check(lambda x: 2 * x if x.ndim == 2 else None)
    assert "your function returns nothing here. Does every branch have its return?" in finding.says
    assert "with x = an array (5, 4, 2)" in finding.says


@pytest.mark.parametrize(
    ("f", "words"),
    [
        (np.ones(2), "this is an array, not a function"),
        (None, "this is a NoneType, not a function"),
        (lambda: 1, "takes (), and it is called with (x)"),
        (lambda x, y: 1, "takes (x, y), and it is called with (x)"),
        (lambda *, x: 1, "takes (*, x), and it is called with (x)"),
    ],
)
def test_what_cannot_be_called_is_refused(f, words):
    finding = DOUBLE.check(f)
    assert not finding.right and words in finding.says


def test_of_a_large_array_one_entry_is_shown():
    finding = DOUBLE.check(lambda x: 2 * x + (x == 7))
    assert finding.says.splitlines() == [
        "Not yet: something that we did not foresee.",
        "y of shape (5, 4, 2) differs in 1 of 40 entries, only in example 0, channel 3, row 0.",
        "  with x = an array (5, 4, 2)",
        "  expected y[0, 3, 0] = 14",
        "  got      y[0, 3, 0] = 15",
    ]


@pytest.mark.parametrize(
    ("f", "words"),
    [
        (lambda x: 3 * x, "in every entry, by the factor 1.5."),
        (lambda x: 2 * x + 1, "in every entry, by the summand 1."),
        (lambda x: 2 * x * (1 + x[:1]), "in every entry."),
        (lambda x: 2 * x * np.arange(2, 2 + x.shape[1])[:, None][: x.shape[-2]], "for each"),
        (lambda x: 2 * x + np.arange(1, 1 + len(x)).reshape(-1, *[1] * (x.ndim - 1)), "example."),
        (lambda x: x[::-1], "differs in "),
    ],
)
def test_it_is_said_in_which_axis_an_unforeseen_slip_lies(f, words):
    assert words in DOUBLE.check(f).says


# The student's own exception

RAISES = """import numpy as np

def helper(x):
    return x @ np.ones(7)

def double(x):
    y = helper(x)
    return y
"""


def test_an_exception_comes_with_the_students_line_in_a_cell(shell):
    shell.push({"exercise": DOUBLE})
    shell.run_cell(RAISES).raise_error()
    says = shell.run_cell("exercise.check(double)").result.says.splitlines()
    assert says[:2] == [
        "Not yet: your function raises ValueError in line 4:",
        "    return x @ np.ones(7)",
    ]
    assert says[2].startswith("matmul: ")
    assert says[3] == "  with x = [[1], [2]]"


def test_an_exception_inside_numpy_comes_with_the_students_line():
    def double(x):
        return np.linalg.solve(x, x)

    says = DOUBLE.check(double).says
    assert "raises LinAlgError in line" in says
    assert "\n    return np.linalg.solve(x, x)\n" in says


def test_an_exception_without_words_is_named():
    def double(x):
        raise ValueError

    says = DOUBLE.check(double).says
    assert says.startswith("Not yet: your function raises ValueError in line")
    assert says.endswith("\n    raise ValueError\n  with x = [[1], [2]]")


def test_an_interrupt_is_the_students_own():
    def endless(x):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        DOUBLE.check(endless)
