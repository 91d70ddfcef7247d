"""Arguments with which the pictures of lesson 05 are tried."""

import numpy as np

from bnlib.explorers.relu_vs_sigmoid import FOUR_NETWORKS

RNG = np.random.default_rng(0)
STEPS = [0, 1, 2, 3, 4]
INPUTS = {network.label: RNG.normal(size=(50, 100)) for network in FOUR_NETWORKS}
SHARES = {network.label: RNG.uniform(size=(3, 6)) for network in FOUR_NETWORKS}
MODES = [*RNG.uniform(size=(2, 3, 5))]
DIGITS = np.arange(50) // 5
EXAMPLES = {
    "show_batch_of_five": ({"on": np.arange(5.0), "off": -np.arange(5.0)},),
    "show_heaps": (FOUR_NETWORKS, INPUTS),
    "show_activations": (FOUR_NETWORKS, INPUTS, DIGITS),
    "show_stretched": ({"a": INPUTS["ReLU, with BN"], "b": INPUTS["sigmoid, with BN"]}, DIGITS),
    "show_gradient_norms": (FOUR_NETWORKS, SHARES),
    "show_places": (np.full(3, 0.1), RNG.uniform(size=(6, 3))),
    "show_saturation": (
        ((0.1, 1), (0.3, 1), (1, 0.1)),
        RNG.uniform(size=(3, 3)),
        RNG.uniform(size=(3, 3)),
    ),
    "show_depths": (
        FOUR_NETWORKS,
        (2, 4, 8),
        {"a": [*RNG.uniform(size=(4, 3))], "b": np.ones((4, 3))},
    ),
    "show_both_modes": (STEPS, *MODES),
    "show_bets": (
        {
            "6 layers": {"a": SHARES["ReLU, with BN"][0], "b": np.full(3, 0.5)},
            "7": {"c": np.ones(3)},
        },
    ),
    "show_gain_map": (RNG.uniform(size=(2, 4, 3)), (2, 4, 8, 16), (0.03, 0.1, 0.3), 5),
}
