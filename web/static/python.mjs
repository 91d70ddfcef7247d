// The Python of a page, in a worker, and its widgets: what they say to each other passes here.

const HERE = new URL('.', import.meta.url).href;
const manager = widgets();
manager.catch(() => {});  // said where it is wanted
const comms = new Map(), waiting = new Map();
let worker, listener, failed, count = 0, handled = Promise.resolve();

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

function script(name) {
  return new Promise((resolve, reject) => document.head.append(
    Object.assign(document.createElement('script'), {
      src: new URL(name, HERE), onload: resolve,
      onerror: () => reject(new Error(`${name} could not be fetched`)) })));
}

async function widgets() {
  await script('require.js');
  require.config({ baseUrl: HERE });  // the widgets look for their font there
  await script('widgets.js');
  const { HTMLManager } = await new Promise((resolve, reject) => require(
    ['@jupyter-widgets/base', '@jupyter-widgets/controls', '@jupyter-widgets/html-manager'],
    (base, controls, html) => resolve(html), reject));
  return new HTMLManager();
}

/**
 * Start Python; `listen(message, buffers)` gets what is not for a widget, in order, and
 * `fail(text)` why it could not be started.
 */
export function start(listen, fail) {
  listener = listen;
  failed = text => {
    failed = () => {};  // once is enough
    fail(text);
  };
  // From a blob it has the policy of this page; from a file it would have none.
  const source = `import ${JSON.stringify(`${HERE}worker.mjs`)};`;
  const blob = new Blob([source], { type: 'text/javascript' });
  worker = new Worker(URL.createObjectURL(blob), { type: 'module' });
  worker.onmessage = ({ data }) => {  // one after the other, as Python has sent them
    handled = handled.then(() => take(data)).catch(error => console.error(error));
  };
  worker.onerror = () => failed('Python could not be fetched.');
  manager.catch(error => failed(`${error.message}.`));
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
  } else if (data.failed) {
    failed(`Python could not be started: ${data.failed}.`);
  } else {
    await handle(JSON.parse(data.json), data.buffers ?? [], data.parent);
  }
}

async function handle(message, buffers, parent) {
  const content = { comm_id: message.comm_id, data: message.data };
  if (message.type === 'comm_open') {
    const comm = new Comm(message.comm_id, message.target_name);
    await (await manager).handle_comm_open(comm, { content, metadata: message.metadata, buffers });
  } else if (message.type === 'comm_msg') {
    // By its parent a widget tells an echo of what it said before it moved on.
    comms.get(message.comm_id)?.message?.({ content, buffers, parent_header: { msg_id: parent } });
  } else {
    await listener(message, buffers);
  }
}

/** Put the view of a widget into `element`. */
export async function view(modelId, element) {
  const its = await manager;
  await its.display_view(await its.create_view(await its.get_model(modelId)), element);
}
