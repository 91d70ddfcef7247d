"""The clinic: find out what is wrong with a network that answers badly, and treat it."""

from __future__ import annotations

from collections.abc import Mapping

import ipywidgets as widgets

from bnlib.live.explorer import Explorer, Update
from bnlib.live.figure import LiveFigure
from bnlib.pictures.clinic import Clinic

ALLOWED = 3  # examinations of a patient
NOT_NAMED, NOT_CHOSEN = "not yet named", "not yet chosen"
NAME_BOTH = "Name an illness and choose a treatment; then it is carried out."


def clinic_explorer() -> Explorer:
    """Make an explorer of 45 patients: three examinations, an illness to name, a treatment.

    What is ordered stays ordered, until another patient comes. Once a treatment has been carried
    out, all six examinations are shown.
    """
    from bnlib.experiments import (  # it loads torch, and the first patient is trained now
        clinic,
        patients,
    )

    exams = clinic.EXAMINATIONS
    boxes = {
        name: widgets.Checkbox(False, description=exam.label, indent=False)
        for name, exam in exams.items()
    }

    def draw(live: LiveFigure) -> Update:
        titles = {name: exam.label.capitalize() for name, exam in exams.items()}
        picture = Clinic(live.figure, range(0, patients.STEPS + 1, patients.EVERY), titles)
        live.moves(*picture.artists)

        def update(number: int, illness: str, treatment: str, treat: bool, **ordered: bool) -> str:
            _lock(boxes, ordered)
            actual, patient = clinic.admitted(number)
            before, after = patients.chart(patient), None
            if treat and illness != NOT_NAMED and treatment != NOT_CHOSEN:
                after = patients.chart(clinic.treated(patient, treatment))
            seen = _ordered(ordered)
            notes = {name: exam.note.format(c=before) for name, exam in exams.items()}
            for name, exam in exams.items():
                question = "three are ordered" if len(seen) == ALLOWED else exam.question
                cover = "" if after or name in seen else question
                picture.set_examination(name, exam.values(before), notes[name], cover)
            right = f"Patient {number}: {before.in_service:.0%} right"
            treated = f", treated {after.in_service:.0%}" if after else ""
            sheet = [right + treated, f"illness: {illness}", "treatment:", treatment]
            picture.set_case(before.served, after.served if after else None, "\n".join(sheet))
            words = [f"{right} in service; illness: {illness}; treatment: {treatment}."]
            if after:
                words += [clinic.verdict(actual, illness, treatment, before, after)]
            else:
                words += [f"Examinations left: {ALLOWED - len(seen)}."]
                words += [f"{exams[name].label}: {notes[name]}." for name in seen]
                words += [NAME_BOTH] if treat else []
            return " ".join(words).replace("\n", " ")

        return update

    number = widgets.IntSlider(1, 1, clinic.PATIENTS, continuous_update=False)
    number.description = "patient"
    # No drop-down lists: JupyterLab takes the arrow keys, which move in one, to move between cells.
    choices = {
        name: widgets.SelectionSlider(options=options, description=name, readout=False)
        for name, options in (
            ("illness", [NOT_NAMED, *clinic.ILLNESSES]),
            ("treatment", [NOT_CHOSEN, *clinic.TREATMENTS]),
        )
    }
    controls = {
        "number": number,
        **boxes,
        **choices,
        "treat": widgets.Checkbox(False, description="carry the treatment out", indent=False),
    }
    text = "A patient of the clinic: its answers in service, and six examinations to order from."
    explorer = Explorer(draw, controls, anew="number", height=7, text=text)
    for box in boxes.values():
        box.layout.width = "8rem"
    return explorer


def _ordered(boxes: Mapping[str, bool]) -> list[str]:
    """Return the names of the examinations that are ordered, the first three of them."""
    return [name for name, is_ordered in boxes.items() if is_ordered][:ALLOWED]


def _lock(boxes: Mapping[str, widgets.Checkbox], ordered: Mapping[str, bool]) -> None:
    """Let nothing be taken back, and no fourth examination be ordered."""
    is_full = sum(ordered.values()) >= ALLOWED
    for name, box in boxes.items():
        box.disabled = is_full or ordered[name]
