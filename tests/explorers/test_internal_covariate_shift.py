"""The networks of lesson 03."""

import torch

from bnlib.experiments.networks import batch_norms, mlp
from bnlib.experiments.shift import FirstBatchNorm, NoisyBatchNorm
from bnlib.explorers.internal_covariate_shift import BN_OR_NOT, normalized_once, with_noise
from tests.experiments.test_networks import SIZES


def test_with_noise_makes_a_network_whose_noise_follows_the_seed():
    x = torch.rand(20, SIZES[0], generator=torch.Generator().manual_seed(0))
    models = [mlp(SIZES, **with_noise(seed).network) for seed in (0, 0, 1)]
    assert all(isinstance(bn, NoisyBatchNorm) for bn in batch_norms(models[0]))
    same, again, other = (model(x) for model in models)
    assert torch.equal(same, again) and not torch.equal(same, other)


def test_normalized_once_makes_a_network_that_keeps_its_first_numbers():
    model = mlp(SIZES, **normalized_once().network)
    assert isinstance(model[1], FirstBatchNorm) and not batch_norms(model)


def test_no_two_networks_share_a_name_or_a_colour():
    drawn = [*BN_OR_NOT, with_noise(0), normalized_once()]
    assert len({n.label for n in drawn}) == len({n.style["color"] for n in drawn}) == 4
