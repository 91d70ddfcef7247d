"""Arguments with which the pictures of lesson 06 are tried."""

import numpy as np

SHARES = np.linspace(0.1, 1, 9).reshape(3, 3)
CURVES = {name: np.linspace(0, 3, 20) for name in ("α = 1", "α = 0.1", "α = 0.01", "α = None")}
DRIFT = dict.fromkeys(
    ("evaluation mode", "training mode", "evaluation mode,\nrecalibrated"), SHARES
)
EXAMPLES = {
    "show_running_averages": (CURVES, CURVES, (3, 3)),
    "show_accuracy_by_batch_size": ([1, 2, 4], SHARES[1:], SHARES),
    "show_accuracy_by_step": ([0, 1, 2], SHARES, {"α = 0.1": SHARES, "α = 0.01": SHARES}),
    "show_small_batches": ([2, 4, 8], SHARES, SHARES),
    "show_drift": (np.ones((3, 64)), [0, 0.1, 0.2], DRIFT),
    "show_fine_tuning": ("abc", SHARES, SHARES),
}
