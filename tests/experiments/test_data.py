"""bnlib.data: the digits as they are shipped, from anywhere, or a clear error."""

import hashlib
import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bnlib.experiments import data
from bnlib.experiments.data import load_digits, skewed_batches
from tests.conftest import ROOT

DIGITS = ROOT / "data" / "digits.npz"


@pytest.fixture(params=["data/digits.npz", "bnlib/digits.npz"], ids=["checkout", "installed"])
def copied(request, tmp_path):
    """A copy of the module, imported, and the path of its own copy of the digits."""
    module_path, digits = tmp_path / "bnlib" / "experiments" / "data.py", tmp_path / request.param
    for path in (module_path, digits):
        path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(data.__file__, module_path)
    shutil.copy(DIGITS, digits)
    spec = importlib.util.spec_from_file_location("copied_data", module_path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module, digits


def test_shapes_dtypes_and_values():
    digits = load_digits()
    assert digits._fields == ("x_train", "y_train", "x_test", "y_test")
    assert digits.x_train.shape == (1442, 64) and digits.y_train.shape == (1442,)
    assert digits.x_test.shape == (355, 64) and digits.y_test.shape == (355,)
    for x, y in (digits[:2], digits[2:]):
        assert x.dtype == np.float32 and y.dtype == np.int64
        assert x.min() == 0 and x.max() == 1
        assert np.array_equal(x * 16, np.round(x * 16))
        assert set(y) == set(range(10))


def test_every_call_returns_the_same_digits_as_new_arrays():
    first, second = load_digits(), load_digits()
    for a, b in zip(first, second, strict=True):
        assert np.array_equal(a, b)
        a[:] = 0
    assert second.x_train.max() == 1 and load_digits().x_train.max() == 1


def test_the_split_is_fixed():
    """Lessons print results of this very split: it must not change with a version of NumPy."""
    digest = hashlib.sha256()
    for array in load_digits():
        digest.update(array.astype(array.dtype.newbyteorder("<")).tobytes())
    assert digest.hexdigest() == "4e1325d038813314ead2a30970b4ad8eed6ef36a845f57a2129b3ece33899fd1"


def test_the_split_is_stratified():
    digits = load_digits()
    train, test = np.bincount(digits.y_train), np.bincount(digits.y_test)
    assert np.abs(test / (train + test) - 0.2).max() < 0.01


def test_the_two_parts_are_the_whole_file():
    digits = load_digits()
    with np.load(DIGITS, allow_pickle=False) as arrays:
        images, labels = arrays["images"], arrays["labels"]
    assert images.shape == (1797, 8, 8) and images.dtype == labels.dtype == np.uint8
    shipped = np.column_stack([images.reshape(-1, 64), labels])
    x, y = np.concatenate(digits[::2]) * 16, np.concatenate(digits[1::2])
    loaded = np.column_stack([x, y])
    assert sorted(map(tuple, loaded)) == sorted(map(tuple, shipped))


def test_an_image_shows_its_digit():
    """The first 0 of the file: ink in a ring, none in the middle."""
    digits = load_digits()
    zero = digits.x_train[digits.y_train == 0][0].reshape(8, 8)
    assert zero[3:5, 3:5].max() < 0.1 < 0.4 < zero[3:5, 2].min()


def test_the_readme_states_the_checksum():
    assert data.SHA256 in (ROOT / "data" / "README.md").read_text(encoding="utf-8")


def test_from_any_folder_and_without_torch(tmp_path):
    code = (
        "import sys; from bnlib.experiments.data import load_digits; load_digits(); "
        "assert 'torch' not in sys.modules"
    )
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); {code}"
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)


def test_in_a_checkout_and_installed(copied):
    module, _ = copied
    for a, b in zip(module.load_digits(), load_digits(), strict=True):
        assert np.array_equal(a, b)


def test_a_missing_file(copied):
    module, digits = copied
    digits.unlink()
    with pytest.raises(FileNotFoundError, match=r"missing.*digits\.npz.*Restore it with"):
        module.load_digits()


def truncated(content):
    return content[: len(content) // 2]


def altered(content):
    """One bit of the compressed pixels."""
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


@pytest.mark.parametrize("damage", [truncated, altered, lambda content: b""])
def test_a_damaged_file(copied, damage):
    module, digits = copied
    digits.write_bytes(damage(digits.read_bytes()))
    with pytest.raises(ValueError, match=r"damaged or altered.*Restore it with") as error:
        module.load_digits()
    assert str(digits) in str(error.value)


def test_a_file_with_a_pickle_is_not_opened(copied, tmp_path):
    """Whoever replaces the file and the checksum still gets no code run."""
    module, digits = copied
    ran = tmp_path / "ran"
    np.savez(digits, images=np.array([RunsWhenUnpickled(ran)], object), labels=np.zeros(1))
    module.SHA256 = hashlib.sha256(digits.read_bytes()).hexdigest()
    with pytest.raises(ValueError, match="allow_pickle=False"):
        module.load_digits()
    assert not ran.exists()


class RunsWhenUnpickled:
    """An object whose unpickling creates a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_importing_bnlib_loads_nothing():
    code = "import sys, bnlib; assert not {'numpy', 'torch', 'matplotlib'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_skewed_batches_are_what_their_docstring_says():
    batches = skewed_batches(10, 40_000)
    assert batches.shape == (10, 40_000) and batches.dtype == np.float32
    x = batches.astype(np.float64).ravel()
    skewness = ((x - x.mean()) ** 3).mean() / x.std() ** 3
    assert (x.mean(), x.var(), skewness) == pytest.approx((3, 3, np.sqrt(2)), rel=0.02)
    assert np.array_equal(skewed_batches(seed=1), skewed_batches(seed=1))
    assert not np.array_equal(skewed_batches(seed=1), skewed_batches(seed=2))
