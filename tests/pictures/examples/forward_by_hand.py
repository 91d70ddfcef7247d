"""Arguments with which the pictures of lesson 01 are tried."""

import numpy as np

EPS = 1e-5
VARIANCES = np.logspace(-9, -1, 17)
BATCHES = np.random.default_rng(0).normal(1, 1, (50, 3))
NORMALIZED = (BATCHES - BATCHES.mean(axis=1, keepdims=True)) / BATCHES.std(axis=1, keepdims=True)
EXAMPLES = {
    "show_shared_statistics": (3, 4, 5, 5),
    "show_in_company": (np.eye(8), {"beside a blank sheet": 3 * np.eye(8) - 0.5}),
    "show_epsilon": (VARIANCES, VARIANCES / (VARIANCES + EPS), EPS),
    "show_where_batches_go": (BATCHES, NORMALIZED),
}
