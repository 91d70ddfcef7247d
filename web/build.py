"""Build the lessons as web pages into site/: `python3 run.py web`.

The first build fetches some 20 MB (where Pyodide's CDN cannot be reached, 130 MB) and runs every
lesson once, which takes minutes; a later one does what has changed.
"""

import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import nbformat

from bnlib.experiments.mnist import cache_folder
from tests.tools.minutes import stated
from web import distribution, pages, widgets
from web.downloads import NPM, PYPI, DownloadError, npm_folder
from web.recordings import packed, record

ROOT = Path(__file__).resolve().parents[1]
SITE, CACHE = ROOT / "site", cache_folder().parent / "web"
# All that a page fetches lies in a folder that is named after the build: so a page and its scripts
# are of one build, whatever a browser still holds of an older one.
PARTS = SITE / "BUILD"
# Widgets bring styles of their own; all else comes from files beside the page.
POLICY = (
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' blob: data:; font-src 'self' data:; worker-src 'self' blob:; "
    "object-src 'none'; base-uri 'none'; form-action 'none'"
)
NAME = urlsplit(pages.REPOSITORY).path.strip("/")
ELSEWHERE = {
    "Binder": f"https://mybinder.org/v2/gh/{NAME}/HEAD?urlpath=lab/tree/notebooks/",
    "Colab": f"https://colab.research.google.com/github/{NAME}/blob/HEAD/notebooks/",
}


def build() -> None:
    """Build site/ anew."""
    shutil.rmtree(SITE, ignore_errors=True)
    pyodide, manager, require, katex, marked = (npm_folder(package, CACHE) for package in NPM)
    shutil.copytree(pages.HERE / "static", PARTS)
    (PARTS / "kept.js").rename(SITE / "kept.js")  # it serves what lies beside and below it
    (PARTS / "widgets.js").write_text(widgets.script(manager), encoding="utf-8")
    (PARTS / "@jupyter-widgets").mkdir()  # where the script looks for the font of its icons
    for font in (manager / "dist").glob("*.woff2"):
        shutil.copy(font, PARTS / "@jupyter-widgets")
    shutil.copy(require / "require.js", PARTS)
    shutil.copy(marked / "lib" / "marked.esm.js", PARTS)
    shutil.copytree(katex / "dist" / "fonts", PARTS / "katex" / "fonts")
    shutil.copy(katex / "dist" / "katex.min.css", PARTS / "katex")
    packages = distribution.build(ROOT, PARTS, CACHE)
    build_lessons(katex)
    _write("licences.html", "licences.html", packages=[*NPM, *PYPI, *packages])
    _name_the_build()


def build_lessons(katex: Path) -> None:
    """Build the pages of the lessons, the one for teachers, and the one that lists them."""
    pictures = pages.Pictures(PARTS / "pictures", f"{PARTS.name}/pictures")
    (PARTS / "recordings").mkdir()
    notebooks = sorted((ROOT / "notebooks").glob("*.ipynb"))
    lessons = [_lesson(notebook, pictures, katex) for notebook in notebooks]
    text = pages.markdown((ROOT / "notebooks" / "teachers.md").read_text(encoding="utf-8"))
    teachers = pages.text_page("teachers", [pages.Cell("text", text)])
    around = zip([None, *lessons], lessons, [*lessons[1:], None], strict=False)
    rendered = [_rendered(*three, ELSEWHERE) for three in around]
    rendered.append(_rendered(None, teachers, None, {}))
    for lesson, page in zip([*lessons, teachers], pages.typeset(rendered, katex), strict=True):
        (SITE / f"{lesson.stem}.html").write_text(page, encoding="utf-8")
    minutes = [stated(nbformat.read(notebook, as_version=4)) for notebook in notebooks]
    listed = [*zip(lessons, minutes, strict=True)]
    _write("index.html", "index.html", lessons=listed, repository=pages.REPOSITORY)


def _lesson(notebook: Path, pictures: pages.Pictures, katex: Path) -> pages.Lesson:
    shutil.copy(notebook, SITE)
    recording = record(notebook, CACHE / "recordings")
    compared = pages.typeset_comparisons(recording.compared, katex)
    lesson = pages.lesson(notebook, pictures, recording.asked, compared)
    if not recording.explorers:
        return lesson
    file = PARTS / "recordings" / f"{notebook.stem}.bin"
    file.write_bytes(packed(recording.explorers))
    return lesson._replace(recording=file.relative_to(SITE).as_posix())


def _rendered(before: Any, lesson: pages.Lesson, after: Any, elsewhere: dict[str, str]) -> str:
    return pages.render(
        "lesson.html", lesson=lesson, before=before, after=after, policy=POLICY, elsewhere=elsewhere
    )


def _write(name: str, template: str, **values) -> None:
    (SITE / name).write_text(pages.render(template, policy=POLICY, **values), encoding="utf-8")


def _name_the_build() -> None:
    """Give the folder with the parts its name, which stands for all that is in the site."""
    content = sha256()
    for file in sorted(file for file in SITE.rglob("*") if file.is_file()):
        content.update(file.read_bytes())
    name = content.hexdigest()[:16]
    PARTS.rename(SITE / name)
    for file in [SITE / "kept.js", *SITE.glob("*.html")]:
        text = file.read_text(encoding="utf-8").replace(PARTS.name, name)
        file.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    try:
        build()
    except DownloadError as error:
        sys.exit(str(error))
    print(f"The pages are in {SITE}.")
    if "--serve" in sys.argv:
        options = ["8000", "--bind=127.0.0.1", f"--directory={SITE}"]
        sys.exit(subprocess.call([sys.executable, "-m", "http.server", *options]))
