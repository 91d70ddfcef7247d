// Compiles the Python files of wheels with the Python of the page, which then starts in half the
// time:  node compile.mjs PYODIDE FROM TO …  (pairs of files)
import fs from 'node:fs';
import { pathToFileURL } from 'node:url';

const [pyodide, ...files] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(`${pyodide}/pyodide.mjs`));
const python = await loadPyodide();
python.runPython(`
import importlib.util, io, marshal, zipfile

LEFT_OUT = (
    "/tests/", "/sample_data/", ".data/", ".dist-info/RECORD", ".pyi", "mpl_toolkits/",
    "matplotlib/backends/web_backend/", "matplotlib/mpl-data/fonts/afm/",
    "matplotlib/mpl-data/fonts/pdfcorefonts/",
    "matplotlib/mpl-data/fonts/ttf/DejaVuSansMono-", "matplotlib/mpl-data/fonts/ttf/DejaVuSerif",
    "matplotlib/mpl-data/images/", "matplotlib/sphinxext/", "matplotlib/testing/",
    "dateutil/zoneinfo/", "numpy/_core/include/", "numpy/f2py/", "numpy/testing/",
    "PIL/_avif", "PIL/_imagingft", "PIL/_webp",
)

def compiled(wheel):
    source, made = zipfile.ZipFile(io.BytesIO(wheel)), io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as target:
        for name in source.namelist():
            if any(part in name for part in LEFT_OUT):
                continue
            content = source.read(name)
            if name.endswith(".py"):
                # Without docstrings and assertions, which nobody in a page reads or fails.
                code = compile(content, name, "exec", dont_inherit=True, optimize=2)
                # Flag 1: the hash of the source is in it, and nobody checks it, as there is none.
                head = importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little")
                content = head + importlib.util.source_hash(content) + marshal.dumps(code)
                name += "c"
            target.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return made.getvalue()
`);
const compiled = python.globals.get('compiled');
for (let i = 0; i < files.length; i += 2) {
  const made = compiled(python.toPy(new Uint8Array(fs.readFileSync(files[i]))));
  fs.writeFileSync(files[i + 1], Buffer.from(made.toJs()));
  made.destroy();
}
