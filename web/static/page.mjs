// What a page does beyond being read: explorers, predictions and exercises come alive on a click,
// with Python in a worker; all code folds with one switch; what was answered stays in this browser.
import { marked } from './marked.esm.js';

const lesson = document.documentElement.dataset.lesson;
const places = [...document.querySelectorAll('[data-live]')];
const stored = key => JSON.parse(localStorage.getItem(`${lesson}/${key}`) ?? 'null');
const store = (key, value) => localStorage.setItem(`${lesson}/${key}`, JSON.stringify(value));

// The widgets of the page, and the worker behind them.

const [, , htmlManager] = await new Promise(done => require(
  ['@jupyter-widgets/base', '@jupyter-widgets/controls', '@jupyter-widgets/html-manager'],
  (...modules) => done(modules)));
const manager = new htmlManager.HTMLManager();
const comms = new Map(), pictures = new Map(), waiting = new Map();
let worker, count = 0, shown = Promise.resolve();

class Comm {
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

function answer({ data }) {
  if (data.done) {  // a widget sends its next change when the last one is done
    const callbacks = waiting.get(data.done);
    waiting.delete(data.done);
    shown = shown.then(() => {
      callbacks?.iopub?.status?.({ content: { execution_state: 'idle' } });
      callbacks?.finished?.();
    });
  } else if (data.error) {
    shown = shown.then(() => say(data.place, data.error));
  } else {
    const message = JSON.parse(data.json);
    shown = shown.then(() => handle(message, data.buffers)).catch(error => console.error(error));
  }
}

async function handle(message, buffers) {
  if (message.type === 'comm_open') {
    const content = { comm_id: message.comm_id, data: message.data };
    const comm = new Comm(message.comm_id, message.target_name);
    await manager.handle_comm_open(comm, { content, metadata: message.metadata, buffers });
  } else if (message.type === 'comm_msg') {
    const content = { comm_id: message.comm_id, data: message.data };
    comms.get(message.comm_id)?.message?.({ content, buffers });
  } else if (message.type === 'display') {
    await display(message, buffers);
  } else if (message.type === 'committed') {
    store('committed', message.answers);
    for (const place of places) enable(place, message.answers);
  } else if (message.type === 'text') {
    output(places[message.place]).textContent = message.text;
  } else if (message.type === 'error') {
    say(message.place, message.text);
  }
}

async function display(message, buffers) {
  const place = output(places[message.place] ?? places[0]);
  const view = message.data['application/vnd.jupyter.widget-view+json'];
  if (view) {
    const model = await manager.get_model(view.model_id);
    await manager.display_view(await manager.create_view(model), place);
  } else if (message.data['text/markdown']) {
    const block = document.createElement('div');
    block.className = 'markdown';
    // What is set in mathematics, Markdown must not touch: it comes with the page, by a key.
    const texts = JSON.parse(place.parentElement.dataset.live).texts ?? {};
    block.innerHTML = marked.parse(message.data['text/markdown'])
      .replace(/⟦(\w*)⟧/g, (_, key) => texts[key]);
    place.append(block);
  } else if (buffers.length) {
    await picture(place, message, buffers);
  }
}

async function picture(place, message, buffers) {
  let image = message.display_id && pictures.get(message.display_id);
  if (!image) {
    image = document.createElement('img');
    if (message.display_id) pictures.set(message.display_id, image);
    place.append(image);
  }
  const before = image.src;
  image.src = URL.createObjectURL(new Blob(buffers, { type: 'image/png' }));
  if (before) URL.revokeObjectURL(before);
  image.alt = message.data['text/plain'];
  image.width = message.metadata['image/png'].width;
  await image.decode();
}

// Each place: what is stored in the page, until somebody starts it; then its live output.

function output(place) {
  return place.querySelector(':scope > .output');
}

function say(index, text) {
  const place = places[index];
  if (!place) return console.error(text);
  const line = document.createElement('p');
  line.className = 'trouble';
  line.setAttribute('role', 'alert');
  line.textContent = text;
  place.append(line);
}

function start() {  // one Python for the page, when something is wanted of it
  if (worker) return;
  document.body.classList.add('starting');
  for (const button of document.querySelectorAll('.start')) {
    button.disabled = true;
    button.textContent = 'Python is loading …';
  }
  worker = new Worker('./worker.mjs', { type: 'module' });
  worker.onmessage = answer;
  worker.onerror = event => say(0, `Python could not be started: ${event.message}`);
  const recording = document.documentElement.dataset.recording;
  const recorded = recording ? fetch(recording).then(r => r.arrayBuffer()) : Promise.resolve();
  recorded.then(bytes => {
    if (bytes) post({ call: 'play', args: [new Uint8Array(bytes)] });
    places.forEach((place, index) => enliven(place, index));
  });
}

function enliven(place, index) {
  const live = JSON.parse(place.dataset.live);
  if (live.kind === 'explorer') fill(place, index, 'show', [live.module, live.function]);
  else if (live.kind === 'prediction') {
    const earlier = stored('committed')?.[live.step];
    fill(place, index, 'ask', [live.method, live.step, JSON.stringify(live.arguments),
      earlier === undefined ? undefined : JSON.stringify(earlier)]);
  }
}

function fill(place, index, call, args) {
  const old = output(place), fresh = document.createElement('div');
  fresh.className = 'output';
  let replaced = false;
  const observer = new MutationObserver(() => {
    if (replaced || !fresh.childElementCount) return;
    replaced = true;
    old.remove();
    fresh.hidden = false;
    place.dataset.state = 'live';
    place.querySelector('.start')?.remove();
  });
  observer.observe(fresh, { childList: true });
  old.className = 'stored';
  fresh.hidden = true;
  place.append(fresh);
  post({ call, place: index, args }, { finished: () => observer.disconnect() });
}

// Comparisons and exercises, which have buttons of their own.

function enable(place, answers) {
  const live = JSON.parse(place.dataset.live);
  if (live.kind !== 'comparison') return;
  const button = place.querySelector('.compare');
  if (button) button.disabled = !(live.step in answers);
}

function button(label, className, action) {
  const made = document.createElement('button');
  made.type = 'button';
  made.textContent = label;
  made.className = className;
  made.addEventListener('click', action);
  return made;
}

function addControls(place, index) {
  const live = JSON.parse(place.dataset.live);
  if (live.kind === 'comparison') {
    const compare = button('Compare with my prediction', 'compare', () => {
      const keys = Object.keys(live.texts).map(key => [key, `⟦${key}⟧`]);
      const text = keys.length === 1 ? keys[0][1] : Object.fromEntries(keys);
      fill(place, index, 'compare',
        [live.step, JSON.stringify(live.truth), JSON.stringify(text), live.within]);
      compare.remove();
    });
    compare.disabled = true;
    place.prepend(compare);
  } else if (live.kind === 'score') {
    place.prepend(button('Count my predictions', 'score', () => {
      start();
      output(place).replaceChildren();
      post({ call: 'score', place: index, args: [] });
    }));
  } else if (live.kind === 'exercise') {
    addEditor(place, index, live);
  } else {
    place.prepend(button(
      live.kind === 'explorer' ? 'Start the controls' : 'Predict', 'start', start));
  }
}

function addEditor(place, index, live) {
  const editor = document.createElement('textarea');
  editor.spellcheck = false;
  editor.setAttribute('aria-label', 'Your code');
  editor.value = stored(`exercise-${live.number}`) ?? live.code;
  const grow = () => { editor.rows = editor.value.split('\n').length + 1; };
  editor.addEventListener('input', () => {
    grow();
    store(`exercise-${live.number}`, editor.value);
  });
  editor.addEventListener('keydown', event => indent(event, editor));
  grow();
  const check = button('Check', 'check', () => {
    start();
    output(place).textContent = 'Checking …';
    post({ call: 'run', place: index, args: [`${editor.value}\n${live.check}`, live.imports] });
  });
  const reset = button('Start over', 'again', () => {
    editor.value = live.code;
    editor.dispatchEvent(new Event('input'));
  });
  place.prepend(editor, check, reset);
}

function indent(event, editor) {  // Escape, and then Tab, leaves the editor
  const { selectionStart: from, value } = editor;
  if (event.key === 'Escape') editor.blur();
  else if (event.key === 'Tab' && !event.shiftKey) {
    event.preventDefault();
    editor.setRangeText('    ', from, editor.selectionEnd, 'end');
  } else if (event.key === 'Enter') {
    const line = value.slice(value.lastIndexOf('\n', from - 1) + 1, from);
    const deeper = line.trimEnd().endsWith(':') ? '    ' : '';
    event.preventDefault();
    editor.setRangeText(`\n${line.match(/^ */)[0]}${deeper}`, from, editor.selectionEnd, 'end');
  } else return;
  editor.dispatchEvent(new Event('input'));
}

places.forEach(addControls);
const code = document.querySelector('#code-switch');
code.hidden = false;
code.addEventListener('click', () => {
  const open = code.getAttribute('aria-pressed') !== 'true';
  code.setAttribute('aria-pressed', open);
  document.querySelectorAll('details.code').forEach(block => { block.open = open; });
});
document.documentElement.dataset.ready = 'yes';
