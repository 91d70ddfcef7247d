"""Every explorer of bnlib, found by itself."""

import importlib
import pkgutil

from bnlib import explorers

MODULES = [
    importlib.import_module(module.name)
    for module in pkgutil.iter_modules(explorers.__path__, explorers.__name__ + ".")
]
EXPLORERS = [
    make
    for module in MODULES
    for name, make in vars(module).items()
    if name.endswith("_explorer") and make.__module__ == module.__name__
]
