// The Python of a page, in a worker, and its widgets: what they say to each other passes here.

const [, , { HTMLManager }] = await new Promise(done => require(
  ['@jupyter-widgets/base', '@jupyter-widgets/controls', '@jupyter-widgets/html-manager'],
  (...modules) => done(modules)));
const manager = new HTMLManager();
const comms = new Map(), waiting = new Map();
let worker, listener, count = 0, handled = Promise.resolve();

class Comm {  // what ipywidgets wants of one
  constructor(id, target) {
    this.comm_id = id;
    this.target_name = target;
    comms.set(id, this);
  }
  on_msg(callback) { this.message = callback; }
  on_close(callback) { this.closed = callback; }
  send(data, callbacks) {
    return post({ comm_id: this.comm_id, data: JSON.parse(JSON.stringify(data)) }, callbacks);
  }
  close() {
    comms.delete(this.comm_id);
    return '';
  }
}

function post(message, callbacks) {
  const id = `m${++count}`;
  waiting.set(id, callbacks);
  worker.postMessage({ ...message, id });
  return id;
}

/** Start Python; `listen(message, buffers)` gets what is not for a widget, in order. */
export function start(listen) {
  listener = listen;
  worker = new Worker('./worker.mjs', { type: 'module' });
  worker.onmessage = ({ data }) => {  // one after the other, as Python has sent them
    handled = handled.then(() => take(data)).catch(error => console.error(error));
  };
  worker.onerror = event => listener(
    { type: 'error', place: 0, text: `Python could not be started: ${event.message}` }, []);
}

/** Call a function of bridge.py; what it displays is for the element number `place`. */
export function call(name, place, args, finished) {
  post({ call: name, place, args }, { finished });
}

async function take(data) {
  if (data.done) {  // a widget sends its next change when the last one is done
    const callbacks = waiting.get(data.done);
    waiting.delete(data.done);
    callbacks?.iopub?.status?.({ content: { execution_state: 'idle' } });
    callbacks?.finished?.();
  } else {
    await handle(JSON.parse(data.json), data.buffers ?? []);
  }
}

async function handle(message, buffers) {
  const content = { comm_id: message.comm_id, data: message.data };
  if (message.type === 'comm_open') {
    const comm = new Comm(message.comm_id, message.target_name);
    await manager.handle_comm_open(comm, { content, metadata: message.metadata, buffers });
  } else if (message.type === 'comm_msg') {
    comms.get(message.comm_id)?.message?.({ content, buffers });
  } else {
    await listener(message, buffers);
  }
}

/** Put the view of a widget into `element`. */
export async function view(modelId, element) {
  const model = await manager.get_model(modelId);
  await manager.display_view(await manager.create_view(model), element);
}
