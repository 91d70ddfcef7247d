"""Sequences that are padded to one length, and what the padding does to batch statistics (torch).

A digit is read row by row: a sequence of eight rows, each with its pixels and its place. In a batch
with longer sequences it would be padded with zeros at its end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from bnlib.experiments.data import load_digits
from bnlib.experiments.networks import linear
from bnlib.experiments.training import mode, train

ROWS, PIXELS, UNITS = 8, 8, 64


def as_sequences(images: Tensor, length: int = ROWS) -> Tensor:
    """Turn images into padded sequences of rows.

    Args:
        images: (N, 64).
        length: positions of a sequence, 8 at least; those beyond the eighth are padding.

    Returns:
        (N, length, 16): of a row its eight pixels, then its place as eight numbers of which one is
        1; padding is 0 throughout.

    Raises:
        ValueError: `length` is less than 8.
    """
    if length < ROWS:
        raise ValueError(f"expected a length of at least {ROWS}, the rows, got {length}")
    pixels = images.view(-1, ROWS, PIXELS)
    places = torch.eye(ROWS).expand(len(images), ROWS, ROWS)
    rows = torch.cat([pixels, places], dim=2)
    return nn.functional.pad(rows, (0, 0, 0, length - ROWS))


class RowReader(nn.Module):
    """A network for padded sequences: linear, norm, ReLU in each position; their mean; linear.

    The mean is that of the real positions, so that nothing but the norm can notice the padding.

    Args:
        norm: makes a layer for n features, (M, n) to (M, n); BN takes each position for an example.
        masked: whether padding is kept out of the norm.
        seed: the weights depend on it alone.
    """

    def __init__(self, norm: Callable[[int], nn.Module], masked: bool = False, seed: int = 0):
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.first = linear(PIXELS + ROWS, UNITS, "he", generator, bias=False)
        self.norm, self.masked = norm(UNITS), masked
        self.last = linear(UNITS, 10, "he", generator)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (N, 10) for sequences (N, length, 16) as `as_sequences` makes them."""
        real = x[:, :, PIXELS:].any(dim=2)  # (N, length): a row has a place, padding has none
        z = self.first(x)
        if self.masked:
            normalized = torch.zeros_like(z)
            normalized[real] = self.norm(z[real])
        else:
            normalized = self.norm(z.flatten(0, 1)).view_as(z)
        h = normalized.relu() * real[:, :, None]
        return self.last(h.sum(dim=1) / real.sum(dim=1, keepdim=True))


def trained(norm: Callable[[int], nn.Module], masked: bool = False, seed: int = 0) -> RowReader:
    """Train a RowReader on the digits, without padding: 150 steps, batches of 60, at a rate of 2.

    Of the rates 0.3, 1, 2 and 4 that is the best for BN and for LN.

    Args:
        norm: as in `RowReader`.
        masked: likewise.
        seed: of the weights and of the batches.
    """
    x, y, *_ = map(torch.tensor, load_digits())
    model = RowReader(norm, masked, seed)
    list(train(model, as_sequences(x), y, steps=150, batch_size=60, lr=2, seed=seed))
    return model


@torch.no_grad()
def accuracy_by_length(
    model: RowReader, lengths: Sequence[int], training: bool = True
) -> list[float]:
    """Return the share of right answers, 0 to 1, if the test images are padded to each length.

    Args:
        model: its mode stays; in training mode its running averages move.
        lengths: of the sequences, 8 at least; all of them are one batch.
        training: the mode in which it answers.
    """
    *_, x, y = map(torch.tensor, load_digits())
    with mode(model, training):
        answers = [model(as_sequences(x, length)).argmax(dim=1) for length in lengths]
    return [(answer == y).float().mean().item() for answer in answers]
