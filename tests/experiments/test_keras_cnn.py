"""One network in Keras and in PyTorch: its weights carried, its answers, a step of training."""

import ast

import numpy as np
import pytest
import torch

from bnlib.experiments import keras_cnn
from bnlib.experiments.data import load_digits
from bnlib.experiments.networks import batch_norms
from bnlib.experiments.training import train
from tests.conftest import ROOT

RATE = 0.1


def in_keras(x: np.ndarray) -> np.ndarray:
    return x.reshape(-1, 8, 8, 1)


def in_pytorch(x: np.ndarray) -> torch.Tensor:
    return torch.tensor(x).view(-1, 1, 8, 8)


@pytest.fixture(scope="module")
def trained():
    """A model after three steps in Keras, so that no number of its BN is still 0 or 1."""
    keras, digits = keras_cnn.load_keras(), load_digits()
    model = keras_cnn.carry_to_keras(keras_cnn.as_in_keras(), keras_cnn.keras_simple_cnn())
    model.compile(keras.optimizers.SGD(RATE), "sparse_categorical_crossentropy")
    for start in (0, 60, 120):
        batch = slice(start, start + 60)
        model.train_on_batch(in_keras(digits.x_train[batch]), digits.y_train[batch])
    return model


def twin_of(model):
    return keras_cnn.carry_to_pytorch(model, keras_cnn.as_in_keras(seed=1))


def test_both_count_the_parameters_as_the_tutorials_do():
    model = keras_cnn.keras_simple_cnn(28)
    assert model.count_params() == 347_530
    learned = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    assert learned == sum(p.numel() for p in keras_cnn.as_in_keras(28).parameters()) == 347_338


def test_the_answers_agree_in_evaluation_mode(trained):
    x = load_digits().x_test
    theirs = keras_cnn.load_keras().ops.convert_to_numpy(trained(in_keras(x), training=False))
    with torch.no_grad():
        ours = twin_of(trained).eval()(in_pytorch(x)).softmax(1).numpy()
    assert np.abs(ours - theirs).max() < 1e-5


def test_there_and_back_every_number_is_the_same(trained):
    other = keras_cnn.carry_to_keras(twin_of(trained), keras_cnn.keras_simple_cnn())
    for here, there in zip(trained.get_weights(), other.get_weights(), strict=True):
        assert np.array_equal(here, there)


def test_a_kernel_is_brought_into_the_other_order_and_back():
    kernel = np.arange(9 * 32 * 2).reshape(288, 2)
    first = keras_cnn.channels_first(kernel)
    assert np.array_equal(first[:9], kernel[::32])  # the nine pixels of channel 0
    assert np.array_equal(keras_cnn.channels_last(first), kernel)


def test_a_step_of_training_leaves_the_same_numbers_but_for_the_running_variance(trained):
    digits, network = load_digits(), twin_of(trained)
    old = {name: value.clone() for name, value in network.state_dict().items()}
    kept = trained.get_weights()
    x, y = digits.x_train[180:240], digits.y_train[180:240]
    trained.train_on_batch(in_keras(x), y)
    list(train(network, in_pytorch(x), torch.tensor(y), steps=1, batch_size=60, lr=RATE))
    theirs = twin_of(trained).state_dict()
    trained.set_weights(kept)
    for name, ours in network.state_dict().items():
        if name.endswith("running_var"):  # Keras stores the biased one
            m = 60 * 36 if len(ours) == 32 else 60
            new = (ours - 0.99 * old[name]) * (m - 1) / m
            assert torch.allclose(0.99 * old[name] + new, theirs[name], rtol=0, atol=1e-6)
            assert (ours - theirs[name]).abs().max() > 2e-6
        elif ours.dim():
            assert torch.allclose(ours, theirs[name], rtol=0, atol=1e-6), name


def test_images_of_another_size_are_another_network(trained):
    with pytest.raises(RuntimeError, match="size"):
        keras_cnn.carry_to_pytorch(trained, keras_cnn.as_in_keras(28))
    with pytest.raises(ValueError, match="shape"):
        keras_cnn.carry_to_keras(keras_cnn.as_in_keras(28), trained)


def test_the_settings_are_those_of_keras(trained):
    theirs = [layer for layer in trained.layers if "normalization" in layer.name]
    for bn, other in zip(batch_norms(keras_cnn.as_in_keras()), theirs, strict=True):
        assert bn.eps == other.epsilon and bn.momentum == pytest.approx(1 - other.momentum)


def imports_of_keras(path) -> list[ast.AST]:
    """The import statements of a module that load Keras, at whatever depth."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module] if isinstance(node, ast.ImportFrom) else []
        found += [node] if any(name.split(".")[0] == "keras" for name in names) else []
    return found


def test_keras_is_imported_by_one_function_alone():
    importing = [path for path in (ROOT / "bnlib").rglob("*.py") if imports_of_keras(path)]
    assert [path.stem for path in importing] == ["keras_cnn"]
    [node] = imports_of_keras(importing[0])
    assert node.col_offset > 0, "at the top of a module all lessons would pay for it"


def test_another_backend_is_refused(monkeypatch):
    keras = keras_cnn.load_keras()
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(RuntimeError, match=r"runs on jax .* KERAS_BACKEND=torch"):
        keras_cnn.load_keras()
