// Stores the memory of a Python that has imported what pages import of the standard library. A page
// that begins with it starts in two thirds of the time:  node memory.mjs PARTS TO
// Pyodide calls this experimental: its version is fixed, and the tests start every page so.
import fs from 'node:fs';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';

const [parts, to] = process.argv.slice(2);
const { inflated, unpack } = await import(pathToFileURL(`${parts}/start.mjs`));
const { loadPyodide } = await import(pathToFileURL(`${parts}/pyodide/pyodide.mjs`));

const whole = await loadPyodide();
unpack(whole.FS, await inflated(new Response(fs.readFileSync(`${parts}/pyodide/packages.bin`))));
globalThis.post = () => {};  // to no page
const names = whole.runPython(`
import importlib, json, pkgutil, sys
import bridge, bnlib.explorers
for module in pkgutil.iter_modules(bnlib.explorers.__path__, "bnlib.explorers."):
    importlib.import_module(module.name)
json.dumps([name for name in sys.modules if name.split(".")[0] in sys.stdlib_module_names])
`);

const python = await loadPyodide({ _makeSnapshot: true });
const room = python._module.HEAP8.length;
python.runPython(`
import gc, importlib
for name in ${names}:
    importlib.import_module(name)
del importlib, name
gc.collect()
`);
// Pyodide can put a memory back into one of the size that it begins with, and no larger.
if (python._module.HEAP8.length !== room) throw new Error('expected less than the initial memory');
fs.writeFileSync(to, gzipSync(python.makeMemorySnapshot(), { level: 9 }));
