"""Arguments with which the pictures of lesson 08 are tried."""

from types import SimpleNamespace

import numpy as np

SHARES = np.linspace(0.1, 1, 9).reshape(3, 3)
MAPS = np.linspace(-1, 2, 128).reshape(2, 8, 8)
MEASURED = SimpleNamespace(accuracies=[0.8, 0.9])
EXAMPLES = {
    "show_norms_by_batch": ([2, 4, 64], dict.fromkeys(("none", "BN", "LN"), SHARES)),
    "show_two_images": (dict.fromkeys(("none", "BN", "IN"), MEASURED), {"BN": MEASURED}),
    "show_two_contrasts": ({"before": MAPS, "after": MAPS},),
    "show_padding": ([0, 0.5, 0.9], dict.fromkeys(("BN", "BN, masked", "LN"), SHARES)),
}
