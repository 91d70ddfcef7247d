"""One hub for the tests of a class."""

from collections.abc import Iterator

import pytest

from tests.tools.hub import ClassHub, install_proxy


@pytest.fixture(scope="module")
def class_hub(tmp_path_factory) -> Iterator[ClassHub]:
    """A running hub. Without Node, or the network the first time, its tests are skipped."""
    try:
        install_proxy()
    except SystemExit as why:
        pytest.skip(str(why))
    hub = ClassHub(tmp_path_factory.mktemp("hub"))
    yield hub
    hub.close()
