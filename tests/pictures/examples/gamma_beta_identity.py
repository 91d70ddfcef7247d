"""Arguments with which the pictures of lesson 04 are tried."""

import numpy as np

EXAMPLES = {
    "show_descent": ([(1.0, 0.0), (1.5, 2.0), (1.6, 2.9)], (1.6, 2.9)),
    "show_straight_share": ([0.5, 1, 2], np.full((3, 3, 2), 0.8)),
    "show_gamma_and_beta": tuple(np.ones((3, 3, 100))),
}
