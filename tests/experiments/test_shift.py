"""How the shift is measured, and how it is made."""

import numpy as np
import pytest
import torch

from bnlib.experiments.comparison import Comparison
from bnlib.experiments.networks import mlp
from bnlib.experiments.runs import Variant
from bnlib.experiments.shift import (
    FirstBatchNorm,
    NoisyBatchNorm,
    distance_travelled,
    gradient_change,
    gradient_changes,
    noise_alone,
    noisy_batch_norm,
)
from tests.experiments.test_networks import SIZES
from tests.experiments.test_training import X, Y

STEPS = [0, 1, 5, 10]
RNG = np.random.default_rng(0)
INPUTS = RNG.normal(size=(4, 50, 3))


def test_a_unit_that_goes_up_and_down_has_travelled():
    z = np.array([[[0.0], [2]], [[3.0], [5]], [[1.0], [5]]])  # means 1, 4, 3; spreads 1, 1, 2
    assert distance_travelled(z, [10, 20, 60]) == pytest.approx([2 * (3 + 1 + 1)])
    assert distance_travelled(4 * z, [10, 20, 60], in_spreads=False) == pytest.approx([4 * 10])


def test_in_spreads_the_unit_of_the_inputs_does_not_matter():
    shift = distance_travelled(INPUTS, STEPS)
    np.testing.assert_allclose(distance_travelled(1e-3 * INPUTS + 5, STEPS), shift)


def test_what_does_not_move_has_not_travelled():
    assert distance_travelled(np.stack([INPUTS[0]] * 4), STEPS).tolist() == [0, 0, 0]


def test_undivided_it_can_only_get_shorter_if_one_looks_less_often():
    often = distance_travelled(INPUTS, STEPS, in_spreads=False)
    seldom = distance_travelled(INPUTS[[0, 3]], [0, 10], in_spreads=False)
    assert np.all(seldom < often)


@pytest.mark.parametrize("steps", [[0], [0, 1]])
def test_looks_and_steps_belong_together(steps):
    with pytest.raises(ValueError, match="expected two looks or more, got 1 at"):
        distance_travelled(INPUTS[:1], steps)


def noise(layer: NoisyBatchNorm, x: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each unit after a forward pass: b and a, as γ is 1, β 0."""
    z = layer(x).detach().numpy()
    return z.mean(axis=0), z.std(axis=0)


def test_noise_after_bn_is_drawn_anew_for_each_unit_and_call():
    layer = noisy_batch_norm(seed=0)(200)
    x = torch.randn(64, 200, generator=torch.Generator().manual_seed(0))
    (b, a), (b2, a2) = noise(layer, x), noise(layer, x)
    assert -1 <= b.min() < -0.9 and 0.9 < b.max() <= 1
    assert 0.49 < a.min() < 0.6 and 1.9 < a.max() <= 2
    assert abs(np.corrcoef(b, b2)[0, 1]) < 0.3 and abs(np.corrcoef(a, a2)[0, 1]) < 0.3
    assert abs(np.corrcoef(a, b)[0, 1]) < 0.3


@pytest.mark.parametrize(("strength", "low", "high"), [(0, 1, 1), (2, 0.25, 4)])
def test_the_noise_has_a_strength(strength, low, high):
    x = torch.randn(64, 400, generator=torch.Generator().manual_seed(0))
    b, a = noise(noisy_batch_norm(0, strength)(400), x)
    assert b.min() == pytest.approx(-strength, abs=0.1) and abs(b).max() < strength + 1e-5
    assert a.min() == pytest.approx(low, rel=0.15) and a.max() == pytest.approx(high, rel=0.05)


def test_the_noise_can_be_had_without_bn():
    x = torch.randn(64, 5, generator=torch.Generator().manual_seed(0))
    with_bn, alone = noisy_batch_norm(seed=3)(5), noise_alone(seed=3)(5)
    assert torch.equal(alone(torch.nn.BatchNorm1d(5)(x)), with_bn(x))
    assert torch.equal(alone.eval()(x), x)


def test_in_evaluation_mode_there_is_no_noise():
    layer = noisy_batch_norm(seed=0)(3).eval()
    x = torch.arange(12.0).view(4, 3)
    assert torch.equal(layer(x), torch.nn.BatchNorm1d(3).eval()(x))


def test_two_layers_of_a_network_get_different_noise_and_two_networks_the_same():
    x = torch.arange(12.0).view(4, 3)
    one, other = noisy_batch_norm(seed=5), noisy_batch_norm(seed=5)
    first, second = one(3), one(3)
    assert torch.equal(out := first(x), other(3)(x))
    assert not torch.equal(out, second(x))


def test_the_gradient_of_the_last_layer_stays_if_the_layers_below_do():
    model = mlp(SIZES, init=1.0)
    assert gradient_change(model, X[:60], Y[:60], lr=0.0) == 0
    for parameter in model[:-1].parameters():
        parameter.requires_grad_(False)
    assert gradient_change(model, X[:60], Y[:60], lr=1.0) == 0


def test_noise_does_not_count_as_a_change():
    model = mlp(SIZES, init=1.0, norm=noisy_batch_norm(seed=0))
    assert gradient_change(model, X[:60], Y[:60], lr=0.0) == 0
    assert gradient_change(model, X[:60], Y[:60], lr=0.5) > 0


def test_what_is_normalized_once_keeps_the_numbers_of_its_first_training_batch():
    layer = FirstBatchNorm(2)
    first, next_one = torch.tensor([[2.0, 5], [4, 5.5]]), torch.tensor([[10.0, 5], [3, 6]])
    assert torch.equal(layer.eval()(first), first)  # none has come yet
    assert torch.allclose(layer.train()(first), torch.tensor([[-1.0, -1], [1, 1]]))
    expected = torch.tensor([[7.0, -1], [0, 3]])
    assert torch.allclose(layer(next_one), expected)
    assert torch.allclose(layer.eval()(next_one), expected)
    with torch.no_grad():
        layer.weight[:], layer.bias[:] = 2, 1
    assert torch.allclose(layer(next_one), 2 * expected + 1)


def test_its_numbers_get_no_gradient():
    layer = FirstBatchNorm(3)
    x = torch.randn(5, 3, requires_grad=True)
    layer(x).sum().backward()
    assert torch.allclose(x.grad, (1 / layer.std).expand(5, 3))
    assert {name for name, _ in layer.named_parameters()} == {"weight", "bias"}


def test_its_change_is_that_between_two_steps():
    model = mlp(SIZES, init=1.0)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    change = gradient_change(model, X[:60], Y[:60], lr=0.5)
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])
    gradients = []
    for _ in range(2):
        model.zero_grad()
        torch.nn.functional.cross_entropy(model(X[:60]), Y[:60]).backward()
        gradients.append(model[-1].weight.grad.clone())
        with torch.no_grad():
            for parameter in [*model.parameters()][:-2]:
                parameter -= 0.5 * parameter.grad
    g, after = gradients
    assert change == pytest.approx(((after - g).norm() / g.norm()).item(), rel=1e-6)
    assert change > 0


def test_the_changes_are_measured_on_the_way_and_the_training_does_not_notice():
    watched, alone = (Comparison([Variant("plain")], steps=8, init=0.5) for _ in range(2))
    changes = gradient_changes(watched, lr=0.5)
    list(alone.train())
    assert [*changes] == ["plain"] and 0.1 < changes["plain"] < 10
    assert watched.recorders["plain"].accuracy == alone.recorders["plain"].accuracy
    for ours, theirs in zip(
        watched.models["plain"].parameters(), alone.models["plain"].parameters(), strict=True
    ):
        assert torch.equal(ours, theirs)
