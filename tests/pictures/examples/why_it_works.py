"""Arguments with which the pictures of lesson 11 are tried."""

import numpy as np

RNG = np.random.default_rng(0)
SHARES = (0.001, 0.003, 0.01, 0.03)
ARMS = {"plain": [0.1, 0.2, 0.1], "centring": [], "BN": [0.9, 0.95, 0.97]}
THREE = ("without BN", "with BN", "BN, then noise")
EXAMPLES = {
    "show_two_comparisons": ([*RNG.normal(size=(3, 50))], *RNG.normal(size=(2, 2, 50))),
    "show_noise": (
        (0, 1, 4),
        dict.fromkeys((0.3, 1), RNG.uniform(size=(3, 3))),
        dict.fromkeys((0.3, 1), RNG.uniform(size=(2, 3))),
    ),
    "show_shift_and_gradient": (
        (0.3, 1, 3),
        {title: {name: RNG.uniform(size=(3, 2)) for name in THREE} for title in ("one", "other")},
    ),
    "show_effective_rates": (
        {title: {"small": np.full((3, 10), 0.1), "large": np.ones((1, 10))} for title in "ab"},
    ),
    "show_kept": (
        SHARES,
        {
            title: {
                name: 1 - 5 * RNG.uniform(size=(3, 4)) for name in ("plain", "scaled start", "BN")
            }
            for title in ("ReLU", "sigmoid")
        },
    ),
    "show_arms": ({"one": ARMS, "another": ARMS, "a third": ARMS},),
    "show_growth": (
        (10, 20, 30),
        {name: np.exp(RNG.normal(size=(3, 5))) for name in ("plain", "BN", "BN, residual")},
        np.array([4.0, 7, 9]),
    ),
}
