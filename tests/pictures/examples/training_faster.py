"""Arguments with which the pictures of lesson 09 are tried."""

import numpy as np

RNG = np.random.default_rng(0)
RATES = (0.001, 0.1, 10)
SHARES = {name: RNG.uniform(size=(3, 3)) for name in ("without BN", "with BN")}
STEPS = {"plain, η": [100, 110, 120], "plain, 5η": [np.inf] * 3, "BN, 5η": [10, 20, np.inf]}
LINES = {"0.05": np.geomspace(1e-9, 1, 30), "He": np.ones(30), "3": np.geomspace(1e9, 1, 30)}
EXAMPLES = {
    "show_sweep": (RATES, SHARES, "learning rate"),
    "show_table": (
        {name: np.array(steps, float) for name, steps in STEPS.items()},
        {"plain, η": np.ones(3), "plain, 5η": np.zeros(3), "BN, 5η": np.full(3, 0.9)},
        150,
    ),
    "show_changes": (),
    "show_clock": (
        {"plain": 1.0, "BN, ours": 2.0},
        {"plain, η": np.array([90.0, 100]), "BN, ours, η": np.array([60.0, 70])},
    ),
    "show_gradients": ({"sigmoid, without BN": LINES, "ReLU, with BN": LINES},),
    "show_update_ratios": (
        {"plain, η": RNG.uniform(size=20), "BN, η": RNG.uniform(size=20), "BN, 5η": np.ones(20)},
    ),
    "show_arms": (
        {name: RNG.uniform(size=(2, 5)) for name in ("plain", "BN", "BN,\nghosts")},
        (1, 2),
    ),
}
