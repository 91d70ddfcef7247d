"""Padded sequences, and what the padding does to batch statistics."""

import numpy as np
import pytest
import torch
from torch import nn

from bnlib.experiments.data import load_digits
from bnlib.experiments.padding import RowReader, accuracy_by_length, as_sequences, trained

KINDS = {
    "BN": (nn.BatchNorm1d, False),
    "masked": (nn.BatchNorm1d, True),
    "LN": (nn.LayerNorm, False),
}


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    return torch.tensor(load_digits().x_test[:30])


def test_a_sequence_has_the_rows_their_places_and_padding(images):
    sequences = as_sequences(images, 11)
    assert sequences.shape == (30, 11, 16)
    assert torch.equal(sequences[:, :8, :8].flatten(1), images)
    assert torch.equal(sequences[7, :8, 8:], torch.eye(8))
    assert not sequences[:, 8:].any()


def test_too_short_a_length_is_refused(images):
    with pytest.raises(ValueError, match="at least 8, the rows, got 7"):
        as_sequences(images, 7)


@pytest.mark.parametrize("p", [0.2, 0.5, 0.9])
def test_the_formula_of_the_lesson(images, p):
    z = RowReader(nn.BatchNorm1d).first(as_sequences(images)).detach().numpy()
    real = z.reshape(-1, 64).astype(float)
    mu, var = real.mean(0), real.var(0)
    padded = np.concatenate([real, np.zeros((round(len(real) * p / (1 - p)), 64))])
    assert np.allclose(padded.mean(0), (1 - p) * mu, atol=1e-6)
    assert np.allclose(padded.var(0), (1 - p) * (var + p * mu**2), atol=1e-6)


@pytest.mark.parametrize(("kind", "notices"), [("BN", True), ("masked", False), ("LN", False)])
def test_who_notices_padding_in_training_mode(images, kind, notices):
    model = RowReader(*KINDS[kind])
    with torch.no_grad():
        short, long = (model(as_sequences(images, length)) for length in (8, 40))
    assert torch.allclose(short, long, atol=1e-5) == (not notices)


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_notices_it_in_evaluation_mode(images, kind):
    model = RowReader(*KINDS[kind]).eval()
    with torch.no_grad():
        assert torch.allclose(
            model(as_sequences(images)), model(as_sequences(images, 40)), atol=1e-5
        )


@pytest.fixture(scope="module")
def reader() -> RowReader:
    return trained(nn.BatchNorm1d)


def test_padding_harms_batch_statistics_alone(reader):
    short, long = accuracy_by_length(reader, (8, 80))
    assert short > 0.85 and long < short - 0.2
    assert np.ptp(accuracy_by_length(reader, (8, 80), training=False)) == 0


def test_the_mode_is_kept(reader):
    reader.eval()
    accuracy_by_length(reader, (8,))
    assert not reader.training
