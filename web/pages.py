"""A lesson as a page that can be read without anything, and what in it can come alive."""

import ast
import base64
import hashlib
import html
import json
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import jinja2
import nbformat
from IPython.core.inputtransformer2 import TransformerManager
from markupsafe import Markup
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from PIL import Image
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from bnlib.live.predictions import COMPARE
from tests.tools.found import EXPLORERS

HERE = Path(__file__).parent
MODULES = {make.__name__: make.__module__ for make in EXPLORERS}
CODE = HtmlFormatter(nowrap=True)
EXPLORER = re.compile(r"^(?:\w+\.)?(\w+_explorer)\(", re.MULTILINE)
PREDICTION = re.compile(r"predict\.(choice|number|curve)\(\s*(\d+)")
COMPARISON = re.compile(r"predict\.compare\(\s*(\d+)")
CHECK = re.compile(r"^(?:\w+\.)?(check_\w+)\(", re.MULTILINE)
NEED_TORCH = {  # a page cannot check these
    "check_groups",
    "check_evaluate",
    "check_recalibrate",
    "check_freeze",
    "check_plan",
    "check_simple_cnn",
}
WHERE_THERE_IS_TORCH = (
    '<p class="note">This exercise needs PyTorch, which a page does not have. Write it in '
    "JupyterLab, on Binder or on Colab: the links are at the top.</p>"
)
HEADING = re.compile(r'<h([12]) id="(.*?)">(.*?)<a class="anchor-link"')
FOLDED = "explorer", "prediction", "comparison", "score"  # whose code is one call
ONLY_IN_JUPYTER = "jupyter-only"  # tag of a cell, and class of a <span> in Markdown
SPAN = re.compile(rf'<span class="{ONLY_IN_JUPYTER}">.*?</span>')
HINT = re.compile(r"Run this (?:cell|notebook) ")  # for Jupyter; a page has buttons of its own
CITATION = (HERE.parent / "CITATION.cff").read_text(encoding="utf-8")
REPOSITORY = re.findall(r"^repository-code: (\S+)", CITATION, re.MULTILINE)[0]
LATEX = '<span data-latex="%s" data-display="%d"></span>'


class _Renderer(IPythonRenderer):
    """Markdown to HTML, with places for the mathematics, which KaTeX sets later, all at once."""

    def block_math(self, body: str) -> str:
        return LATEX % (html.escape(body, quote=True), True)

    def inline_math(self, body: str) -> str:
        return LATEX % (html.escape(body, quote=True), False)


def markdown(text: str) -> str:
    """Return Markdown as HTML, without what is only for Jupyter.

    Links to other lessons lead to their pages, and those to other files to the repository.
    """
    made = MarkdownWithMath(renderer=_Renderer(escape=False)).render(SPAN.sub("", text))
    made = re.sub(r'href="(\d\d_\w+|teachers)\.(?:ipynb|md)', r'href="\1.html', made)
    return made.replace('href="../', f'href="{REPOSITORY}/blob/HEAD/')


def typeset(texts: Iterable[str], katex: Path) -> list[str]:
    """Set the mathematics in pieces of HTML with KaTeX, in one run of Node."""
    script = HERE / "typeset.mjs"
    done = subprocess.run(
        ["node", str(script), str(katex)],
        input=json.dumps([*texts]),
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise ValueError(f"KaTeX could not set some of the mathematics:\n{done.stderr}")
    return json.loads(done.stdout)


def typeset_comparisons(compared: dict[str, Any], katex: Path) -> dict[str, Any]:
    """Return what predictions are compared with, their texts as HTML.

    Args:
        compared: step → truth, text and tolerance; the text is one, or choice → text.
        katex: its folder.
    """
    places = [
        (step, choice)
        for step, (_, text, _) in compared.items()
        for choice in (text if isinstance(text, dict) else [""])
    ]
    texts = [compared[step][1][choice] if choice else compared[step][1] for step, choice in places]
    made: dict[str, dict[str, str]] = {}
    for (step, choice), text in zip(places, typeset(map(markdown, texts), katex), strict=True):
        single = re.fullmatch(r"\s*<p>((?:(?!<p>).)*)</p>\s*", text, re.DOTALL)
        made.setdefault(step, {})[choice] = single[1] if single else text
    return {step: (truth, made[step], within) for step, (truth, _, within) in compared.items()}


class Cell(NamedTuple):
    """A cell of a page."""

    kind: str  # "text" or "code"
    text: str = ""  # HTML of a text
    code: str = ""  # HTML of the code
    folded: bool = False  # whether the code is folded at first
    output: str = ""  # HTML of what is stored
    hidden: bool = False  # whether the output is
    kind_of_live: str = ""  # what comes alive, "explorer" say; nothing if that is nothing
    live: str = ""  # JSON of all that is to be known of it


class Lesson(NamedTuple):
    """A lesson as a page."""

    stem: str
    title: str
    cells: list[Cell]
    contents: list[tuple[str, str]]  # anchor and text of each heading
    recording: str = ""  # where the page fetches it, nothing if it needs none

    @property
    def picture(self) -> str:
        """Where the picture of its first explorer is."""
        first = next(cell for cell in self.cells if cell.kind_of_live == "explorer")
        return re.findall(r'<img src="(.*?)"', first.output)[0]


class Pictures:
    """The stored pictures, each in a file of its own, which is fetched when it comes into view.

    Args:
        folder: for the files, made here.
        address: of that folder, for a page.
    """

    def __init__(self, folder: Path, address: str):
        self.folder, self.address = folder, address
        folder.mkdir()

    def tag(self, png: str, text: str, width: int) -> str:
        """Store a picture, base64 text, and return its element, with `text` for its words."""
        content = base64.b64decode(png)
        file = self.folder / f"{hashlib.sha256(content).hexdigest()[:16]}.png"
        file.write_bytes(content)
        with Image.open(file) as image:
            height = round(width * image.height / image.width)
        words = html.escape(text, quote=True)
        return (
            f'<img src="{self.address}/{file.name}" alt="{words}" width="{width}" '
            f'height="{height}" loading="lazy">'
        )


def lesson(
    notebook: Path, pictures: Pictures, asked: dict[str, Any], compared: dict[str, Any]
) -> Lesson:
    """Render a lesson.

    Args:
        notebook: with its outputs.
        pictures: where its pictures go.
        asked: step → kind and arguments of the question.
        compared: from `typeset_comparisons`.
    """
    cells = [
        cell
        for cell in nbformat.read(notebook, as_version=4).cells
        if ONLY_IN_JUPYTER not in cell.metadata.get("tags", [])
    ]
    imports = _imports(cells)
    made: list[Cell] = []
    skip = False
    for place, cell in enumerate(cells):
        if skip:  # the check of an exercise, which is one with the cell above
            skip = False
        elif cell.cell_type == "markdown":
            made.append(Cell("text", text=markdown(cell.source)))
        elif cell.cell_type == "code":
            after = cells[place + 1] if place + 1 < len(cells) else None
            live = _live(cell, after, imports, compared, asked)
            skip = live.get("kind") == "exercise" and not CHECK.search(cell.source)
            made.append(_code(cell, after if skip else cell, live, pictures))
            if NEED_TORCH & {*CHECK.findall(cell.source)}:
                made.append(Cell("text", WHERE_THERE_IS_TORCH))
    return text_page(notebook.stem, made)


def text_page(stem: str, cells: list[Cell]) -> Lesson:
    """Make a page of cells, whose title and contents are their headings."""
    headings = [match for cell in cells for match in HEADING.findall(cell.text)]
    [title] = [words for level, _, words in headings if level == "1"]
    contents = [(anchor, words) for level, anchor, words in headings if level == "2"]
    return Lesson(stem, html.unescape(title), cells, contents)


def _code(cell: Any, output_of: Any, live: dict, pictures: Pictures) -> Cell:
    jupyter = cell.metadata.get("jupyter", {})
    shown = [
        output for output in output_of.outputs
        if not (live and HINT.match(output.get("data", {}).get("text/plain", "")))
    ]  # fmt: skip
    sources = [cell.source] if output_of is cell else [cell.source, output_of.source]
    output = "".join(_output(output, pictures) for output in shown)
    if live.get("kind") == "comparison":  # beside a button that does compare
        output = output.replace(COMPARE, "Read it without a prediction")
    return Cell(
        "code",
        code=highlight("\n\n".join(sources), PythonLexer(), CODE),
        folded=jupyter.get("source_hidden", False) or live.get("kind") in FOLDED,
        output=output,
        hidden=jupyter.get("outputs_hidden", False),
        kind_of_live=live.get("kind", ""),
        live=json.dumps(live) if live else "",
    )


def _output(output: Any, pictures: Pictures) -> str:
    if output.output_type == "stream":
        return f"<pre>{html.escape(output.text)}</pre>"
    data, words = output.data, output.data.get("text/plain", "")
    if "image/png" in data:
        width = output.metadata.get("image/png", {}).get("width", 840)
        return pictures.tag(data["image/png"], words, width)
    if "text/markdown" in data:
        return f'<div class="markdown">{markdown(data["text/markdown"])}</div>'
    return f"<pre>{html.escape(words)}</pre>"


def _parsed(code: str) -> ast.Module:
    """Parse the code of a cell, its magics too."""
    return ast.parse(TransformerManager().transform_cell(code))


def _imports(cells: list) -> dict[str, str]:
    """Return name → the import statement of a lesson that brings it."""
    found = {}
    for cell in cells:
        if cell.cell_type != "code":
            continue
        for node in ast.walk(_parsed(cell.source)):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    name = (alias.asname or alias.name).split(".")[0]
                    found[name] = f"import {alias.name}" + (f" as {name}" if alias.asname else "")
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    name = alias.asname or alias.name
                    found[name] = f"from {node.module} import {alias.name} as {name}"
    return found


def _live(cell: Any, after: Any, imports: dict, compared: dict, asked: dict) -> dict:
    """Say what in a cell can come alive, and with what; nothing if that is nothing."""
    source = cell.source
    if match := EXPLORER.search(source):
        return {"kind": "explorer", "module": MODULES[match[1]], "function": match[1]}
    if (match := PREDICTION.search(source)) and match[2] in asked:
        method, arguments = asked[match[2]]
        return {
            "kind": "prediction",
            "step": int(match[2]),
            "method": method,
            "arguments": arguments,
        }
    if (match := COMPARISON.search(source)) and match[1] in compared:
        truth, texts, within = compared[match[1]]
        return {"kind": "comparison", "step": int(match[1]), "truth": truth, "texts": texts,
                "within": within}  # fmt: skip
    if "predict.score()" in source:
        return {"kind": "score"}
    return _exercise(cell, after, imports)


def _exercise(cell: Any, after: Any, imports: dict) -> dict:
    code, check = cell.source, ""
    if not CHECK.search(code):
        if after is None or after.cell_type != "code" or not CHECK.match(after.source):
            return {}
        check = after.source
    if NEED_TORCH & {*CHECK.findall(f"{code}\n{check}")}:
        return {}
    return {
        "kind": "exercise",
        "number": hashlib.sha256(code.encode()).hexdigest()[:8],
        "code": code,
        "check": check,
        "imports": json.dumps(imports),
    }


def render(template: str, **values: Any) -> str:
    """Fill in a template of this folder."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["safe_html"] = Markup
    return environment.get_template(template).render(**values)
