"""The exercises of lesson 10: to fold BN into a convolution, and to repair a printed network."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bnlib.exercises.checking import WIDTH, Exercise, Finding, Slip, exception_words

if TYPE_CHECKING:
    from torch import Tensor, nn

# Fold BN into the convolution after it


def _fold(
    gamma: NDArray,
    beta: NDArray,
    mean: NDArray,
    var: NDArray,
    eps: float,
    weight: NDArray,
    bias: NDArray,
    *,
    spread: Callable = lambda var, eps: np.sqrt(var + eps),
    scale: Callable = lambda gamma, spread: gamma / spread,
    shift: Callable = lambda beta, mean, scale: beta - mean * scale,
    kernel: Callable = lambda weight, scale: weight * scale.reshape(1, -1, 1, 1),
    weighed: Callable = lambda weight, kernel, shift: weight.sum((2, 3)) @ shift,
    plus: Callable = lambda bias, weighed: bias + weighed,
    pair: Callable = lambda kernel, bias: (kernel, bias),
) -> tuple[NDArray, NDArray]:
    """Compute the folded kernel and bias, in steps that a slip may replace."""
    factor = scale(gamma, spread(var, eps))
    new = kernel(weight, factor)
    constants = weighed(weight, new, shift(beta, mean, factor))
    return pair(new, plus(bias, constants))


FOLD_SLIPS = (
    # The scale
    Slip(
        "eps forgotten",
        "In evaluation mode BN divides by the root of the running variance plus eps.",
        {"spread": lambda var, eps: np.sqrt(var)},
    ),
    Slip(
        "the running variance taken for a standard deviation",
        "BN divides by the root of the running variance plus eps.",
        {"spread": lambda var, eps: var + eps},
    ),
    Slip(
        "the running variance taken for a standard deviation, and eps forgotten",
        "BN divides by the root of the running variance plus eps.",
        {"spread": lambda var, eps: var},
    ),
    Slip(
        "eps outside the root",
        "It is added to the variance, before the root is taken.",
        {"spread": lambda var, eps: np.sqrt(var) + eps},
    ),
    Slip(
        "γ forgotten",
        "BN multiplies by γ after it has divided: the scale is γ / sqrt(var + eps).",
        {"scale": lambda gamma, spread: 1 / spread},
    ),
    Slip(
        "the scale upside down",
        "BN divides by the root and multiplies by γ.",
        {"scale": lambda gamma, spread: spread / gamma},
    ),
    # The kernel
    Slip(
        "the kernel scaled along its output channels",
        "That is for a BN after the convolution. This one comes before it, and scales what goes "
        "in: of a kernel (out, in, rows, columns) axis 1.",
        {"kernel": lambda weight, scale: weight * scale.reshape(-1, 1, 1, 1)},
    ),
    Slip(
        "the kernel scaled along its columns",
        "NumPy lines up the last axes. A kernel is (out, in, rows, columns), and BN has one scale "
        "for each input channel: scale[:, None, None].",
        {"kernel": lambda weight, scale: weight * scale},
    ),
    Slip(
        "the kernel not scaled",
        "What goes into the convolution is multiplied by the scale of its channel.",
        {"kernel": lambda weight, scale: weight},
    ),
    # The bias
    Slip(
        "the running mean forgotten",
        "BN is scale * x + shift, and in the shift there is the running mean.",
        {"shift": lambda beta, mean, scale: beta},
    ),
    Slip(
        "the sign of the running mean",
        "BN subtracts the running mean.",
        {"shift": lambda beta, mean, scale: beta + mean * scale},
    ),
    Slip(
        "the running mean not scaled",
        "BN subtracts the mean first and then scales, so the shift is β - mean * scale.",
        {"shift": lambda beta, mean, scale: beta - mean},
    ),
    Slip(
        "β forgotten",
        "BN is scale * x + shift, and β is in the shift.",
        {"shift": lambda beta, mean, scale: -mean * scale},
    ),
    Slip(
        "the shift goes through the new kernel",
        "There it is scaled a second time. The constant of a channel meets the old weights.",
        {"weighed": lambda weight, kernel, shift: kernel.sum((2, 3)) @ shift},
    ),
    Slip(
        "the shift weighed by one pixel of the kernel",
        "Each pixel of the kernel meets the constant of its channel: sum over rows and columns.",
        {"weighed": lambda weight, kernel, shift: weight.mean((2, 3)) @ shift},
    ),
    Slip(
        "the shift does not go through the convolution",
        "The convolution multiplies the constants by its weights and adds them up.",
        {"weighed": lambda weight, kernel, shift: shift},
    ),
    Slip(
        "the shift forgotten",
        "BN is scale * x + shift: the constants go through the convolution and into its bias.",
        {"weighed": lambda weight, kernel, shift: 0 * kernel[:, 0, 0, 0]},
    ),
    Slip(
        "the old bias forgotten",
        "The convolution has a bias b, and it is still added at the end.",
        {"plus": lambda bias, weighed: weighed},
    ),
    # The pair
    Slip(
        "kernel and bias exchanged",
        "The pair is (weight, bias).",
        {"pair": lambda kernel, bias: (bias, kernel)},
    ),
)


def _fold_case(n_out: int, n_in: int, side: int, eps: float, seed: int) -> tuple:
    """Draw arguments of `_fold`; with n_out = n_in = side nothing is refused along a wrong axis."""
    draw = np.random.default_rng(seed).normal
    gamma, beta, mean = (draw(size=n_in) for _ in range(3))
    var = 0.05 + draw(size=n_in) ** 2
    return gamma, beta, mean, var, eps, 2 * draw(size=(n_out, n_in, side, side)), draw(size=n_out)


FOLD_CASES = (
    (*map(np.array, ([2.0], [5.0], [3.0], [3.75])), 0.25, np.array([[[[3.0]]]]), np.array([1.0])),
    _fold_case(3, 3, 3, 0.1, 0),
    _fold_case(4, 2, 3, 1e-3, 1),
)

FOLD = Exercise(
    right=_fold,
    results=("weight", "bias"),
    stages=(FOLD_CASES,),
    slips=FOLD_SLIPS,
    praise="Right: one convolution does now what BN and convolution did together.",
)


def check_fold(f: Callable) -> Finding:
    """Check how a student folds BN into the convolution after it, and name the slip.

    Args:
        f: called as `f(gamma, beta, mean, var, eps, weight, bias)`, with four arrays (in,), a
            number, a kernel (out, in, k, k) and a bias (out,); it returns the pair (weight, bias)
            of the folded convolution, which is not padded.

    Returns:
        Whether it is right, and what to do if not.
    """
    return FOLD.check(f)


# Repair the printed SimpleCNN

# Sides of images in pixels: of those of the print, of the digits, and of some whose maps after
# the pool hold four times the numbers of the first.
PRINTED, SMALL, LARGER = 28, 8, 54
IMAGES = 10
SAME = 1e-3  # two answers that differ by less are the same, but for their rounding
FAULTS = {  # with what one sees of them; what to do is for the reader to find
    "F is never imported": "The first forward pass raises NameError.",
    "the size of the images is fixed": f"Images of {SMALL} × {SMALL} pixels raise an error. "
    "SimpleCNN(side) is to make a network for images of side × side pixels.",
    "images are regrouped": f"{IMAGES} images of {LARGER} × {LARGER} pixels give {{rows}} answers, "
    "and no error.",
    "biases are dead": "{count} numbers can be set to anything: no gradient reaches them, and no "
    "answer depends on them.",
}
ALL_FAULTS = (
    "Not yet: all four faults are still there.\n"
    "Repair one that you have found, and this check will name the others."
)
DAMAGE = {
    "the output layer has lost its bias": "No BN comes after it, so this bias is alive.",
    "the answers are probabilities": "The printed network gives logits, and cross_entropy expects "
    "them: a softmax at the end would be taken twice.",
    "the layers are other ones": "Keep a Conv2d, a BatchNorm2d, two Linear and a BatchNorm1d.",
    "the answers are other ones": "With these weights, convolution, BN, ReLU, pool, linear, BN, "
    "ReLU, linear give something else. Keep the order and use every layer once.",
}


def check_simple_cnn(network: Callable) -> Finding:
    """Check a repaired SimpleCNN, and name the faults that are still there.

    Args:
        network: called as `network(side)`, it makes the network for images (N, 1, side, side).

    Returns:
        Whether it is repaired, and what to do if not.
    """
    if not (inspect.isclass(network) or inspect.isfunction(network)):
        return Finding(False, "Not yet: hand over the class itself, SimpleCNN without parentheses.")
    try:
        faults = _faults(network)
        damage = None if faults else _damage(_made(network, SMALL))
    except Exception as error:
        return Finding(False, exception_words(error).replace("your function", "your network"))
    if len(faults) == len(FAULTS):
        return Finding(False, ALL_FAULTS)
    if faults:
        count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        items = [
            fill(f"{number}. {text}", WIDTH, subsequent_indent="   ")
            for number, text in enumerate(faults, start=1)
        ]
        return Finding(False, "\n".join([f"Not yet: {count} of 4 still there.", *items]))
    if damage:
        return Finding(False, f"Not yet: {damage}.\n{fill(DAMAGE[damage], WIDTH)}")
    return Finding(True, "Right: all four faults are gone, and it is still the same network.")


def _faults(network: Callable) -> list[str]:
    """Return what is to be said of each fault that is still there.

    Raises:
        Exception: what the network raises for another reason.
    """
    model = _made(network, PRINTED)
    found = [] if _knows_f(model) else ["F is never imported"]
    with _f_given(model):
        model(_images(PRINTED))
        if not _takes_a_side(network) or not _answers(_made(network, SMALL), SMALL):
            found.append("the size of the images is fixed")
        rows, count = _rows_of_larger_images(model), _dead_biases(model)
    found += ["images are regrouped"] * bool(rows) + ["biases are dead"] * bool(count)
    return [f"{name[0].upper()}{name[1:]}. {FAULTS[name]}".format(rows=rows, count=count)
            for name in found]  # fmt: skip


def _made(network: Callable, side: int) -> nn.Module:
    """Make a network in training mode; the reader's random numbers stay as they are."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return (network(side) if _takes_a_side(network) else network()).train()


def _takes_a_side(network: Callable) -> bool:
    try:
        inspect.signature(network).bind(PRINTED)
    except TypeError:
        return False
    return True


def _images(side: int) -> Tensor:
    import torch

    return torch.rand(IMAGES, 1, side, side, generator=torch.Generator().manual_seed(side))


def _knows_f(model: nn.Module) -> bool:
    """Whether a forward pass finds the name F."""
    try:
        model(_images(PRINTED))
    except NameError as error:
        return error.name != "F"
    except Exception:
        pass  # not for want of F
    return True


@contextmanager
def _f_given(model: nn.Module) -> Iterator[None]:
    """Let the forward pass find F for a while, so that the other faults can be looked for."""
    from torch.nn import functional

    names = getattr(type(model).forward, "__globals__", {})
    missing = "F" not in names
    if missing:
        names["F"] = functional
    try:
        yield
    finally:
        if missing:
            del names["F"]


def _answers(model: nn.Module, side: int) -> bool:
    """Whether there is an answer for each image of this size."""
    try:
        return tuple(model(_images(side)).shape) == (IMAGES, 10)
    except RuntimeError:
        return False


def _rows_of_larger_images(model: nn.Module) -> int:
    """Return how many answers come for images of another size; 0 if one for each, or an error."""
    try:
        rows = len(model(_images(LARGER)))
    except RuntimeError:
        return 0
    return rows if rows != IMAGES else 0


def _dead_biases(model: nn.Module) -> int:
    """Return how many biases can be set to anything, and no answer changes in training mode."""
    import torch

    images, count = _images(PRINTED), 0
    with torch.no_grad():
        kinds = (torch.nn.Conv2d, torch.nn.Linear)
        layers: list[Any] = [m for m in model.modules() if isinstance(m, kinds)]
        for bias in [layer.bias for layer in layers if layer.bias is not None]:
            kept, answers = bias.clone(), model(images)
            bias += torch.linspace(-1, 1, len(bias))
            count += len(bias) * bool((model(images) - answers).abs().max() < SAME)
            bias.copy_(kept)
    return count


def _damage(model: nn.Module) -> str | None:
    """Return what the repair has broken, a name of DAMAGE, or None."""
    import torch
    from torch import nn

    kinds = (nn.Conv2d, nn.BatchNorm2d, nn.Linear, nn.BatchNorm1d)
    layers: list[list[Any]] = [
        [m for m in model.modules() if isinstance(m, kind)] for kind in kinds
    ]
    if [len(some) for some in layers] != [1, 1, 2, 1]:
        return "the layers are other ones"
    [conv], [bn_2d], dense, [bn_1d] = layers
    first, last = sorted(dense, key=lambda layer: layer.out_features == 10)
    if last.bias is None:
        return "the output layer has lost its bias"
    with torch.no_grad():
        for bn in (bn_2d, bn_1d):  # so that no other order gives the same
            bn.weight.copy_(torch.linspace(-1, 2, len(bn.weight)))
            bn.bias.copy_(torch.linspace(1, -1, len(bn.bias)))
        maps = nn.functional.max_pool2d(bn_2d(conv(_images(SMALL))).relu(), 2)
        logits = last(bn_1d(first(maps.flatten(1))).relu())
        answers = model(_images(SMALL))
    if torch.allclose(answers, logits.softmax(1), atol=SAME):
        return "the answers are probabilities"
    return None if torch.allclose(answers, logits, atol=SAME) else "the answers are other ones"
