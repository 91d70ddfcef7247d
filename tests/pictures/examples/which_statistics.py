"""Arguments with which the pictures of lesson 07 are tried."""

import numpy as np

SHARES = np.linspace(0.1, 1, 9).reshape(3, 3)
DRIFT = "evaluation mode", "training mode", "evaluation mode,\nrecalibrated"
SMALL = "with BN", "without BN", "Batch Renormalization"
TUNED = "frozen", "recalibrated,\nthen frozen", "free (training mode)"
EXAMPLES = {
    "show_small_batches": ([2, 4, 8], dict.fromkeys(SMALL, SHARES)),
    "show_drift": (np.ones((3, 64)), [0, 0.1, 0.2], dict.fromkeys(DRIFT, SHARES)),
    "show_fine_tuning": ("abc", dict.fromkeys(TUNED, SHARES)),
}
