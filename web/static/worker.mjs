// The Python of a page, in a thread of its own. Messages: {call, place, args} and {comm_id, data}.
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
  else if (message.call === 'play') bridge.play(message.args[0]);
  else bridge.at(message.place, message.call, ...message.args);
}
self.onmessage = ({ data: message }) => {
  queue = queue.then(() => handle(message)).catch(error => {
    self.postMessage({ error: String(error), place: message.place });
  }).then(() => self.postMessage({ done: message.id }));
};
