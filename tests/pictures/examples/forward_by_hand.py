"""Arguments with which the pictures of lesson 01 are tried."""

import numpy as np

EPS = 1e-5
VARIANCES = np.logspace(-9, 1, 21)
EXAMPLES = {
    "show_shared_statistics": (3, 4, 5, 5),
    "show_epsilon": (VARIANCES, VARIANCES / (VARIANCES + EPS), EPS),
    "show_backward_graph": (),
}
