"""Networks in which the weights are normalized, and not the data."""

import pytest
import torch
from torch import nn

from bnlib.experiments.norm_free import StandardizedLinear, standardized_mlp
from bnlib.experiments.residual import residual_mlp


def test_the_weights_in_use_have_mean_0_and_the_variance_of_he():
    layer = StandardizedLinear(50, 20)
    with torch.no_grad():
        layer.weight.mul_(7).add_(3)
        used = layer(torch.eye(50)).T - layer.bias[:, None]  # (20, 50)
    assert torch.allclose(used.mean(1), torch.zeros(20), atol=1e-6)
    assert torch.allclose(used.var(1, correction=0), torch.full((20,), 2 / 50), rtol=1e-4)


def test_its_gradient_is_that_of_finite_differences():
    layer = StandardizedLinear(6, 3).double()
    draw = torch.Generator().manual_seed(0)
    x, slopes = (torch.randn(4, n, dtype=torch.float64, generator=draw) for n in (6, 3))
    (layer(x) * slopes).sum().backward()
    gradient, step = layer.weight.grad.clone(), 1e-6
    with torch.no_grad():
        for place in ((0, 0), (1, 4), (2, 5)):
            layer.weight[place] += step
            above = (layer(x) * slopes).sum()
            layer.weight[place] -= 2 * step
            below = (layer(x) * slopes).sum()
            layer.weight[place] += step
            assert gradient[place].item() == pytest.approx(
                ((above - below) / (2 * step)).item(), rel=1e-5
            )


def test_all_layers_but_the_last_are_standardized():
    model, plain = standardized_mlp(2, seed=4), residual_mlp(2, gain=0, seed=4)
    kinds = [type(m) for m in model.modules() if isinstance(m, nn.Linear)]
    assert kinds == [StandardizedLinear] * 3 + [nn.Linear]
    assert all(map(torch.equal, model.state_dict().values(), plain.state_dict().values()))


def test_no_block_is_refused():
    with pytest.raises(ValueError, match="blocks to be at least 1"):
        standardized_mlp(0)
