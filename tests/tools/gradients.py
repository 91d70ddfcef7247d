"""Batches to try a layer on, and the gradients that it ought to have."""

import numpy as np


def batch(shape, seed=0, dtype=np.float64, mean=2.0, std=3.0):
    """Draw a batch from N(mean, std²); it depends on the seed alone."""
    return (mean + std * np.random.default_rng(seed).standard_normal(shape)).astype(dtype)


def relative_error(a, b):
    """Return the largest difference of two arrays as a share of their largest entry."""
    return np.abs(a - b).max() / max(np.abs(a).max(), np.abs(b).max())


def numerical_gradient(loss, array, h=1e-5):
    """Central differences of `loss()`, in which `array` is changed in place, value by value."""
    gradient = np.empty_like(array)
    for i in np.ndindex(array.shape):
        original = array[i]
        array[i] = original + h
        above = loss()
        array[i] = original - h
        gradient[i] = (above - loss()) / (2 * h)
        array[i] = original
    return gradient
