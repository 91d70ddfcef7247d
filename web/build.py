"""Build the lessons as web pages into site/: `python3 run.py web`.

The first build fetches some 20 MB (where Pyodide's CDN cannot be reached, 130 MB) and runs every
lesson once; a later one does what has changed.
"""

import functools
import http.server
import shutil
import sys
from pathlib import Path

from bnlib.experiments.mnist import cache_folder
from tests.tools.minutes import stated
from web import distribution, pages
from web.downloads import NPM, PYPI, DownloadError, npm_folder
from web.recordings import packed, record

ROOT = Path(__file__).resolve().parents[1]
SITE, CACHE = ROOT / "site", cache_folder().parent / "web"
POLICY = (
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' blob: data:; font-src 'self' data:; worker-src 'self'"
)
REPOSITORY = "OWNER/REPOSITORY"
BINDER = f"https://mybinder.org/v2/gh/{REPOSITORY}/HEAD?urlpath=lab/tree/notebooks/"
COLAB = f"https://colab.research.google.com/github/{REPOSITORY}/blob/HEAD/notebooks/"


def build() -> None:
    """Build site/ anew."""
    _, manager, require, katex, marked = (npm_folder(package, CACHE) for package in NPM)
    SITE.mkdir(exist_ok=True)
    wheels = distribution.build(ROOT, SITE / "pyodide", CACHE)
    for file in (pages.HERE / "static").iterdir():
        shutil.copy(file, SITE)
    shutil.copy(manager / "dist" / "libembed-amd.js", SITE)
    shutil.copy(require / "require.js", SITE)
    shutil.copy(marked / "lib" / "marked.esm.js", SITE)
    shutil.copytree(katex / "dist" / "fonts", SITE / "katex" / "fonts", dirs_exist_ok=True)
    shutil.copy(katex / "dist" / "katex.min.css", SITE / "katex")
    build_lessons(katex)
    listed = [*NPM[1:], *PYPI, *wheels]
    _write("licences.html", "licences.html", packages=listed, pyodide=NPM[0])


def build_lessons(katex: Path) -> None:
    """Build the pages of the lessons, and the one that lists them."""
    pictures, lessons, minutes = pages.Pictures(SITE / "pictures"), [], []
    (SITE / "recordings").mkdir(exist_ok=True)
    for notebook in sorted((ROOT / "notebooks").glob("*.ipynb")):
        recording = record(notebook, CACHE / "recordings")
        compared = pages.typeset_comparisons(recording.compared, katex)
        lesson = pages.lesson(notebook, pictures, recording.asked, compared)
        if recording.explorers:
            file = SITE / "recordings" / f"{notebook.stem}.bin"
            file.write_bytes(packed(recording.explorers))
            lesson = lesson._replace(recording=f"recordings/{file.name}")
        lessons.append(lesson)
        minutes.append(stated(pages.nbformat.read(notebook, as_version=4)))
        shutil.copy(notebook, SITE)
    rendered = [
        pages.render(
            "lesson.html", lesson=lesson, before=before, after=after, policy=POLICY, binder=BINDER,
            colab=COLAB,
        )
        for before, lesson, after in zip(
            [None, *lessons], lessons, [*lessons[1:], None], strict=False
        )
    ]  # fmt: skip
    for lesson, page in zip(lessons, pages.typeset(rendered, katex), strict=True):
        (SITE / f"{lesson.stem}.html").write_text(page, encoding="utf-8")
    _write("index.html", "index.html", lessons=[*zip(lessons, minutes, strict=True)])


def _write(name: str, template: str, **values) -> None:
    page = pages.render(template, policy=POLICY, **values)
    (SITE / name).write_text(page, encoding="utf-8")


def serve(port: int) -> None:
    """Serve site/, as any server of files would."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(SITE))
    with http.server.ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        print(f"http://127.0.0.1:{port}", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    try:
        build()
    except DownloadError as error:
        sys.exit(str(error))
    if sys.argv[1:2] == ["--serve"]:
        serve(int(sys.argv[2]) if sys.argv[2:] else 8080)
