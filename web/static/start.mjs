// Starts the Python of the pages: in the worker of a page, and in Node where it is built and tested.
import { loadPyodide } from './pyodide/pyodide.mjs';

/**
 * Start Python with the memory that memory.mjs has stored; bridge.py has been imported then.
 * `read(name)` gives a Response with a file of pyodide/.
 */
export async function start(read) {
  const packages = inflated(read('packages.bin'));
  const python = await loadPyodide({ _loadSnapshot: inflated(read('memory.bin')) });
  unpack(python.FS, await packages);
  python.pyimport('bridge');
  return python;
}

/** Unzip a file that is on its way. */
export async function inflated(coming) {
  const answer = await coming;
  if (!answer.ok) throw new Error(`the server says ${answer.status}`);
  const stream = answer.body.pipeThrough(new DecompressionStream('gzip'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Write what distribution.py has packed into the working directory, from which Python imports. */
export function unpack(files, packed) {
  let at = packed.indexOf(10) + 1;  // behind the line with names and sizes
  const made = new Set();
  for (const [path, size] of JSON.parse(new TextDecoder().decode(packed.subarray(0, at)))) {
    const folder = path.slice(0, path.lastIndexOf('/') + 1);
    if (folder && !made.has(folder)) files.mkdirTree(folder);
    made.add(folder);
    files.writeFile(path, packed.subarray(at, at += size), { canOwn: true });
  }
}
