"""BN with one of its two uses of the batch."""

import pytest
import torch
from torch import nn

from bnlib.experiments.networks import batch_norms, mlp
from bnlib.experiments.two_uses import TwoUses, with_uses

X = torch.randn(8, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
SLOPES = torch.randn(8, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
USES = [(True, True), (True, False), (False, True), (False, False)]


def layer(*uses: bool, like: type = TwoUses) -> nn.BatchNorm1d:
    """A layer whose averages are those of other data."""
    bn = like(3, *uses).double()
    bn.running_mean.copy_(torch.tensor([0.5, -1, 2]))
    bn.running_var.copy_(torch.tensor([2, 0.5, 1]))
    return bn


def gradient(bn: nn.Module) -> torch.Tensor:
    x = X.clone().requires_grad_()
    (bn(x) * SLOPES).sum().backward()
    return x.grad


@pytest.mark.parametrize("uses", USES)
def test_x_hat_is_that_of_the_training_mode_or_of_the_evaluation_mode(uses):
    plain = layer(like=nn.BatchNorm1d).train(uses[0])
    assert torch.allclose(layer(*uses)(X), plain(X))


@pytest.mark.parametrize("uses", USES)
def test_the_averages_move_as_those_of_bn_do(uses):
    ours, plain = layer(*uses), layer(like=nn.BatchNorm1d)
    ours(X), plain(X)
    assert torch.allclose(ours.running_mean, plain.running_mean)
    assert torch.allclose(ours.running_var, plain.running_var)


def test_with_both_uses_the_gradient_is_that_of_bn():
    assert torch.allclose(gradient(layer(True, True)), gradient(layer(like=nn.BatchNorm1d)))


def test_with_none_the_gradient_is_that_of_the_evaluation_mode():
    plain = layer(like=nn.BatchNorm1d).eval()
    assert torch.allclose(gradient(layer(False, False)), gradient(plain))


def test_batch_renormalization_has_the_gradient_of_bn_scaled_by_r():
    r = torch.sqrt((X.var(0, correction=0) + 1e-5) / (torch.tensor([2, 0.5, 1]) + 1e-5))
    expected = r * gradient(layer(like=nn.BatchNorm1d))
    assert torch.allclose(gradient(layer(False, True)), expected)


def test_without_the_way_through_the_batch_nothing_is_removed_from_the_gradient():
    std = torch.sqrt(X.var(0, correction=0) + 1e-5)
    assert torch.allclose(gradient(layer(True, False)), SLOPES / std)


@pytest.mark.parametrize("uses", USES)
def test_in_evaluation_mode_it_is_bn(uses):
    assert torch.equal(layer(*uses).eval()(X), layer(like=nn.BatchNorm1d).eval()(X))


def test_a_network_keeps_its_numbers_and_by_default_holds_its_averages():
    model = mlp([3, 4, 2], norm=nn.BatchNorm1d).double()
    model(X)  # moves its averages
    ours = with_uses(model).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    assert torch.allclose(ours(X), model.eval()(X))
    assert all(isinstance(bn, TwoUses) for bn in batch_norms(ours))
    for state in (ours.state_dict(), model.state_dict()):
        assert all(
            torch.equal(value, before[name])
            for name, value in state.items()
            if not name.endswith("num_batches_tracked")
        )
