"""SimpleCNN in several orders: what is recorded of its trainings."""

import numpy as np
import pytest
import torch

from bnlib.experiments.convolutional import simple_cnn
from bnlib.experiments.data import load_digits
from bnlib.experiments.placements import (
    Placed,
    Placement,
    common_share,
    network,
    train_placements,
)
from bnlib.experiments.training import accuracy, train

PLACEMENTS = {
    "none": Placement(("relu", "pool"), ("relu",)),
    "after ReLU": Placement(("relu", "norm", "pool"), ("relu",)),
}


@pytest.fixture(scope="module")
def found() -> dict[str, Placed]:
    return train_placements(PLACEMENTS, rates=(0.1, 1.0), seeds=(0, 1), steps=25)


def test_a_number_is_that_of_the_plain_loop(found):
    x, y, x_test, y_test = map(torch.tensor, load_digits())
    model = simple_cnn(stage=("relu", "pool"), head=("relu",), seed=1)
    list(train(model, x.view(-1, 1, 8, 8), y, steps=25, batch_size=60, lr=0.1, seed=1))
    images = x_test.view(-1, 1, 8, 8)
    assert found["none"].accuracy[0, 1] == accuracy(model, images, y_test)
    dead = (model[:-1](images) == 0).all(0).float().mean().item()
    assert found["none"].dead[0, 1] == dead


def test_what_diverges_is_nan_and_counts_as_0(found):
    assert np.isnan(found["after ReLU"].accuracy[1]).all()
    assert np.isfinite(found["after ReLU"].accuracy[0]).all()
    assert (found["after ReLU"].right[1] == 0).all()
    assert found["after ReLU"].best == 0


def test_the_best_rate_has_the_best_median():
    accuracies = np.array([[0.9, 0.9, 0.1], [0.7, 0.7, 0.7], [1.0, np.nan, np.nan]])
    assert Placed((0.1, 0.3, 1), accuracies, accuracies).best == 0


@pytest.mark.parametrize("name", PLACEMENTS)
def test_what_all_images_share_is_the_rest_of_their_variance(name):
    """The mean square of a number is the square of its mean and its variance."""
    x = torch.tensor(load_digits().x_train[:360]).view(-1, 1, 8, 8)
    count = len(PLACEMENTS[name].stage) + 2
    flat = simple_cnn(stage=PLACEMENTS[name].stage, head=("relu",), seed=2)[:count](x)
    rest = flat.var(0, correction=0).sum() / flat.square().mean(0).sum()
    assert common_share(PLACEMENTS[name], seed=2) == pytest.approx(1 - rest.item(), abs=1e-5)


PLAIN = PLACEMENTS["none"]


def test_what_is_subtracted_is_the_common_part_and_training_leaves_it_alone():
    x, y = map(torch.tensor, load_digits()[:2])
    x = x.view(-1, 1, 8, 8)
    model = network(PLAIN._replace(minus="mean"), seed=0)
    vector = model[4].vector.clone()
    assert torch.allclose(vector, simple_cnn(stage=PLAIN.stage, head=PLAIN.head)[:4](x).mean(0))
    list(train(model, x, y, steps=2, batch_size=60, lr=0.1))
    assert torch.equal(model[4].vector, vector)
    assert common_share(PLAIN._replace(minus="mean"), seed=0) < 0.01


def test_shuffled_it_has_the_same_numbers_in_other_places():
    [whole, shuffled] = (
        network(PLAIN._replace(minus=m), 0)[4].vector for m in ("mean", "shuffled")
    )
    assert torch.equal(whole.sort()[0], shuffled.sort()[0]) and not torch.equal(whole, shuffled)


def test_the_weights_are_the_same_whatever_is_subtracted():
    plain, other = network(PLAIN, 3), network(PLAIN._replace(minus="mean"), 3)
    for ours, theirs in zip(plain.parameters(), other.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_an_unknown_minus_is_refused():
    with pytest.raises(ValueError, match="nothing, mean or shuffled"):
        network(PLAIN._replace(minus="median"), 0)
