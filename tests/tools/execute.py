"""Run notebooks and store them in one canonical form: `python3 run.py execute [NOTEBOOK ...]`.

The form keeps the outputs and leaves out what differs from run to run or from machine to machine:
widget state and widget views, versions, times. Running a notebook twice changes no byte of it.
"""

import hashlib
import subprocess
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
CELL_SECONDS = 120
KEPT_CELL_METADATA = {"tags", "jupyter"}  # "jupyter" says which cells are folded
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
REST = {  # all of a notebook but its cells
    "metadata": {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    },
    "nbformat": 4,
    "nbformat_minor": 5,
}


def canonical(text: str) -> str:
    """The canonical form of a notebook, JSON to JSON. Applied to its own result it changes nothing.

    Raises: ValueError, if `text` is not a notebook of format 4.
    """
    try:
        cells = nbformat.v4.reads(text).cells
        _give_ids(cells)  # before nbformat sees them, which gives random ones
        notebook = nbformat.from_dict({"cells": cells, **REST})
        for cell in notebook.cells:
            cell.metadata = {k: v for k, v in cell.metadata.items() if k in KEPT_CELL_METADATA}
            if cell.cell_type == "code":
                cell.outputs = _canonical_outputs(cell.outputs)
        nbformat.validate(notebook)
    except (ValueError, AttributeError, nbformat.ValidationError) as error:
        raise ValueError(f"Expected a Jupyter notebook of format 4, but: {error}") from error
    return nbformat.v4.writes(notebook) + "\n"


def _canonical_outputs(outputs) -> list:
    kept = []
    for output in outputs:
        before = kept[-1] if kept else {}
        if output.output_type == "stream" and before.get("name") == output.name:
            before.text += output.text  # how the kernel cuts a stream into pieces varies
        elif "data" in output:
            # The id of a widget's model is random, and the model is gone with its kernel.
            output.data.pop(WIDGET_VIEW, None)
            output.metadata = {k: v for k, v in output.metadata.items() if k in output.data}
            kept += [output] if output.data else []
        else:
            kept.append(output)
    return kept


def _give_ids(cells) -> None:
    """Keep the ids that are there; a cell without one, or with that of another, gets its own."""
    seen = set()
    for number, cell in enumerate(cells):
        if cell.get("id") in seen | {None}:
            cell.id = hashlib.sha256(f"{number}\n{cell.source}".encode()).hexdigest()[:8]
        seen.add(cell.id)


def execute(path: Path) -> None:
    """Run the notebook at `path` from a fresh kernel, in its own folder, and store it.

    Raises: RuntimeError that names the notebook and the cell that failed; the file is as before.
    """
    notebook = nbformat.v4.reads(canonical(path.read_text(encoding="utf-8")))
    started = []
    client = NotebookClient(
        notebook,
        timeout=CELL_SECONDS,
        kernel_name="python3",
        record_timing=False,
        resources={"metadata": {"path": str(path.parent)}},
        on_cell_start=lambda cell, cell_index: started.append(cell_index),
    )
    try:
        client.execute(stderr=subprocess.DEVNULL)  # warnings of Jupyter about itself
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        raise RuntimeError(f"{path.name}, cell {started[-1] + 1}: {error}") from error
    new = path.with_suffix(".tmp")  # replaced in one go: a full disk leaves no half of a notebook
    new.write_text(canonical(nbformat.v4.writes(notebook)), encoding="utf-8", newline="\n")
    new.replace(path)


def main(arguments: list[str]) -> None:
    paths = [Path(a).resolve() for a in arguments] or sorted(NOTEBOOKS.glob("*.ipynb"))
    for path in paths:
        if path.suffix != ".ipynb" or not path.is_file():
            sys.exit(f"{path} is no notebook; name files as in notebooks/00_start_here.ipynb.")
    for path in paths:
        print(path.name, end=" ", flush=True)
        start = time.perf_counter()
        try:
            execute(path)
        except (RuntimeError, ValueError) as error:
            sys.exit(f"failed and stays as it was.\n{error}")
        print(f"{time.perf_counter() - start:.1f} s")


if __name__ == "__main__":
    main(sys.argv[1:])
