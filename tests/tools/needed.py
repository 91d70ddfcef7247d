"""The cells of a lesson without which none of its controls would be there."""

import ast

import nbformat
from IPython.core.inputtransformer2 import TransformerManager

SHOWS_A_CONTROL = ("_explorer(", "predict.choice(", "predict.number(", "predict.curve(")


def needed_cells(notebook: nbformat.NotebookNode) -> list[int]:
    """The indices of all code cells that show a control, or make what such a cell uses.

    The trainings that only answer a prediction, most of the time of a lesson, are not among them.
    """
    wanted: set[str] = set()
    cells = []
    for index, cell in reversed([*enumerate(notebook.cells)]):
        if cell.cell_type != "code":
            continue
        made, used = names(cell.source)
        if made & wanted or any(call in cell.source for call in SHOWS_A_CONTROL):
            wanted |= used
            cells.append(index)
    return cells[::-1]


def names(source: str) -> tuple[set[str], set[str]]:
    """The names that a cell makes or changes, and those that it uses; rather too many than too few.

    What a method changes (`list.append`) counts as used only.
    """
    made, used = set(), set()
    for node in ast.walk(ast.parse(TransformerManager().transform_cell(source))):
        match node:
            case ast.Name(id=name, ctx=ast.Load()):
                used.add(name)
            case ast.Name(id=name) | ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                made.add(name)
            case ast.alias(name=name, asname=alias):
                made.add(alias or name.partition(".")[0])
            case ast.Attribute(ctx=ast.Store()) | ast.Subscript(ctx=ast.Store()):
                made |= {base.id for base in ast.walk(node.value) if isinstance(base, ast.Name)}
    return made, used
