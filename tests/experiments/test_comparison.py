"""Networks trained side by side on the digits."""

import numpy as np
import pytest
import torch

from bnlib.experiments.comparison import BN_OR_NOT, Comparison

torch.set_num_threads(1)


def trained(variants=BN_OR_NOT, **options) -> Comparison:
    comparison = Comparison(variants, **{"steps": 20, "looks": 5, **options})
    list(comparison.train())
    return comparison


def test_progress_goes_from_near_0_to_1():
    shares = list(Comparison(BN_OR_NOT, steps=4).train())
    assert shares == [0.25, 0.5, 0.75, 1]


def test_the_same_settings_give_the_same_numbers_to_the_last_bit():
    first, second = trained(), trained()
    for name in BN_OR_NOT:
        a, b = first.recorders[name], second.recorders[name]
        assert a.accuracy == b.accuracy
        np.testing.assert_array_equal(a.inputs, b.inputs)
    assert not np.array_equal(
        first.recorders["with BN"].inputs, trained(seed=1).recorders["with BN"].inputs
    )


def test_networks_share_weights_and_batches():
    """The same network twice takes the same course, and BN changes nothing of the start."""
    twins = trained({"a": {"batch_norm": "before"}, "b": {"batch_norm": "before"}})
    np.testing.assert_array_equal(twins.recorders["a"].inputs, twins.recorders["b"].inputs)
    both = Comparison(BN_OR_NOT)
    assert torch.equal(both.models["with BN"][0].weight, both.models["without BN"][0].weight)


def test_a_network_does_not_depend_on_the_others():
    alone = trained({"with BN": BN_OR_NOT["with BN"]})
    beside = trained()
    np.testing.assert_array_equal(
        alone.recorders["with BN"].inputs, beside.recorders["with BN"].inputs
    )


def test_unit_inputs_are_one_column_of_what_was_recorded():
    run = trained(depth=2)
    unit = run.unit_inputs("with BN", layer=1, unit=7)
    np.testing.assert_array_equal(unit, np.array(run.recorders["with BN"].inputs)[:, 1, :, 7])
    assert unit.shape == (len(run.recorders["with BN"].steps), 200)


def test_a_network_that_diverges_stops_alone_and_stays_usable():
    wild = {"tame": {}, "wild": {"activation": "relu", "init": 100.0}}
    run = trained(wild, lr=1.0, steps=50)
    assert set(run.diverged) == {"wild"}
    step = run.diverged["wild"].step
    assert 0 < step < 50 and run.recorders["wild"].steps[-1] <= step
    assert run.recorders["tame"].steps[-1] == 50
    assert len(run.unit_inputs("wild", 0, 0)) == len(run.recorders["wild"].steps)


@pytest.mark.parametrize(
    "bad", [{"depth": 0}, {"lr": 0}, {"batch_size": 1}, {"batch_size": 2000}, {"steps": 0}]
)
def test_impossible_settings_are_refused(bad):
    with pytest.raises(ValueError, match="expected|cannot"):
        trained(**bad)
