"""The clinic: find out what is wrong with a network that answers badly, and treat it."""

from __future__ import annotations

from collections.abc import Mapping

import ipywidgets as widgets
from numpy.typing import NDArray

from bnlib.experiments import clinic
from bnlib.experiments.charts import EVERY, STEPS, Chart
from bnlib.live.explorer import Explorer, Update
from bnlib.live.figure import LiveFigure
from bnlib.live.recording import table
from bnlib.pictures.clinic import Clinic

ALLOWED = 3  # examinations of a patient
NOT_NAMED, NOT_CHOSEN = "not yet named", "not yet chosen"
NAME_BOTH = "Name an illness and choose a treatment; then it is carried out."


def clinic_explorer() -> Explorer:
    """Make an explorer of 45 patients: three examinations, an illness to name, a treatment.

    What is ordered stays ordered, until another patient comes. Once a treatment has been carried
    out, all six examinations are shown.
    """
    exams = clinic.EXAMINATIONS
    numbers = range(1, clinic.PATIENTS + 1)
    charts = table("patients", _chart, numbers)
    served = table("treatments", _served, numbers, clinic.TREATMENTS)
    boxes = {
        name: widgets.Checkbox(False, description=exam.label, indent=False)
        for name, exam in exams.items()
    }

    def draw(live: LiveFigure) -> Update:
        titles = {name: exam.label.capitalize() for name, exam in exams.items()}
        picture = Clinic(live.figure, range(0, STEPS + 1, EVERY), titles)
        live.moves(*picture.artists)

        def update(number: int, illness: str, treatment: str, treat: bool, **ordered: bool) -> str:
            _lock(boxes, ordered)
            before, after = charts(number), None
            if treat and illness != NOT_NAMED and treatment != NOT_CHOSEN:
                after = served(number, treatment)
            seen = _ordered(ordered)
            notes = {name: exam.note.format(c=before) for name, exam in exams.items()}
            for name, exam in exams.items():
                question = "three are ordered" if len(seen) == ALLOWED else exam.question
                cover = question if after is None and name not in seen else ""
                picture.set_examination(name, exam.values(before), notes[name], cover)
            right = f"Patient {number}: {before.in_service:.0%} right"
            treated = "" if after is None else f", treated {after[-1]:.0%}"
            sheet = [right + treated, f"illness: {illness}", "treatment:", treatment]
            picture.set_case(before.served, after, "\n".join(sheet))
            words = [f"{right} in service; illness: {illness}; treatment: {treatment}."]
            if after is not None:
                actual, _ = clinic.admitted(number)
                words += [clinic.verdict(actual, illness, treatment, before, float(after[-1]))]
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


def _chart(number: int) -> Chart:
    """Examine a patient, who is trained for that."""
    from bnlib.experiments.patients import chart

    return chart(clinic.admitted(number)[1])


def _served(number: int, treatment: str) -> NDArray:
    """Return the shares of right answers in service of a patient that has been treated."""
    from bnlib.experiments.patients import chart

    return chart(clinic.treated(clinic.admitted(number)[1], treatment)).served


def _ordered(boxes: Mapping[str, bool]) -> list[str]:
    """Return the names of the examinations that are ordered, the first three of them."""
    return [name for name, is_ordered in boxes.items() if is_ordered][:ALLOWED]


def _lock(boxes: Mapping[str, widgets.Checkbox], ordered: Mapping[str, bool]) -> None:
    """Let nothing be taken back, and no fourth examination be ordered."""
    is_full = sum(ordered.values()) >= ALLOWED
    for name, box in boxes.items():
        box.disabled = is_full or ordered[name]
