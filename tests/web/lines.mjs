// What explorers say in the Python of the pages, as their controls are moved; JSON, by name:
//   node lines.mjs PARTS RECORDING MODULE.FUNCTION …   (RECORDING may be "")
import fs from 'node:fs';
import { pathToFileURL } from 'node:url';

const [parts, recording, ...explorers] = process.argv.slice(2);
const { start } = await import(pathToFileURL(`${parts}/start.mjs`));
globalThis.post = () => {};  // to no page
const python = await start(name => new Response(fs.readFileSync(`${parts}/pyodide/${name}`)));
if (recording) python.pyimport('bridge').play(new Uint8Array(fs.readFileSync(recording)));
python.FS.writeFile('moves.py', fs.readFileSync(new URL('../tools/moves.py', import.meta.url)));
python.globals.set('explorers', python.toPy(explorers));
console.log(python.runPython(`
import importlib, json
from moves import lines
made = [name.rsplit(".", 1) for name in explorers]
json.dumps({f: lines(getattr(importlib.import_module(m), f)()) for m, f in made})
`));
