"""Arguments with which the pictures of lesson 03 are tried."""

import numpy as np

from bnlib.explorers.internal_covariate_shift import BN_OR_NOT

STEPS = [0, 1, 3, 10, 30, 100]
CURVE = np.linspace(0.1, 1, 6)
SEEDS = {n.label: np.stack([CURVE, CURVE**2]) for n in BN_OR_NOT}
BOARD = {(n.label, std): [std * CURVE[:3] + 0.1] * 3 for n in BN_OR_NOT for std in (0.1, 0.5)}
EXAMPLES = {
    "show_bias": (CURVE, CURVE**2),
    "show_bands": (BN_OR_NOT, STEPS, {n.label: np.stack([CURVE] * 3, 1) for n in BN_OR_NOT}),
    "show_accuracy": (BN_OR_NOT, STEPS, SEEDS),
    "show_shift": (BN_OR_NOT, {"in spreads": SEEDS, "undivided": SEEDS}),
    "show_by_looks": (BN_OR_NOT, [1, 2, 4], {n.label: CURVE[:3] for n in BN_OR_NOT}),
    "show_evidence": (BN_OR_NOT, BOARD),
}
