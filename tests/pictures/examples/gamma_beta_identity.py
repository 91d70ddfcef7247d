"""Arguments with which the pictures of lesson 04 are tried."""

import numpy as np

EXAMPLES = {
    "show_decisions": (
        {"one": np.eye(8), "another": np.zeros((8, 8))},
        1.5,
        np.array([[1.0, 0.5], [-1, 0]]),
        np.array([0, 1]),
    ),
    "show_accuracies": ({"one": [0.5, 0.6], "another": [0.9, 0.97]}, {"another": 0.9}),
    "show_gamma_and_sigma": (
        {"small weights": (np.ones(100), np.full(100, 0.3)), "large": (-np.ones(9), np.ones(9))},
        [1, 3],
    ),
}
