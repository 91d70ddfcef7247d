"""Every picture of bnlib, found by itself: a function that @picture has made."""

import importlib
import inspect
import pkgutil

from bnlib import pictures

MODULES = [
    importlib.import_module(module.name)
    for module in pkgutil.iter_modules(pictures.__path__, pictures.__name__ + ".")
]
PICTURES = [
    function
    for module in MODULES
    for function in vars(module).values()
    if inspect.isfunction(function)
    and function.__module__ == module.__name__
    and "figure" in inspect.signature(inspect.unwrap(function)).parameters
    and "figure" not in inspect.signature(function).parameters
]


def example(picture) -> tuple:
    """Arguments for a picture, from tests/pictures/examples, the module of its lesson."""
    stem = picture.__module__.rpartition(".")[2]
    return importlib.import_module(f"tests.pictures.examples.{stem}").EXAMPLES[picture.__name__]
