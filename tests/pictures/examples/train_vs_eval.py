"""Arguments with which the pictures of lesson 06 are tried."""

import numpy as np

SHARES = np.linspace(0.1, 1, 9).reshape(3, 3)
CURVES = {name: np.linspace(0, 3, 20) for name in ("α = 1", "α = 0.1", "α = 0.01", "α = 1/t")}
EXAMPLES = {
    "show_running_averages": (CURVES, CURVES, (3, 3)),
    "show_accuracy_by_batch_size": ([2, 4, 8], SHARES, SHARES[0]),
}
