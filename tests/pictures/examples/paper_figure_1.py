"""Arguments with which the pictures of lesson 12 are tried."""

import numpy as np

LOOKS = [0, 10, 100, 1000]
BAND = np.array([[-1.0, -1, -2, -2], [0, 0, 1, 0], [1, 1, 2, 2]])  # (3 percentiles, looks)
CURVES = np.array([[0.1, 0.85, 0.92, 0.94], [0.1, 0.82, 0.93, 0.95]])  # (seeds, looks)
BOTH = ("without BN", "with BN")
THREE = (*BOTH, "normalized once")
ARRIVALS = np.array([[[np.inf, 700], [500, 300]], [[100, 200], [300, 200]]])  # (2, stds, rates)
EXAMPLES = {
    "show_bands": (LOOKS, {"a colleague's (c)": BAND, "running averages": BAND}),
    "show_late": (LOOKS, {rate: dict.fromkeys(BOTH, CURVES) for rate in (0.1, 1)}),
    "show_arrivals": ([0.1, 0.2], [0.3, 1], ARRIVALS, 1000),
    "show_differences": ({"rate 1": (np.array([3, -20]), np.array([8, 9]))},),
    "show_three": (100, LOOKS, dict.fromkeys(THREE, CURVES), LOOKS, dict.fromkeys(THREE, BAND)),
}
