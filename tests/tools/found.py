"""Every explorer and every picture of bnlib, found by itself."""

import importlib
import inspect
import pkgutil
from types import ModuleType

from bnlib import explorers, pictures


def modules(package: ModuleType) -> list[ModuleType]:
    """All modules of a package."""
    found = pkgutil.iter_modules(package.__path__, package.__name__ + ".")
    return [importlib.import_module(module.name) for module in found]


def functions(package: ModuleType) -> list:
    """All functions that the modules of a package define."""
    return [
        function
        for module in modules(package)
        for function in vars(module).values()
        if inspect.isfunction(function) and function.__module__ == module.__name__
    ]


def is_picture(function) -> bool:
    """Whether @picture has made it: it draws on a figure, and is called without one."""
    drawn, called = (inspect.signature(f).parameters for f in (inspect.unwrap(function), function))
    return "figure" in drawn and "figure" not in called


EXPLORERS = [make for make in functions(explorers) if make.__name__.endswith("_explorer")]
PICTURES = [function for function in functions(pictures) if is_picture(function)]


def example(picture) -> tuple:
    """Arguments for a picture, from tests/pictures/examples, the module of its lesson."""
    stem = picture.__module__.rpartition(".")[2]
    return importlib.import_module(f"tests.pictures.examples.{stem}").EXAMPLES[picture.__name__]
