"""How a student's function is checked: run on small cases, compared, and its slip named.

An exercise has one right solution, written step by step, and a list of slips. A slip replaces some
of the steps; so what it computes is known for every case, and a student's function that computes
the same has made it.
"""

from __future__ import annotations

import inspect
import sysconfig
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import combinations
from pathlib import Path
from textwrap import fill, indent
from typing import Any

import numpy as np
from numpy.typing import NDArray

# How far a right result may be from ours, as a share of its largest entry. In float64 two right
# ways to compute one of the small cases differ by 1e-12 at most, and the smallest known slip, an
# eps of 1e-5 outside the root, makes 1e-6. In float32 right ways differ by some 1e-6.
TOLERANCE = {np.dtype(np.float64): 1e-7, np.dtype(np.float32): 1e-4}

AXES = ("example", "channel", "row", "column")  # of an array (N, C, H, W)
SLIPS_AT_ONCE = 3  # to try all combinations of more would take seconds
WIDTH = 90  # of the text, in characters
PRINTED_ENTRIES = 12  # of a larger array only one entry is printed


@dataclass(frozen=True, repr=False)
class Finding:
    """What a check has found; shown as its text.

    Attributes:
        right: whether the exercise is solved.
        says: the same in words, and if it is not solved, why.
    """

    right: bool
    says: str

    def __repr__(self) -> str:
        return self.says


@dataclass(frozen=True)
class Slip:
    """A known mistake.

    Attributes:
        name: what is wrong, a few words.
        why: what would be right, a sentence or two.
        steps: the steps of the right solution that it replaces, by name.
    """

    name: str
    why: str
    steps: Mapping[str, Callable]


@dataclass(frozen=True)
class Sign:
    """A known mistake that shows in what a function did to a network, not in an array.

    Attributes:
        name: what is wrong, a few words.
        why: what would be right, a sentence or two.
        seen: whether what was observed shows it.
    """

    name: str
    why: str
    seen: Callable[[Any], bool]


@dataclass(frozen=True)
class Run:
    """What came of one call of a student's function.

    Attributes:
        returned: what it returned.
        raised: what it raised, None if it returned.
        changed: positions of the arguments that it changed.
    """

    returned: Any = None
    raised: Exception | None = None
    changed: Sequence[int] = ()

    @property
    def is_stub(self) -> bool:
        """Whether it looks like a function that has not been written yet."""
        if isinstance(self.raised, NotImplementedError):
            return True
        parts = self.returned if isinstance(self.returned, tuple) else (self.returned,)
        return self.raised is None and any(part is None or part is ... for part in parts)


@dataclass(frozen=True)
class Exercise:
    """A function to write, and all that is needed to check one.

    Attributes:
        right: the solution; its steps are keyword-only arguments.
        results: names of what it returns, one array or a tuple of arrays.
        stages: cases, each a tuple of the solution's arguments, the smallest first. A function is
            judged by the first stage in which it errs, so what can go wrong first comes first.
        slips: what can go wrong.
        praise: what a right function is told.
    """

    right: Callable
    results: Sequence[str]
    stages: Sequence[Sequence[tuple]]
    slips: Sequence[Slip]
    praise: str
    arguments: Sequence[str] = field(init=False)

    def __post_init__(self) -> None:
        parameters = inspect.signature(self.right).parameters.values()
        names = [p.name for p in parameters if p.kind is not p.KEYWORD_ONLY]
        object.__setattr__(self, "arguments", names)  # the way of a frozen dataclass

    def check(self, f: Callable) -> Finding:
        """Run a student's function on all cases, and say whether it is right or what is wrong."""
        words = refusal(f, self.arguments)
        for stage in self.stages:
            words = words or self.judge(f, stage)
        return Finding(not words, words or self.praise)

    def judge(self, f: Callable, stage: Sequence[tuple]) -> str:
        """Run a student's function on one stage, and return what is wrong, or nothing."""
        runs = [run(f, case) for case in stage]
        expected = [self._arrays(self.right(*case)) for case in stage]
        wrong = [
            i for i, run in enumerate(runs) if not _agree(self._arrays(run.returned), expected[i])
        ]
        if not wrong:
            return self._side_effect(stage, runs) or self._other_type(stage, runs)
        if runs[0].is_stub:
            return f"Not written yet. Your function is to return {', '.join(self.results)}."

        if slips := self._recognize(stage, runs, expected):
            # the smallest case in which there are numbers to look at
            first = next(i for i in wrong if self._arrays(runs[i].returned))
            return _named(slips) + self._example(stage[first], expected[first], runs[first])

        first = wrong[0]
        case = f"\n  with {self._call(stage[first])}"
        if error := runs[first].raised:
            return exception_words(error) + case
        if words := self._malformed(runs[first], expected[first]):
            return f"Not yet: {words}{case}"
        if words := self._side_effect(stage, runs):
            return words
        fits = [i for i in wrong if not self._malformed(runs[i], expected[i])]
        where = self._where(expected[fits[-1]], runs[fits[-1]])  # the largest tells most
        example = self._example(stage[first], expected[first], runs[first])
        return f"Not yet: something that we did not foresee.\n{where}{example}"

    def with_slips(self, *slips: Slip) -> Callable:
        """Return the solution with these slips in it."""
        steps: dict[str, Callable] = {}
        for slip in slips:
            steps |= slip.steps
        return partial(self.right, **steps)

    # What the function did

    def _recognize(
        self,
        stage: Sequence[tuple],
        runs: Sequence[Run],
        expected: Sequence[tuple[NDArray, ...]],
    ) -> tuple[Slip, ...]:
        """Return the fewest slips that together give in every case what came, if any do."""
        for count in range(1, SLIPS_AT_ONCE + 1):
            for slips in combinations(self.slips, count):
                replaced = [step for slip in slips for step in slip.steps]
                if len({*replaced}) == len(replaced) and self._explains(
                    self.with_slips(*slips), stage, runs, expected
                ):
                    return slips
        return ()

    def _explains(
        self,
        slip: Callable,
        stage: Sequence[tuple],
        runs: Sequence[Run],
        expected: Sequence[tuple[NDArray, ...]],
    ) -> bool:
        """Whether `slip` does in every case what the student's function did."""
        seen = False
        for case, theirs, right in zip(stage, runs, expected, strict=True):
            ours = run(slip, case)
            if theirs.raised and ours.raised:
                continue
            results = self._arrays(theirs.returned)
            if not _agree(results, self._arrays(ours.returned)):
                return False
            seen |= not _agree(results, right)
        return seen

    def _arrays(self, returned: Any) -> tuple[NDArray, ...]:
        """Return the results as a tuple of arrays of numbers; empty if they are none."""
        parts = (returned,) if len(self.results) == 1 else returned
        if not isinstance(parts, (tuple, list)) or len(parts) != len(self.results):
            return ()
        fine = all(isinstance(part, np.ndarray) and part.dtype.kind in "fiu" for part in parts)
        return tuple(parts) if fine else ()

    # In words

    def _malformed(self, run: Run, expected: tuple[NDArray, ...]) -> str:
        """Return what is wrong with the form of the results, or nothing."""
        names, returned = self.results, run.returned
        if run.is_stub:
            return "your function returns nothing here. Does every branch have its return?"
        parts = (returned,) if len(names) == 1 else returned
        if not isinstance(parts, (tuple, list)):
            return f"your function returns {_kind(returned)}, not a tuple {', '.join(names)}."
        if len(parts) != len(names):
            return f"your function returns {len(parts)} results, not {', '.join(names)}."
        for name, got, right in zip(names, parts, expected, strict=True):
            if not isinstance(got, np.ndarray):
                return f"{name} is {_kind(got)}, not a NumPy array."
            if got.dtype.kind not in "fiu":
                return f"{name} is an array of {got.dtype}, not of numbers."
            if got.shape != right.shape:
                return f"{name} has the shape {got.shape}, not {right.shape}."
        return ""

    def _side_effect(self, stage: Sequence[tuple], runs: Sequence[Run]) -> str:
        for case, run in zip(stage, runs, strict=True):
            if run.changed:
                return (
                    f"Not yet: {self.arguments[run.changed[0]]} changed in place.\n"
                    "The caller still needs what it handed over. An operator such as -= writes "
                    f"into the array;\na = a - b makes a new one.\n  with {self._call(case)}"
                )
        return ""

    def _other_type(self, stage: Sequence[tuple], runs: Sequence[Run]) -> str:
        for case, run in zip(stage, runs, strict=True):
            wanted = next(_arrays_in(case)).dtype
            for name, got in zip(self.results, self._arrays(run.returned), strict=True):
                if got.dtype != wanted:
                    return (
                        f"Not yet: dtype lost. For {wanted} input {name} is {got.dtype}.\n"
                        "The numbers are right. np.zeros(shape) is float64 unless told otherwise; "
                        f"np.zeros_like(x)\nand {name}.astype(x.dtype) keep the type.\n"
                        f"  with {self._call(case)}"
                    )
        return ""

    def _example(self, case: tuple, expected: tuple[NDArray, ...], run: Run) -> str:
        """Return a case, what was expected and what came, a line or some for each."""
        text = f"\n  with {self._call(case)}"
        for name, right, got in zip(
            self.results, expected, self._arrays(run.returned), strict=True
        ):
            if _agree((got,), (right,)):
                continue
            if got.shape == right.shape and got.size > PRINTED_ENTRIES:
                i = tuple(int(k) for k in np.argwhere(_off(got, right))[0])
                name, right, got = f"{name}{list(i)}", right[i], got[i]
            text += f"\n  expected {name} = {_numbers(right)}\n  got      {name} = {_numbers(got)}"
        return text

    def _where(self, expected: tuple[NDArray, ...], run: Run) -> str:
        """Return where the results differ, and how."""
        sentences = []
        for name, right, got in zip(
            self.results, expected, self._arrays(run.returned), strict=True
        ):
            if not _agree((got,), (right,)):
                sentences.append(f"{name} of shape {right.shape} differs {_pattern(got, right)}.")
        return " ".join(sentences)

    def _call(self, case: tuple) -> str:
        both = zip(self.arguments, case, strict=True)
        return ", ".join(f"{name} = {_value(argument)}" for name, argument in both)


def run(f: Callable, arguments: tuple) -> Run:
    """Call `f` with a copy of the arguments; nothing is raised, and no warning shown."""
    given = _copy(arguments)
    returned, raised = None, None
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            returned = f(*given)
        except Exception as error:
            raised = error
    changed = [
        i for i, (old, new) in enumerate(zip(arguments, given, strict=True)) if not _same(old, new)
    ]
    return Run(returned, raised, changed)


def passes(test: Callable, f: Callable) -> bool:
    """Return whether `f` passes a student's `test`; an exception, of whichever, counts as no."""
    tested = run(test, (f,))
    return tested.raised is None and bool(tested.returned)


def refused_test(
    test: Callable, argument: str, right: Sequence[Callable], stub: str, too_strict: str
) -> str:
    """Return why a student's `test` is of no use yet, or nothing if it passes what is right.

    Args:
        test: called with one function, which has the name `argument`.
        argument: as a message calls it.
        right: functions that it has to pass.
        stub: what is said if it is not written yet.
        too_strict: what is said if it fails one of `right`.
    """
    if words := refusal(test, (argument,)):
        return words
    for function in right:
        tested = run(test, (function,))
        if tested.is_stub:
            return stub
        if tested.raised and not isinstance(tested.raised, AssertionError):
            return exception_words(tested.raised)
        if not passes(test, function):
            return too_strict
    return ""


def refusal(f: Callable, arguments: Sequence[str]) -> str:
    """Return why `f` cannot be called with these positional arguments, or nothing."""
    if not callable(f):
        return (
            f"Not yet: this is {_kind(f)}, not a function.\n"
            "Hand over the function itself, without the parentheses of a call."
        )
    try:
        inspect.signature(f).bind(*arguments)
    except ValueError:
        pass  # Python cannot tell, as for some functions written in C
    except TypeError:
        return (
            f"Not yet: your function takes {inspect.signature(f)}, and it is called with "
            f"({', '.join(arguments)})."
        )
    return ""


def first_sign(signs: Sequence[Sign], observed: Any, praise: str) -> Finding:
    """Return the first of the signs that is seen, those that explain others first; else praise."""
    for sign in signs:
        if sign.seen(observed):
            return Finding(False, f"Not yet: {sign.name}.\n{fill(sign.why, WIDTH)}")
    return Finding(True, praise)


# The student's own exception

_BNLIB = Path(__file__).resolve().parents[1]
_STDLIB = Path(sysconfig.get_path("stdlib"))


def exception_words(error: Exception) -> str:
    """Say what was raised, and in which line of the student."""
    text = f"Not yet: your function raises {type(error).__name__}"
    lines = [line for line in traceback.extract_tb(error.__traceback__) if _is_students(line)]
    if lines:
        text += f" in line {lines[-1].lineno}"
        text += f":\n    {lines[-1].line}" if lines[-1].line else ""
    return f"{text}\n{error}" if str(error) else text


def _is_students(line: traceback.FrameSummary) -> bool:
    path = Path(line.filename)
    installed = {"site-packages", "dist-packages"}.intersection(path.parts)
    frozen = line.filename.startswith(("<frozen ", "<__array_function__"))
    return not (installed or frozen or _BNLIB in path.parents or _STDLIB in path.parents)


# Comparing


def _agree(got: tuple[NDArray, ...], right: tuple[NDArray, ...]) -> bool:
    return len(got) == len(right) > 0 and all(
        a.shape == b.shape and not _off(a, b).any() for a, b in zip(got, right, strict=True)
    )


def _off(got: NDArray, right: NDArray) -> NDArray:
    """Return which entries differ; a NaN is equal to a NaN."""
    # Below 0.01 only what should be 0: there, too, right ways differ in their rounding.
    tolerance = TOLERANCE[right.dtype] * np.abs(right[np.isfinite(right)]).max(initial=0.01)
    return ~np.isclose(got, right, rtol=0, atol=tolerance, equal_nan=True)


def _pattern(got: NDArray, right: NDArray) -> str:
    """Say which entries differ, and whether one factor or one summand explains it."""
    off = _off(got, right)
    if broken := np.count_nonzero(~np.isfinite(got)):
        return f"from what is expected: {broken} of its {got.size} entries are NaN or infinite"
    words = "in every entry" if off.all() else f"in {off.sum()} of {off.size} entries"
    names = AXES if right.ndim > 1 else AXES[1:]
    only = []
    for axis, name in zip(range(right.ndim), names, strict=False):
        here = np.flatnonzero(off.any(axis=tuple({*range(right.ndim)} - {axis})))
        if len(here) < right.shape[axis]:
            numbers = " and ".join(map(str, here))
            only.append(f"{name if len(here) == 1 else name + 's'} {numbers}")
    words += f", only in {', '.join(only)}" if only else ""
    with np.errstate(all="ignore"):
        ways = {"factor": got / right, "summand": got - right}
    for way, error in ways.items():
        error = np.where(right == 0, np.nan, error) if way == "factor" else error
        if _constant(error, None):
            return f"{words}, by the {way} {np.nanmean(error):.4g}"
        for axis, name in zip(range(right.ndim), names, strict=False):
            others = tuple({*range(right.ndim)} - {axis})
            if others and error.shape[axis] < error.size and _constant(error, others):
                return f"{words}, by one {way} for each {name}"
    return words


def _constant(error: NDArray, axes: tuple[int, ...] | None) -> bool:
    """Whether an error, NaN where there is none to tell, is the same along some axes."""
    if np.isinf(error).any() or np.isnan(error).all(axis=axes).any():
        return False
    spread = np.nanmax(error, axis=axes) - np.nanmin(error, axis=axes)
    return bool((spread <= 1e-6 * np.nanmax(np.abs(error))).all())


def _copy(argument: Any) -> Any:
    if isinstance(argument, tuple):
        return tuple(map(_copy, argument))
    return argument.copy() if isinstance(argument, np.ndarray) else argument


def _same(old: Any, new: Any) -> bool:
    """Whether an argument has still the numbers of its copy."""
    return all(map(np.array_equal, _arrays_in((old,)), _arrays_in((new,))))


def _arrays_in(arguments: tuple) -> Iterator[NDArray]:
    for argument in arguments:
        if isinstance(argument, tuple):
            yield from _arrays_in(argument)
        elif isinstance(argument, np.ndarray):
            yield argument


# Printing


def _named(slips: Sequence[Slip]) -> str:
    if len(slips) == 1:
        return f"Not yet: {slips[0].name}.\n{fill(slips[0].why, WIDTH)}"
    text = f"Not yet: {('two', 'three')[len(slips) - 2]} slips at once."
    for i, slip in enumerate(slips, start=1):
        text += f"\n{i}. {slip.name}.\n{indent(fill(slip.why, WIDTH - 3), '   ')}"
    return text


def _value(argument: Any) -> str:
    if isinstance(argument, tuple):
        return f"({', '.join(map(_value, argument))})"
    if isinstance(argument, np.ndarray):
        kind = "" if argument.dtype == np.float64 else f" {argument.dtype}"
        if argument.size > PRINTED_ENTRIES:
            return f"an array {argument.shape}{kind}"
        return _numbers(argument) + kind
    return f"{argument:g}"


def _numbers(values: Any) -> str:
    """Print an array or a number in one line, rounded to four decimals, without -0."""
    values = np.round(np.asarray(values, float), 4) + 0.0
    if values.ndim:
        return f"[{', '.join(map(_numbers, values))}]"
    return f"{values:.10g}"


def _kind(thing: Any) -> str:
    name = "array" if isinstance(thing, np.ndarray) else type(thing).__name__
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"
