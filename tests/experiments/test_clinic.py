"""Every patient's illness can be told from the chart, and its treatment cures."""

from collections import Counter

import numpy as np
import pytest
import torch

from bnlib.experiments.clinic import (
    EXAMINATIONS,
    ILLNESSES,
    LEARNT,
    PATIENTS,
    SEEDS,
    TREATMENTS,
    admitted,
    treated,
    verdict,
)
from bnlib.experiments.data import load_digits
from bnlib.experiments.networks import mlp
from bnlib.experiments.patients import SIZES, Patient, chart
from bnlib.experiments.training import accuracy, train
from bnlib.torch_bn import BatchNorm


def patients(illness: str) -> list[Patient]:
    """Those of the clinic who have it, one for each seed."""
    return [Patient(seed=seed, **ILLNESSES[illness].change) for seed in range(SEEDS)]


@pytest.mark.parametrize("illness", ILLNESSES)
def test_a_chart_fits_one_illness_only(illness):
    for patient in patients(illness):
        assert [name for name, i in ILLNESSES.items() if i.fits(chart(patient))] == [illness]


@pytest.mark.parametrize("illness", ILLNESSES)
def test_its_treatment_cures_and_leaving_it_alone_does_not(illness):
    for patient in patients(illness):
        assert chart(treated(patient, ILLNESSES[illness].treatment)).in_service > LEARNT
        assert treated(patient, "leave it alone") == patient
        assert (chart(patient).in_service > LEARNT) == (illness == "healthy")


@pytest.mark.parametrize("illness", ["wrong axis", "eval() forgotten", "vanished signal"])
def test_the_treatment_of_its_twin_does_not_cure(illness):
    twin = ILLNESSES[ILLNESSES[illness].twin]
    for patient in patients(illness):
        assert chart(treated(patient, twin.treatment)).in_service < LEARNT


def test_twins_and_treatments_exist():
    for illness in ILLNESSES.values():
        assert illness.twin in ILLNESSES and illness.treatment in TREATMENTS


def test_each_illness_comes_as_often_and_the_order_tells_nothing():
    names = [admitted(number)[0] for number in range(1, PATIENTS + 1)]
    assert set(Counter(names).values()) == {SEEDS}
    assert len({admitted(number)[1] for number in range(1, PATIENTS + 1)}) == PATIENTS
    assert len(set(names[:9])) < 9  # no round through all of them


@pytest.mark.parametrize("number", [0, PATIENTS + 1])
def test_there_is_no_such_patient(number):
    with pytest.raises(ValueError, match=f"from 1 to {PATIENTS}, got {number}"):
        admitted(number)


def test_the_chart_of_a_healthy_patient_is_that_of_a_plain_training():
    x, y, x_test, y_test = map(torch.tensor, load_digits())
    model = mlp(SIZES, norm=BatchNorm, activation="sigmoid", init=0.1, seed=0)
    losses = list(train(model, x, y, steps=80, batch_size=60, lr=0.5, seed=0))
    healthy = chart(Patient())
    np.testing.assert_array_equal(healthy.losses, losses)
    assert healthy.in_service == healthy.in_evaluation == accuracy(model.eval(), x_test, y_test)


def test_batch_mates_change_answers_in_training_mode_only():
    healthy, forgotten = chart(Patient()), chart(Patient(served_in=3))
    assert healthy.wavering == 0 and len(set(healthy.answers)) == 1
    assert forgotten.wavering > 0.5 and len(set(forgotten.answers)) > 1


def test_notes_are_short_enough_for_their_place():
    for patient in [patients(illness)[0] for illness in ILLNESSES]:
        for examination in EXAMINATIONS.values():
            lines = examination.note.format(c=chart(patient)).split("\n")
            assert len(lines) <= 3 and max(map(len, lines)) <= 36


def test_the_verdict_names_what_is_true_what_decides_and_what_helps():
    patient = Patient(**ILLNESSES["vanished signal"].change)
    before = chart(patient)
    orders = {
        "vanished signal": "put BN before each activation",
        "wrong axis": "lower the rate to 0.1",
    }
    for named, treatment in orders.items():
        after = chart(treated(patient, treatment))
        said = verdict("vanished signal", named, treatment, before, after.in_service)
        assert "It looks most like “wrong axis”; what decides: in the last layer" in said
        assert ("and so it is" in said) == (named == "vanished signal")
        assert ("What helps: put BN before each activation" in said) == (named == "wrong axis")
