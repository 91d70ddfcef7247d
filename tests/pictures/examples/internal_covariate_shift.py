"""Arguments with which the pictures of lesson 03 are tried."""

import numpy as np

from bnlib.explorers.internal_covariate_shift import BN_OR_NOT

STEPS = [0, 1, 3, 10, 30, 100]
CURVE = np.linspace(0.1, 1, 6)
EXAMPLES = {
    "show_bands": (BN_OR_NOT, STEPS, {n.label: np.stack([CURVE] * 3, 1) for n in BN_OR_NOT}),
    "show_accuracy": (BN_OR_NOT, STEPS, {n.label: CURVE for n in BN_OR_NOT}),
    "show_shift": (BN_OR_NOT, {n.label: CURVE.reshape(2, 3) for n in BN_OR_NOT}),
}
