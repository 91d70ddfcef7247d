"""Arguments with which the pictures of lesson 07 are tried."""

import numpy as np

SHARES = np.linspace(0.1, 1, 9).reshape(3, 3)
DRIFT = "evaluation mode", "training mode", "evaluation mode,\nrecalibrated"
EXAMPLES = {
    "show_small_batches": ([2, 4, 8], dict.fromkeys(("with BN", "without BN"), SHARES)),
    "show_drift": (np.ones((3, 64)), [0, 0.1, 0.2], dict.fromkeys(DRIFT, SHARES)),
    "show_cures": ({"the ink fades": SHARES[:2], "noise": SHARES[1:]},),
    "show_one_digit": (SHARES,),
    "show_arms": ({"one": [0.1, 0.3], "another": [0.8, 0.9]}, ("without", 0.7)),
}
