"""Arguments with which the pictures of lesson 02 are tried."""

import numpy as np

STEPS = np.arange(101)
RATES = [0.02, 0.1, 0.5, 2]
ACCURACIES = 0.9 + 0.03 * np.random.default_rng(0).normal(size=(3, 4, 3))  # (cuts, rates, seeds)
EXAMPLES = {
    "show_drift": (
        {
            "mean outside": np.stack([0.3 * STEPS, np.full(101, 5.5)], axis=1),
            "mean inside": np.stack([0 * STEPS, np.full(101, 5.5)], axis=1),
            "mean outside, with β": np.stack([3 - 3 * 0.9**STEPS, 1 + 4.5 * 0.8**STEPS], axis=1),
            "mean inside, with β": np.stack([0 * STEPS, 1 + 4.5 * 0.9**STEPS], axis=1),
        },
    ),
    "show_backward_graph": (),
    "show_passing_share": ([2, 3, 4, 8, 32], [0, 1 / 3, 1 / 2, 3 / 4, 15 / 16]),
    "show_cut_paths": (
        RATES,
        dict(zip(("cut: nothing", "cut: mean", "cut: variance"), ACCURACIES, strict=True)),
    ),
}
