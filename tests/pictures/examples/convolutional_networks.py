"""Arguments with which the pictures of lesson 10 are tried."""

import numpy as np

SHARES = np.linspace(0.7, 0.98, 6).reshape(2, 3)
EXAMPLES = {
    "show_orders": (
        {"without": {"none": SHARES[0], "BN ReLU": SHARES[1]}, "with": {"none": SHARES[1]}},
        (0.6, 1.02),
    ),
    "show_zero_gamma": (
        {"γ = 1": 1 + SHARES, "γ = 0": SHARES},
        {"after": SHARES, "before": 0 * SHARES},
    ),
    "show_wrong_answers": ([1, 2], 1 - SHARES, 0.02),
    "show_folding_times": ({"one": ([2e-4, 1e-4], [9e-5, 8e-5]), "64": ([1e-3], [8e-4])},),
}
