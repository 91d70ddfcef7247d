"""Explorers that play a recording: without PyTorch they say and show what they do with it."""

import pickle
import subprocess
import sys

import numpy as np
import pytest

from bnlib.live import recording
from tests.conftest import ROOT
from tests.explorers.test_explorers import other_values, pixels
from tests.tools.found import EXPLORERS

every_explorer = pytest.mark.parametrize("make", EXPLORERS, ids=lambda make: make.__name__)
