"""Networks side by side do what each of them does alone."""

import pytest
import torch
from torch import nn

from bnlib.experiments.data import load_digits
from bnlib.experiments.norm_and_batch import NORMS, network
from bnlib.experiments.norm_free import StandardizedLinear
from bnlib.experiments.side_by_side import SideBySide, trained_together
from bnlib.experiments.training import DivergedError, accuracy, train

X, Y, X_TEST, Y_TEST = map(torch.tensor, load_digits())


def images(kind: str, x: torch.Tensor) -> torch.Tensor:
    return x if kind == "MLP" else x.view(-1, 1, 8, 8)


@pytest.mark.parametrize("kind", ["MLP", "CNN", "CNN + dense"])
@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("training", [True, False])
def test_each_answers_as_it_does_alone(kind, norm, training):
    models = [network(kind, norm, seed=seed).train(training) for seed in range(3)]
    parts = [images(kind, X[10 * seed : 10 * seed + 10]) for seed in range(3)]
    logits = SideBySide(models).train(training)(torch.cat(parts, dim=1))
    for place, (model, x) in enumerate(zip(models, parts, strict=True)):
        assert torch.allclose(logits[:, :, place], model(x), atol=1e-5)


@pytest.mark.parametrize(("kind", "norm"), [("MLP", "BN"), ("CNN", "LN"), ("CNN", "none")])
def test_each_becomes_what_it_becomes_alone(kind, norm):
    x, x_test = images(kind, X), images(kind, X_TEST)
    models = [network(kind, norm, seed=seed) for seed in range(2)]
    settings = {"steps": 15, "batch_size": 20, "lr": 0.1}
    together = trained_together(models, x, Y, **settings).accuracies(x_test, Y_TEST)
    for place, model in enumerate(models):
        order = torch.randperm(len(x), generator=torch.Generator().manual_seed(place))
        list(train(model, x[order], Y[order], **settings))
        assert together[place] == pytest.approx(accuracy(model, x_test, Y_TEST), abs=0.01)
    assert together[0] != together[1]


def test_the_models_stay_as_they_are():
    models = [network("CNN", "BN", seed=seed) for seed in range(2)]
    before = [value.clone() for model in models for value in model.state_dict().values()]
    trained_together(models, images("CNN", X), Y, steps=2, batch_size=4, lr=0.1)
    after = [value for model in models for value in model.state_dict().values()]
    assert all(map(torch.equal, before, after))


def test_the_mode_stays():
    together = SideBySide([network("MLP", "BN")]).train()
    together.accuracies(X_TEST, Y_TEST)
    assert together.training


def test_what_cannot_lie_side_by_side_is_refused():
    with pytest.raises(ValueError, match="all of the same shape"):
        SideBySide([network("MLP", "BN"), network("MLP", "LN")])
    with pytest.raises(ValueError, match="all of the same shape"):
        SideBySide([])
    for layer in nn.LayerNorm(4), StandardizedLinear(4, 4):
        with pytest.raises(ValueError, match="can lie side by side"):
            SideBySide([nn.Sequential(layer)])


def test_one_that_diverges_ends_it():
    models = [network("MLP", "none", seed=seed) for seed in range(2)]
    with pytest.raises(DivergedError):
        trained_together(models, X, Y, steps=20, batch_size=8, lr=1e6)
