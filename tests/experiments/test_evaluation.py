"""The two modes of BN: what evaluates a network in both, its pictures, and the explorers' words."""

import io

import numpy as np
import pytest
import torch
from IPython.utils.capture import capture_output
from PIL import Image

from bnlib import evaluation, mode_plots, models, plots, training
from bnlib.experiments.data import load_digits
from bnlib.explorers.train_vs_eval import batch_mates_explorer, modes_explorer

SETTINGS = dict(steps=40, batch_size=30, lr=0.5, seed=3)


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """As in the lesson: on networks as small as these, threads only wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def digits() -> list[torch.Tensor]:
    return [torch.tensor(part) for part in load_digits()]


def network() -> torch.nn.Sequential:
    return models.mlp([64, 20, 20, 10], batch_norm="before", seed=1)


@pytest.fixture(scope="module")
def history(digits) -> evaluation.History:
    return evaluation.train_and_keep(network(), *digits[:2], every=20, **SETTINGS)


def state(model) -> list[np.ndarray]:
    return [tensor.numpy().copy() for tensor in model.state_dict().values()]


# Evaluation in batches


@pytest.mark.parametrize("batch_size", [2, 7])
def test_logits_in_batches_are_those_of_training_mode(history, digits, batch_size):
    batches = digits[2][: 5 * batch_size].view(5, batch_size, 64)
    ours = evaluation.logits_in_batches(history.at(40, 0.1), batches)
    model = history.at(40, 0.1).train()
    assert torch.allclose(ours, torch.stack([model(batch) for batch in batches]), atol=1e-5)


def test_evaluating_in_batches_leaves_the_network_alone(history, digits):
    model = history.at(40, 0.1)
    before = state(model)
    evaluation.accuracy_in_batches(model, *digits[2:], batch_size=8)
    assert not model.training
    assert all(map(np.array_equal, before, state(model)))


def test_accuracy_of_one_batch_of_all_is_that_of_training_mode(history, digits):
    model, (x, y) = history.at(40, 0.1), digits[2:]
    expected = (model.train()(x).argmax(1) == y).float().mean().item()
    assert evaluation.accuracy_in_batches(model, x, y, len(x)) == pytest.approx(expected, abs=0.01)


def test_accuracy_depends_on_the_shuffle_alone(history, digits):
    model = history.at(40, 0.1)
    runs = [evaluation.accuracy_in_batches(model, *digits[2:], 4, seed=s) for s in (0, 0, 1)]
    assert runs[0] == runs[1] != runs[2]


@pytest.mark.parametrize("batch_size", [0, 1, 356])
def test_impossible_batches_are_refused(history, digits, batch_size):
    with pytest.raises(ValueError, match=f"from 2 to 355 .* got {batch_size}"):
        evaluation.accuracy_in_batches(history.at(40, 0.1), *digits[2:], batch_size)


def test_a_batch_of_one_is_refused(history, digits):
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        evaluation.logits_in_batches(history.at(40, 0.1), digits[2][:3, None])


def test_batches_around_an_example():
    batches = evaluation.batches_around(7, n=50, batch_size=8, draws=20)
    assert batches.shape == (20, 8) and np.all(batches[:, 0] == 7)
    assert all(len(set(batch)) == 8 for batch in batches)
    assert batches.min() >= 0 and batches.max() < 50
    assert len({tuple(batch) for batch in batches}) == 20
    smaller = evaluation.batches_around(7, n=50, batch_size=3, draws=5)
    assert np.array_equal(smaller, batches[:5, :3])


# A training that is kept


@pytest.mark.parametrize("momentum", [0.01, 0.1, 0.5, 1])
def test_one_training_serves_every_momentum(history, digits, momentum):
    """Parameters and running averages are those of a training with that momentum."""
    model = network()
    for bn in models.batch_norms(model):
        bn.momentum = momentum
    list(training.train(model, *digits[:2], **SETTINGS))
    for kept, trained in zip(state(history.at(40, momentum)), state(model), strict=True):
        assert np.allclose(kept, trained, rtol=1e-4, atol=1e-5)


def test_at_the_start_the_network_is_new(history):
    assert all(map(np.array_equal, state(history.at(0, 0.1)), state(network())))


def test_a_network_of_the_past_is_a_new_object(history):
    model = history.at(20, 0.1)
    before = state(model)
    with torch.no_grad():
        model[0].weight.zero_()
    assert not model.training
    assert all(map(np.array_equal, before, state(history.at(20, 0.1))))


@pytest.mark.parametrize("step", [-20, 10, 60])
def test_a_step_that_was_not_kept_is_refused(history, step):
    with pytest.raises(ValueError, match=f"multiple of 20, got {step}"):
        history.at(step, 0.1)


# Pictures

SHARES = np.linspace(0.1, 1, 9).reshape(3, 3)
CURVE = {name: np.linspace(0, 3, 20) for name in ("α = 1", "α = 0.1", "α = 0.01", "α = None")}
DRIFT = dict.fromkeys(
    ("evaluation mode", "training mode", "evaluation mode,\nrecalibrated"), SHARES
)
PICTURES = {
    "running_averages": lambda: mode_plots.show_running_averages(CURVE, CURVE, (3, 3)),
    "accuracy_by_batch_size": lambda: mode_plots.show_accuracy_by_batch_size(
        [1, 2, 4], SHARES[1:], SHARES
    ),
    "accuracy_by_step": lambda: mode_plots.show_accuracy_by_step(
        [0, 1, 2], SHARES, {"α = 0.1": SHARES, "α = 0.01": SHARES}
    ),
    "small_batches": lambda: mode_plots.show_small_batches([2, 4, 8], SHARES, SHARES),
    "drift": lambda: mode_plots.show_drift(np.ones((3, 64)), [0, 0.1, 0.2], DRIFT),
    "fine_tuning": lambda: mode_plots.show_fine_tuning("abc", SHARES, SHARES),
}


def test_every_picture_is_tried_here():
    shows = {name.removeprefix("show_") for name in vars(mode_plots) if name.startswith("show_")}
    assert shows == set(PICTURES)


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_a_png_with_words_and_a_white_edge(name, shell):
    with capture_output() as shown:
        assert PICTURES[name]() is None
    [output] = shown.outputs
    assert len(output.data["text/plain"].split()) >= 7
    picture = Image.open(io.BytesIO(output.data["image/png"]))
    assert picture.width == output.metadata["image/png"]["width"] * plots.PIXEL_RATIO
    pixels = np.asarray(picture.convert("RGB"))
    for edge in (pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]):
        assert np.all(edge == 255)


def test_pictures_do_not_import_torch():
    assert "torch" not in vars(mode_plots)


# Explorers


def test_the_six_flips_until_the_network_is_in_evaluation_mode():
    explorer = batch_mates_explorer()
    said = set()
    for draw in range(1, 21):
        explorer.set(draw=draw, evaluating=False)
        said.add(explorer.line.split(" says ")[1][0])
        explorer.set(evaluating=True)
        assert "evaluation mode says 6" in explorer.line
        assert explorer.line.endswith("Wrong in 0 of 20 draws.")
    assert "6" in said and len(said) > 1


def test_the_explorer_leaves_the_network_alone(history):
    model = history.at(40, 0.1).train()
    before = state(model)
    batch_mates_explorer(model).set(draw=2, image=5)
    assert model.training
    assert all(map(np.array_equal, before, state(model)))


def share_in(mode: str, line: str) -> int:
    return int(line.split(f"{mode} mode ")[1].split("%")[0])


def test_modes_shows_what_goes_wrong_in_each_mode():
    explorer = modes_explorer()
    explorer.set(steps=60, momentum=0.01)
    assert share_in("evaluation", explorer.line) < 30 < 85 < share_in("training", explorer.line)
    explorer.set(momentum=0.1)
    assert share_in("evaluation", explorer.line) > 90
    explorer.set(steps=300, batch_size=2)
    assert share_in("training", explorer.line) < 75 < 93 < share_in("evaluation", explorer.line)


def test_in_evaluation_mode_the_batch_mates_play_no_part():
    explorer = modes_explorer()
    answers = set()
    for draw in range(1, 21):
        explorer.set(draw=draw, evaluating=True)
        answers.add(explorer.line.rpartition(" says ")[2])
    assert answers == {"6."}


def test_no_logit_leaves_the_axes():
    explorer = modes_explorer()
    logits = next(ax for ax in explorer.live.figure.axes if ax.get_ylabel() == "logit")
    low, high = logits.get_ylim()
    for steps in (0, 60, 300):
        for momentum in (0.01, 1):
            for batch_size in (2, 64):
                explorer.set(steps=steps, momentum=momentum, batch_size=batch_size)
                ends = [low, *(bar.get_height() for bar in logits.patches[:10]), high]
                assert min(ends) == low and max(ends) == high
