"""Networks trained side by side on the digits."""

import numpy as np
import pytest
import torch

from bnlib.experiments.comparison import Comparison
from bnlib.experiments.data import load_digits
from bnlib.experiments.networks import mlp
from bnlib.experiments.runs import Variant, batch_norm
from bnlib.experiments.training import train

PLAIN, WITH_BN = Variant("plain"), Variant("BN", {"norm": batch_norm})
BOTH = (PLAIN, WITH_BN)


def trained(variants=BOTH, **options) -> Comparison:
    return Comparison(variants, **{"steps": 20, "snapshots": 5, **options}).trained()


def test_progress_goes_from_near_0_to_1():
    assert list(Comparison(BOTH, steps=4).train()) == [0.25, 0.5, 0.75, 1]


def test_trained_is_what_train_leaves_at_its_end():
    step_by_step = Comparison(BOTH, steps=4)
    list(step_by_step.train())
    at_once = Comparison(BOTH, steps=4).trained()
    for label, model in at_once.models.items():
        for ours, theirs in zip(
            model.parameters(), step_by_step.models[label].parameters(), strict=True
        ):
            assert torch.equal(ours, theirs)


def test_the_same_settings_give_the_same_numbers_to_the_last_bit():
    first, second, other = trained(), trained(), trained(seed=1)
    for variant in BOTH:
        a, b, c = (run.recorders[variant.label] for run in (first, second, other))
        assert a.accuracy == b.accuracy
        np.testing.assert_array_equal(a.inputs, b.inputs)
        assert not np.array_equal(a.inputs, c.inputs)


def test_networks_share_weights_and_batches():
    """The same network twice takes the same course, and BN changes nothing of the start."""
    twins = trained([WITH_BN, Variant("twin", WITH_BN.network)])
    np.testing.assert_array_equal(twins.recorders["BN"].inputs, twins.recorders["twin"].inputs)
    both = Comparison(BOTH)
    assert torch.equal(both.models["BN"][0].weight, both.models["plain"][0].weight)


def test_a_network_does_not_depend_on_the_others():
    alone, beside = trained([WITH_BN]), trained()
    np.testing.assert_array_equal(alone.recorders["BN"].inputs, beside.recorders["BN"].inputs)


@pytest.mark.parametrize(
    "training",
    [{"lr": 0.1}, {"batch_size": 7}, {"lr": 0.01, "optimizer": torch.optim.Adam}],
    ids=str,
)
def test_networks_may_differ_in_how_they_are_trained(training):
    run = trained([PLAIN, Variant("other", training=training)])
    assert run.recorders["plain"].accuracy == trained([PLAIN]).recorders["plain"].accuracy
    model, digits = mlp([64, 100, 100, 100, 10]), map(torch.tensor, load_digits()[:2])
    list(train(model, *digits, **{"steps": 20, "batch_size": 60, "lr": 0.5, **training}))
    for ours, alone in zip(run.models["other"].parameters(), model.parameters(), strict=True):
        assert torch.equal(ours, alone)


def test_networks_may_differ_in_any_norm_and_its_place():
    run = trained(
        [
            Variant("LN", {"norm": torch.nn.LayerNorm}),
            Variant("BN after", {"norm": batch_norm, "place": "after"}),
        ]
    )
    assert isinstance(run.models["LN"][1], torch.nn.LayerNorm)
    assert len(run.recorders["BN after"].accuracy) == len(run.steps)


def test_unit_inputs_are_one_column_of_what_was_recorded():
    run = trained(depth=2)
    unit = run.unit_inputs("BN", layer=1, unit=7)
    np.testing.assert_array_equal(unit, np.array(run.recorders["BN"].inputs)[:, 1, :, 7])
    assert unit.shape == (len(run.steps), 200) and run.depth == 2


def test_a_network_that_diverges_stops_alone_and_stays_usable():
    wild = Variant("wild", {"activation": "relu", "init": 100.0})
    run = trained([Variant("tame"), wild], lr=1.0, steps=50)
    assert set(run.diverged) == {"wild"}
    step = run.diverged["wild"].step
    assert 0 < step < 50 and run.recorders["wild"].steps[-1] <= step
    assert run.recorders["tame"].steps == run.steps
    assert len(run.unit_inputs("wild", 0, 0)) == len(run.recorders["wild"].steps)


@pytest.mark.parametrize(
    "bad", [{"depth": 0}, {"lr": 0}, {"batch_size": 1}, {"batch_size": 2000}, {"steps": 0}], ids=str
)
def test_impossible_settings_are_refused_at_the_call(bad):
    with pytest.raises(ValueError, match="expected|cannot"):
        Comparison(BOTH, **bad)


def test_two_networks_of_one_label_are_refused():
    with pytest.raises(ValueError, match="'BN' twice"):
        Comparison([WITH_BN, WITH_BN])
