"""Arguments with which the pictures of lesson 05 are tried."""

import numpy as np

from bnlib.explorers.relu_vs_sigmoid import FOUR_NETWORKS

RNG = np.random.default_rng(0)
STEPS = [0, 1, 2, 3, 4]
INPUTS = {network.label: RNG.normal(size=(5, 2, 50, 100)) for network in FOUR_NETWORKS}
SHARES = {network.label: RNG.uniform(size=(3, 6)) for network in FOUR_NETWORKS}
MODES = [*RNG.uniform(size=(3, 3, 5))]
DIGITS = np.arange(50) // 5
EXAMPLES = {
    "show_batch_of_five": ({"on": np.arange(5.0), "off": -np.arange(5.0)},),
    "show_ridges": (FOUR_NETWORKS, INPUTS, STEPS),
    "show_activations": (FOUR_NETWORKS, {n: z[0, 0] for n, z in INPUTS.items()}, DIGITS),
    "show_gradient_norms": (FOUR_NETWORKS, SHARES),
    "show_scales": ((0.1, 0.3, 1), RNG.uniform(size=(3, 3)), RNG.uniform(size=(3, 3))),
    "show_both_modes": (STEPS, {"ReLU": MODES, "sigmoid": MODES}),
    "show_gain_map": (
        RNG.uniform(size=(2, 4, 3)),
        RNG.normal(0, 30, (4, 3, 3)),
        (2, 4, 8, 16),
        (0.03, 0.1, 0.3),
    ),
}
