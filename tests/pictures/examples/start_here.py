"""Arguments with which the pictures of lesson 00 are tried."""

import numpy as np

EXAMPLES = {
    "show_digits": (np.linspace(0, 1, 100 * 64).reshape(100, 64),),
    "show_neighbours": (
        [1, 10, 100],
        np.array([[0.97, 0.9, 0.1], [0.95, 0.87, 0.12]]),
        np.array([[0.97, 0.9, 0.4], [0.95, 0.87, 0.3]]),
    ),
}
