// The Python of a page, in a thread of its own. It gets {id, call, place, args} and {id, comm_id,
// data}, and answers with what bridge.py sends and, at the end of each, {done: id}; or once with {failed}.
import { start } from './start.mjs';

let current;  // the id of the message that is being answered
const send = message => self.postMessage({ json: JSON.stringify(message) });
self.post = (json, buffers) => self.postMessage({ json, buffers, parent: current });
const starting = start(name => fetch(new URL(`./pyodide/${name}`, import.meta.url)));
starting.then(() => send({ type: 'fetched', entries: performance.getEntriesByType('resource') }));
const lastLine = error => String(error).trim().split('\n').pop();
// Also of what Pyodide fetches and does not wait for.
self.onunhandledrejection = ({ reason }) => self.postMessage({ failed: lastLine(reason) });
let queue = starting;

function handle(bridge, message) {
  if (message.comm_id) bridge.comm_msg(message.comm_id, JSON.stringify(message.data));
  else bridge.at(message.place, message.call, ...message.args);
}

self.onmessage = ({ data: message }) => {
  queue = queue.then(async () => {
    const bridge = (await starting).pyimport('bridge');
    current = message.id;
    try {
      handle(bridge, message);
    } catch (error) {
      send({ type: 'error', place: message.place, text: lastLine(error) });
    }
    current = undefined;
    self.postMessage({ done: message.id });
  });
};
