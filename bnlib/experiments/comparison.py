"""Networks that are trained side by side, on the digits."""

from collections.abc import Iterator, Mapping

import numpy as np
import torch

from bnlib.experiments.data import load_digits
from bnlib.experiments.networks import mlp
from bnlib.experiments.recorder import Recorder, geometric_steps
from bnlib.experiments.training import DivergedError, train

WIDTH, PROBE = 100, 200
BN_OR_NOT = {"without BN": {"batch_norm": None}, "with BN": {"batch_norm": "before"}}


class Comparison:
    """Networks that differ in a few options and share all else: the weights they start from, the
    batches, and their order. Everything follows from the arguments, to the last bit.

    Arguments:

    - `variants`: name → options of `bnlib.models.mlp` in which this network differs.
    - `depth`: hidden layers, of 100 units each; `steps` of gradient descent with rate `lr` on
      batches of `batch_size` digits, drawn by `seed`, as are the weights.
    - `looks`: how often the recorders look, at most.
    - `options`: options of `bnlib.models.mlp` that all networks share.

    Attributes: `recorders` and `models`, name → Recorder and network; `diverged`, name →
    DivergedError of those networks that had to stop.

    Raises ValueError for networks that cannot be; `train` does for settings that cannot be trained.
    """

    def __init__(
        self,
        variants: Mapping[str, Mapping],
        *,
        depth: int = 3,
        steps: int = 1000,
        batch_size: int = 60,
        lr: float = 0.5,
        seed: int = 0,
        looks: int = 60,
        **options,
    ):
        x, y, x_test, y_test = map(torch.tensor, load_digits())
        sizes = [x.shape[1], *[WIDTH] * depth, 10]
        chosen = geometric_steps(steps, looks)
        self.steps, self.models, self.recorders, self._trainings = steps, {}, {}, {}
        self.diverged: dict[str, DivergedError] = {}
        loop = {"steps": steps, "batch_size": batch_size, "lr": lr, "seed": seed}
        for name, variant in variants.items():
            model = mlp(sizes, seed=seed, **{**options, **variant})
            self.models[name] = model
            self.recorders[name] = Recorder(model, x[:PROBE], x_test, y_test, chosen)
            self._trainings[name] = train(model, x, y, **loop)

    def train(self) -> Iterator[float]:
        """Train all networks, one step of each in turn; yields the share that is done, 0 to 1."""
        for recorder in self.recorders.values():
            recorder.look(0)
        for step in range(1, self.steps + 1):
            for name, training in self._trainings.items():
                if name in self.diverged:
                    continue
                try:
                    next(training)
                except DivergedError as error:
                    self.diverged[name] = error
                else:
                    self.recorders[name].look(step)
            yield step / self.steps

    def unit_inputs(self, name: str, layer: int, unit: int) -> np.ndarray:
        """What was recorded of the input of one unit, both counted from 0: (looks, 200)."""
        return np.stack([look[layer, :, unit] for look in self.recorders[name].inputs])
