"""The clinic: find out what is wrong with a network that trains badly, and treat it."""

from __future__ import annotations

from collections.abc import Mapping

import ipywidgets as widgets

from bnlib.live.explorer import Explorer, Update
from bnlib.live.figure import LiveFigure
from bnlib.pictures.clinic import Clinic

ALLOWED = 3  # examinations
NOT_NAMED, NOT_CHOSEN = "not yet named", "not yet chosen"


def clinic_explorer() -> Explorer:
    """Make an explorer of 45 patients: three examinations, an illness to name, a treatment.

    Nothing is hidden in it: picture and line follow from the values of the controls.
    """
    from bnlib.experiments import (  # it loads torch, and the first patient is trained now
        clinic,
        patients,
    )

    def draw(live: LiveFigure) -> Update:
        titles = {name: exam.label.capitalize() for name, exam in clinic.EXAMINATIONS.items()}
        picture = Clinic(live.figure, range(0, patients.STEPS + 1, patients.EVERY), titles)
        live.moves(*picture.artists)

        def update(number: int, illness: str, treatment: str, treat: bool, **ordered: bool) -> str:
            actual, patient = clinic.admitted(number)
            chart = patients.chart(patient)
            covers = _covers(ordered)
            notes = {}
            for name, exam in clinic.EXAMINATIONS.items():
                notes[name] = exam.note.format(c=chart)
                picture.set_examination(name, exam.values(chart), notes[name], covers[name])
            found = [
                f"{exam.label}: {notes[name]}".replace("\n", " ")
                for name, exam in clinic.EXAMINATIONS.items()
                if not covers[name]
            ]
            words = [f"Patient {number}: {chart.in_service:.0%} right in service."]
            words += [f"{'; '.join(found)}."] if found else []
            if sum(ordered.values()) > ALLOWED:
                words += [f"Only {ALLOWED} examinations are shown: untick one to see another."]
            sheet = [f"Patient {number}: {chart.in_service:.0%} right", f"illness: {illness}"]
            sheet += [treatment if treatment != NOT_CHOSEN else f"treatment: {treatment}"]
            after = None
            if treat and illness != NOT_NAMED and treatment != NOT_CHOSEN:
                result = patients.chart(clinic.treated(patient, treatment))
                after = result.served
                sheet += [f"after it: {result.in_service:.0%} right"]
                words += [clinic.verdict(actual, illness, treatment, chart, result)]
            elif treat:
                sheet += ["name both to treat it"]
                words += ["Name an illness and choose a treatment, then it is carried out."]
            picture.set_case(chart.served, after, "\n".join(sheet))
            return " ".join(words)

        return update

    examinations = {
        name: widgets.Checkbox(name in ("loss", "modes"), description=exam.label)
        for name, exam in clinic.EXAMINATIONS.items()
    }
    controls = {
        "number": widgets.IntSlider(
            1, 1, clinic.PATIENTS, description="patient", continuous_update=False
        ),
        **examinations,
        "illness": widgets.Dropdown(options=[NOT_NAMED, *clinic.ILLNESSES], description="illness"),
        "treatment": widgets.Dropdown(
            options=[NOT_CHOSEN, *clinic.TREATMENTS], description="treatment"
        ),
        "treat": widgets.Checkbox(False, description="carry the treatment out"),
    }
    text = "A patient of the clinic: its answers in service, and two examinations of six."
    return Explorer(draw, controls, height=7, text=text)


def _covers(ordered: Mapping[str, bool]) -> dict[str, str]:
    """Return what is written over each examination; nothing over the first three ordered."""
    covers, left = {}, ALLOWED
    for name, is_ordered in ordered.items():
        shown = is_ordered and left > 0
        left -= shown
        covers[name] = (
            "" if shown else f"{ALLOWED} are shown already" if is_ordered else "not ordered"
        )
    return covers
