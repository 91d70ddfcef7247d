"""The execute command: one canonical form, the same bytes each time, and nothing half-done."""

import json

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tests.tools.execute import WIDGET_VIEW, canonical, execute, main

EVERYTHING = [
    "import sys\nfor i in range(3):\n    print(i, flush=True)\nprint('late', file=sys.stderr)",
    "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()",
    "import ipywidgets\nipywidgets.IntSlider(description='depth')",
    "from IPython.display import display\n"
    "h = display({'text/plain': 'first'}, raw=True, display_id=True)",
    "h.update({'text/plain': 'last'}, raw=True)",
    "import os\nos.path.basename(os.getcwd())",
    "assert True",
]


def write(path, *sources, **metadata):
    cells = [new_markdown_cell("# What is this?"), *map(new_code_cell, sources)]
    nbformat.write(new_notebook(cells=cells, metadata=metadata), path)
    return path


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """A notebook with outputs of all kinds: the file after one and after two executions."""
    folder = tmp_path_factory.mktemp("lessons")
    path = write(folder / "lesson.ipynb", *EVERYTHING, widgets={"old": {}}, author="me")
    execute(path)
    once = path.read_bytes()
    execute(path)
    assert list(folder.iterdir()) == [path]
    return once, path.read_bytes()


@pytest.fixture
def cells(executed):
    return [cell for cell in json.loads(executed[0])["cells"] if cell["cell_type"] == "code"]


def test_executing_twice_changes_no_byte(executed):
    once, twice = executed
    assert once == twice


def test_the_result_is_canonical(executed):
    text = executed[0].decode()
    assert canonical(text) == text
    assert text.startswith('{\n "cells": [') and text.endswith("}\n")
    assert "\r" not in text


def test_only_canonical_metadata_is_stored(executed, cells):
    notebook = json.loads(executed[0])
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert notebook["metadata"] == {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    assert all(cell["metadata"] == {} for cell in notebook["cells"])
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(EVERYTHING) + 1))


def test_a_stream_is_one_output(cells):
    stdout, stderr = cells[0]["outputs"]
    assert (stdout["name"], stdout["text"]) == ("stdout", ["0\n", "1\n", "2\n"])
    assert (stderr["name"], stderr["text"]) == ("stderr", ["late\n"])


def test_a_picture_is_kept(cells):
    assert "image/png" in cells[1]["outputs"][0]["data"]


def test_of_a_widget_its_text_is_kept(cells):
    (output,) = cells[2]["outputs"]
    assert list(output["data"]) == ["text/plain"]
    assert "depth" in output["data"]["text/plain"][0]


def test_an_output_updated_later_is_stored_in_its_last_state(cells):
    assert cells[3]["outputs"][0]["data"]["text/plain"] == ["last"]


def test_a_notebook_runs_in_its_own_folder(cells):
    assert "lessons" in cells[5]["outputs"][0]["data"]["text/plain"][0]


def test_an_error_leaves_the_file_as_it_was(tmp_path):
    path = write(tmp_path / "broken.ipynb", "print('fine')", "1 / 0")
    before = path.read_bytes()
    with pytest.raises(SystemExit, match=r"(?s)stays as it was.*broken\.ipynb, cell 3.*1 / 0"):
        main([str(path)])
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["missing.ipynb", "lesson.py"])
def test_what_is_no_notebook_is_named_before_anything_runs(tmp_path, name):
    path = write(tmp_path / "lesson.ipynb", "1")
    (tmp_path / "lesson.py").touch()
    before = path.read_bytes()
    with pytest.raises(SystemExit, match=f"{name} is no notebook; name files as in"):
        main([str(path), str(tmp_path / name)])
    assert path.read_bytes() == before


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"nbformat": 3, "worksheets": []}'])
def test_another_format_is_refused(text):
    with pytest.raises(ValueError, match="Expected a Jupyter notebook of format 4"):
        canonical(text)


def stored(*outputs, **cell):
    """The code cell with these outputs, as the canonical form stores it."""
    notebook = new_notebook(cells=[new_code_cell("1", outputs=list(outputs), **cell)])
    return json.loads(canonical(nbformat.writes(notebook)))["cells"][0]


def test_a_widget_view_without_text_leaves_no_output():
    view = new_output("display_data", {WIDGET_VIEW: {"model_id": "3f", "version_major": 2}})
    assert stored(view)["outputs"] == []


def test_the_size_of_a_picture_stays_and_that_of_a_widget_goes():
    data = {"image/png": "aGk=", WIDGET_VIEW: {"model_id": "3f"}}
    sizes = {"image/png": {"width": 400}, WIDGET_VIEW: {"width": 1}}
    (output,) = stored(new_output("display_data", data, metadata=sizes))["outputs"]
    assert output["metadata"] == {"image/png": {"width": 400}}
    assert list(output["data"]) == ["image/png"]


def test_text_between_pictures_stays_in_its_place():
    text, picture = new_output("stream", text="a"), new_output("display_data", {"image/png": ""})
    assert [out["output_type"] for out in stored(text, text, picture, text)["outputs"]] == [
        "stream",
        "display_data",
        "stream",
    ]


def test_of_a_cells_metadata_tags_and_folding_stay():
    metadata = {"tags": ["answer"], "jupyter": {"source_hidden": True}, "execution": {"t": "1"}}
    kept = stored(metadata=metadata)["metadata"]
    assert kept == {"tags": ["answer"], "jupyter": {"source_hidden": True}}


def test_ids_are_kept_and_missing_or_double_ones_are_derived():
    cell = {"cell_type": "markdown", "metadata": {}, "source": "same"}
    cells = [cell | {"id": "mine"}, cell | {"id": "mine"}, cell]
    text = json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    ids = [cell["id"] for cell in json.loads(canonical(text))["cells"]]
    assert ids[0] == "mine"
    assert len(set(ids)) == 3
    assert canonical(text) == canonical(text)
