// What explorers say in the Python of the pages, as their controls are moved; JSON, by name:
//   node lines.mjs SITE RECORDING MODULE.FUNCTION …   (RECORDING may be "")
import fs from 'node:fs';
import { pathToFileURL } from 'node:url';

const [site, recording, ...explorers] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(`${site}/pyodide/pyodide.mjs`));
const python = await loadPyodide({ packages: ['bnlib', 'ipywidgets', 'comm'] });
globalThis.post = () => {};  // to no page
for (const file of [`${site}/bridge.py`, new URL('../tools/moves.py', import.meta.url)]) {
  python.FS.writeFile(`/home/pyodide/${String(file).split('/').pop()}`, fs.readFileSync(file));
}
const bridge = python.pyimport('bridge');
if (recording) bridge.play(new Uint8Array(fs.readFileSync(recording)));
python.globals.set('explorers', python.toPy(explorers));
console.log(python.runPython(`
import importlib, json
from moves import lines
made = [name.rsplit(".", 1) for name in explorers]
json.dumps({f: lines(getattr(importlib.import_module(m), f)()) for m, f in made})
`));
