"""Times forward + backward of batch normalizations: bnlib's two, a textbook one, PyTorch's own.

`python -m tests.tools.bench.numerics` prints the table, in a few seconds.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator

import numpy as np
import torch

from bnlib import numpy_bn, torch_bn
from tests.tools.bench.table import Row, markdown

REPETITIONS = {(60, 100): 2000, (256, 512): 400, (64, 32, 28, 28): 60}
NUMPY_BUDGET = 1.5  # bnlib in NumPy takes at most this many times what PyTorch's own layer takes
TORCH_BUDGET = 3  # and bnlib in PyTorch this many: elementary operations, each with its overhead
# The textbook in NumPy takes at least this many times what bnlib in NumPy takes.
TEXTBOOK_BUDGETS = {(60, 100): 1.4, (256, 512): 1.5, (64, 32, 28, 28): 1.5}


class Textbook:
    """Batch normalization as one writes it from the paper's formulas, one line for each."""

    def __init__(self, x: np.ndarray) -> None:
        self.shape = (1, -1) + (1,) * (x.ndim - 2)
        self.axes = (0, *range(2, x.ndim))
        self.gamma = np.ones(x.shape[1], x.dtype).reshape(self.shape)
        self.beta = np.zeros(x.shape[1], x.dtype).reshape(self.shape)
        self.running_mean = np.zeros_like(self.beta)
        self.running_var = np.ones_like(self.gamma)

    def forward(self, x: np.ndarray) -> np.ndarray:
        self.m = x.size // x.shape[1]
        self.mu = x.mean(self.axes, keepdims=True)
        self.x_mu = x - self.mu
        self.var = (self.x_mu**2).mean(self.axes, keepdims=True)
        self.std = np.sqrt(self.var + 1e-5)
        self.x_hat = self.x_mu / self.std
        self.running_mean = 0.9 * self.running_mean + 0.1 * self.mu
        self.running_var = 0.9 * self.running_var + 0.1 * self.var * self.m / (self.m - 1)
        return self.gamma * self.x_hat + self.beta

    def backward(self, dy: np.ndarray) -> np.ndarray:
        self.dbeta = dy.sum(self.axes)
        self.dgamma = (dy * self.x_hat).sum(self.axes)
        dx_hat = dy * self.gamma
        dvar = (dx_hat * self.x_mu * -0.5 / self.std**3).sum(self.axes, keepdims=True)
        dmu = (-dx_hat / self.std).sum(self.axes, keepdims=True)
        dmu += dvar * (-2 * self.x_mu).mean(self.axes, keepdims=True)
        return dx_hat / self.std + dvar * 2 * self.x_mu / self.m + dmu / self.m


def rows() -> Iterator[Row]:
    """Three rows for each shape: bnlib's NumPy beside PyTorch and the textbook, bnlib's PyTorch."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # the NumPy versions use one thread too: no BLAS in them
    try:
        for shape in REPETITIONS:
            yield from _rows(shape)
    finally:
        torch.set_num_threads(threads)


def _rows(shape: tuple[int, ...]) -> Iterator[Row]:
    rng = np.random.default_rng(0)
    x = rng.standard_normal(shape, dtype=np.float32)
    dy = rng.standard_normal(shape, dtype=np.float32)
    C, repetitions = shape[1], REPETITIONS[shape]
    native = torch.nn.BatchNorm1d(C) if len(shape) == 2 else torch.nn.BatchNorm2d(C)
    native_step = _torch_step(native, x, dy)

    steps = [_numpy_step(numpy_bn.BatchNorm(C), x, dy), _numpy_step(Textbook(x), x, dy)]
    ours, textbook, pytorch = _medians_ms([*steps, native_step], repetitions)
    what, figure = f"NumPy BN forward + backward, {shape}", f"{ours:.3f} ms"
    ratio, holds = f"{ours / pytorch:.2f}", ours / pytorch <= NUMPY_BUDGET
    yield Row(what, figure, f"PyTorch {pytorch:.3f} ms", ratio, f"≤ {NUMPY_BUDGET}", holds)
    ratio, budget = f"{textbook / ours:.2f}", TEXTBOOK_BUDGETS[shape]
    holds = textbook / ours >= budget
    yield Row(what, figure, f"textbook {textbook:.3f} ms", ratio, f"≥ {budget}", holds)

    # In turns of their own: between steps in NumPy a first step in PyTorch pays for both.
    step = _torch_step(torch_bn.BatchNorm(C), x, dy)
    ours, pytorch = _medians_ms([step, native_step], repetitions)
    what, figure = f"PyTorch BN of bnlib forward + backward, {shape}", f"{ours:.3f} ms"
    ratio, holds = f"{ours / pytorch:.2f}", ours / pytorch <= TORCH_BUDGET
    yield Row(what, figure, f"PyTorch {pytorch:.3f} ms", ratio, f"≤ {TORCH_BUDGET}", holds)


def _numpy_step(
    bn: numpy_bn.BatchNorm | Textbook, x: np.ndarray, dy: np.ndarray
) -> Callable[[], None]:
    def step() -> None:
        bn.forward(x)
        bn.backward(dy)

    return step


def _torch_step(bn: torch.nn.Module, x: np.ndarray, dy: np.ndarray) -> Callable[[], None]:
    x, dy = torch.from_numpy(x).requires_grad_(), torch.from_numpy(dy)

    def step() -> None:
        x.grad = bn.weight.grad = bn.bias.grad = None
        bn(x).backward(dy)

    return step


def _medians_ms(steps: list[Callable[[], None]], repetitions: int) -> np.ndarray:
    """Median milliseconds of each step.

    They take turns, so that a busy machine hits all alike, and in every order, since the first of
    a round finds less of the batch in the cache.
    """
    times = np.empty((repetitions, len(steps)))
    orders = itertools.cycle(itertools.permutations(range(len(steps))))
    for i in range(-3, repetitions):  # three rounds to warm up, overwritten
        for j in next(orders):
            start = time.perf_counter()
            steps[j]()
            times[i, j] = time.perf_counter() - start
    return 1e3 * np.median(times, axis=0)


if __name__ == "__main__":
    print(markdown(rows()))
