"""Arguments with which the pictures of lesson 05 are tried."""

import numpy as np

from bnlib.explorers.relu_vs_sigmoid import FOUR_NETWORKS

RNG = np.random.default_rng(0)
STEPS = [0, 1, 2, 3, 4]
INPUTS = {network.label: RNG.normal(size=(5, 2, 50, 100)) for network in FOUR_NETWORKS}
SHARES = {network.label: RNG.uniform(size=(3, 6)) for network in FOUR_NETWORKS}
DIGITS = np.arange(50) // 5
EXAMPLES = {
    "show_batch_of_five": ({"on": np.arange(5.0), "off": -np.arange(5.0)},),
    "show_bars": (FOUR_NETWORKS[2:], INPUTS, STEPS),
    "show_ridges": (FOUR_NETWORKS, INPUTS, STEPS),
    "show_activations": (FOUR_NETWORKS, {n: z[0, 0] for n, z in INPUTS.items()}, DIGITS),
    "show_gradient_norms": (FOUR_NETWORKS, SHARES),
    "show_shares": (FOUR_NETWORKS, dict([*SHARES.items()][2:]), dict([*SHARES.items()][:2])),
    "show_relu_curves": (FOUR_NETWORKS[:2], [0, 1, 3, 10, 30, 100], SHARES),
    "show_gain": (RNG.normal(0, 30, (2, 3, 3, 3)), (3, 8), ("0.1", "He", "0.3"), (0.02, 0.1, 0.5)),
}
