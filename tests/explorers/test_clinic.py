"""The clinic: what may be ordered, what is shown, and what is said in the end."""

import pytest

from bnlib.experiments.clinic import EXAMINATIONS, ILLNESSES, PATIENTS, admitted
from bnlib.explorers.clinic import NAME_BOTH, NOT_NAMED, clinic_explorer


@pytest.fixture
def clinic():
    return clinic_explorer()


def notes(explorer) -> list[str]:
    """The examinations of which the line tells the numbers."""
    return [exam.label for exam in EXAMINATIONS.values() if f" {exam.label}: " in explorer.line]


def test_three_examinations_can_be_ordered_and_none_be_taken_back(clinic):
    boxes = {name: clinic.controls[name] for name in EXAMINATIONS}
    assert notes(clinic) == [] and "Examinations left: 3." in clinic.line
    for name in ("last", "modes"):
        boxes[name].value = True
        assert boxes[name].disabled
    assert not boxes["loss"].disabled
    boxes["loss"].value = True
    assert all(box.disabled for box in boxes.values())
    assert notes(clinic) == ["loss", "both modes", "last layer"]
    assert "Examinations left: 0." in clinic.line


def test_a_fourth_one_stays_covered(clinic):
    clinic.set(loss=True, modes=True, first=True)
    before = clinic.png()
    clinic.set(last=True)
    assert clinic.png() == before


def test_another_patient_comes_unexamined(clinic):
    clinic.set(loss=True, illness="healthy", treat=True)
    clinic.controls["number"].value = 7
    assert clinic.values == {**clinic._start, "number": 7}
    assert not clinic.controls["loss"].disabled


def test_nothing_is_told_before_the_treatment_is_carried_out(clinic):
    for number in range(1, 10):
        clinic.set(number=number, treat=False, illness=NOT_NAMED)
        assert admitted(number)[0] not in clinic.line
    clinic.set(treat=True)
    assert clinic.line.endswith(NAME_BOTH)


@pytest.mark.parametrize("is_right", [True, False])
def test_a_round(clinic, is_right):
    number = next(n for n in range(1, PATIENTS + 1) if admitted(n)[0] == "wrong axis")
    named = "wrong axis" if is_right else "vanished signal"
    clinic.set(number=number, modes=True, last=True)
    clinic.set(illness=named, treatment=ILLNESSES[named].treatment, treat=True)
    assert ("and so it is" in clinic.line) == is_right
    assert "It looks most like “vanished signal”; what decides" in clinic.line
    assert ("What helps: normalize over the batch axis" in clinic.line) != is_right
