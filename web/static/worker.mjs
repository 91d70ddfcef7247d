// The Python of a page, in a thread of its own. It gets {id, call, place, args} and {id, comm_id,
// data}, and answers with what bridge.py sends and, at the end of each, {done: id}.
import { loadPyodide } from './pyodide/pyodide.mjs';

self.post = (json, buffers) => self.postMessage({ json, buffers });
const starting = (async () => {
  const [python, source] = await Promise.all([
    loadPyodide({ packages: ['bnlib', 'ipywidgets', 'comm'] }),
    fetch('./bridge.py').then(answer => answer.text()),
  ]);
  python.FS.writeFile('/home/pyodide/bridge.py', source);
  return python.pyimport('bridge');
})();
let queue = starting;

async function handle(message) {
  const bridge = await starting;
  if (message.comm_id) bridge.comm_msg(message.comm_id, JSON.stringify(message.data));
  else bridge.at(message.place, message.call, ...message.args);
}

self.onmessage = ({ data: message }) => {
  queue = queue.then(() => handle(message)).catch(error => {
    const text = String(error).trim().split('\n').pop();
    self.postMessage({ json: JSON.stringify({ type: 'error', place: message.place, text }) });
  }).then(() => self.postMessage({ done: message.id }));
};
