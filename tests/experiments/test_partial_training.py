"""What learns, and what stays as it starts."""

import pytest

from bnlib.experiments.networks import batch_norms, mlp
from bnlib.experiments.partial_training import let_learn
from bnlib.torch_bn import BatchNorm


def learning(model) -> set[str]:
    """The letters of what learns; fails where a kind does so in part."""
    of_bn = {id(p) for bn in batch_norms(model) for p in bn.parameters()}
    kinds = {
        "W": [p for p in model.parameters() if id(p) not in of_bn],
        "γ": [bn.weight for bn in batch_norms(model)],
        "β": [bn.bias for bn in batch_norms(model)],
    }
    for parameters in kinds.values():
        assert len({p.requires_grad for p in parameters}) == 1
    return {letter for letter, parameters in kinds.items() if parameters[0].requires_grad}


@pytest.mark.parametrize("learned", ["", "W", "γ", "β", "Wγ", "Wβ", "γβ", "Wγβ"])
def test_what_is_named_learns_and_nothing_else(learned):
    model = mlp([2, 5, 5, 2], norm=BatchNorm)
    for before in ("", "Wγβ"):
        let_learn(model, before)
        assert let_learn(model, learned) is model
        assert learning(model) == {*learned}


def test_the_output_layer_can_learn_alone():
    model = let_learn(mlp([2, 5, 5, 2], norm=BatchNorm), "O")
    assert [p for p in model.parameters() if p.requires_grad] == [*model[-1].parameters()]
    assert all(bn.weight.requires_grad for bn in batch_norms(let_learn(model, "Oγ")))
    assert not model[0].weight.requires_grad


def test_without_bn_there_are_weights_alone():
    assert all(p.requires_grad for p in let_learn(mlp([2, 5, 2]), "W").parameters())
    assert not any(p.requires_grad for p in let_learn(mlp([2, 5, 2]), "γβ").parameters())


def test_another_letter_is_refused_and_nothing_changes():
    model = mlp([2, 5, 2], norm=BatchNorm)
    with pytest.raises(ValueError, match="got \\['x'\\]"):
        let_learn(model, "γx")
    assert learning(model) == {*"Wγβ"}
