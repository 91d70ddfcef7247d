// What a page does beyond being read: explorers, predictions and exercises come alive on a click,
// with Python in a worker; all code opens with one switch; what was answered stays in this browser.
import { marked } from './marked.esm.js';
import { editor, write } from './editor.mjs';

const { lesson, recording } = document.documentElement.dataset;
const places = [...document.querySelectorAll('[data-live]')]
  .map(element => ({ element, live: JSON.parse(element.dataset.live) }));
const pictures = new Map();
let python, started;

// Where a browser keeps nothing, a page works and forgets.
const storage = (() => { try { return localStorage; } catch { return null; } })();
const stored = key => JSON.parse(storage?.getItem(`bnlib/${lesson}/${key}`) ?? 'null');
const store = (key, value) => {
  try { storage?.setItem(`bnlib/${lesson}/${key}`, JSON.stringify(value)); } catch { /* full */ }
};
const outputOf = place => place.element.querySelector(':scope > .output');

function make(name, className, properties = {}) {
  return Object.assign(document.createElement(name), { className, ...properties });
}

function button(text, className, click) {
  const made = make('button', `page-button ${className}`, { type: 'button', textContent: text });
  made.addEventListener('click', click);
  return made;
}

// Python, one for the page.

/** Start it and ask it for all that can be alive, for what is `urgent` first. */
async function start(first, urgent) {
  if (!started) return started = begin(first, urgent);
  await started;
  urgent?.();
}

async function begin(first, urgent) {
  for (const waiting of document.querySelectorAll('.start')) {
    Object.assign(waiting, { disabled: true, textContent: 'Python is loading …' });
  }
  const recorded = recording && fetch(recording);
  python = await import('./python.mjs');
  python.start(listen, text => fail(first, text));
  try {
    if (recorded) {
      const answer = await recorded;
      if (!answer.ok) throw new Error(`the server says ${answer.status}`);
      python.call('play', first, [new Uint8Array(await answer.arrayBuffer())]);
    }
  } catch (error) {
    return fail(first, `The recording of this lesson could not be fetched: ${error.message}.`);
  }
  urgent?.();
  const begins = index => ['explorer', 'prediction'].includes(places[index].live.kind);
  [...new Set([first, ...places.keys()])].filter(begins).forEach(enliven);
  const compared = stored('compared') ?? [], committed = stored('committed') ?? {};
  places.forEach(({ live }, index) => {
    const again = live.kind === 'comparison' && compared.includes(live.step);
    if (again && live.step in committed) compare(index);
  });
}

function fail(index, text) {
  for (const waiting of document.querySelectorAll('.start')) waiting.remove();
  for (const dimmed of document.querySelectorAll('.stored')) dimmed.classList.remove('stored');
  say(index, `${text} Reload the page to try again; what you have answered is kept.`);
}

function enliven(index) {
  const { live } = places[index];
  if (live.kind === 'explorer') {
    fill(index, 'show', [live.module, live.function]);
  } else {
    const earlier = stored('committed')?.[live.step];
    const answer = earlier === undefined ? undefined : JSON.stringify(earlier);
    fill(index, 'ask', [live.method, live.step, JSON.stringify(live.arguments), answer]);
  }
}

// Show what a function of the bridge displays in place of what is stored; in one go, when it is
// complete.
function fill(index, name, args) {
  const { element } = places[index];
  const old = outputOf(places[index]), fresh = make('div', 'output', { hidden: true });
  old.className = 'stored';
  element.append(fresh);
  python.call(name, index, args, () => {
    if (!fresh.childElementCount) return;  // it failed, and what is stored stays
    old.remove();
    element.querySelector('.start')?.remove();
    fresh.hidden = false;
    element.dataset.state = 'live';
  });
}

async function listen(message, buffers) {
  if (message.type === 'display') await display(message, buffers);
  else if (message.type === 'text') outputOf(places[message.place]).replaceChildren(
    make('pre', '', { textContent: message.text }));
  else if (message.type === 'error') say(message.place, message.text);
  else if (message.type === 'fetched') keep(message.entries);
  else if (message.type === 'committed') {
    const { [message.step]: _, ...others } = stored('committed') ?? {};
    const answers = message.answer === null ? others : { ...others, [message.step]: message.answer };
    store('committed', answers);
    allowComparisons(answers);
  }
}

async function display(message, buffers) {
  const place = places[message.place], output = outputOf(place);
  const view = message.data['application/vnd.jupyter.widget-view+json'];
  if (view) {
    await python.view(view.model_id, output);
  } else if (message.data['text/markdown']) {
    // Its mathematics is set when the page is built: it comes with the page, by a key.
    const text = marked.parse(message.data['text/markdown'])
      .replace(/⟦(\w*)⟧/g, (_, key) => place.live.texts[key]);
    output.append(make('div', 'markdown', { innerHTML: text }));
  } else if (buffers.length) {
    await show(output, message, buffers);
  }
}

async function show(output, message, buffers) {
  let image = message.display_id && pictures.get(message.display_id);
  if (!image) {
    image = make('img', '', { width: message.metadata['image/png'].width });
    if (message.display_id) pictures.set(message.display_id, image);
    output.append(image);
  }
  const before = image.src;
  image.src = URL.createObjectURL(new Blob(buffers, { type: 'image/png' }));
  image.alt = message.data['text/plain'];
  await image.decode();
  if (before) URL.revokeObjectURL(before);
}

function say(index, text) {
  const line = make('p', 'trouble', { textContent: text });
  line.setAttribute('role', 'alert');
  places[index ?? 0].element.append(line);
}

// The service worker keeps what passes it, for the next visit. It is told of all that was fetched,
// since the first things were before it was there, or passed one of an older build.

const fetched = [];

function keep(entries) {
  const addresses = entries.map(entry => entry.name);
  fetched.push(...addresses);
  tell(addresses);
}

async function tell(addresses) {
  (await navigator.serviceWorker?.ready)?.active.postMessage(addresses);
}

// What a place has before Python runs.

const ADD = {
  explorer(place, index) {
    place.element.prepend(button('Start the controls', 'start', () => start(index)));
  },
  prediction(place, index) {
    const earlier = stored('committed')?.[place.live.step];
    place.element.prepend(button('Predict', 'start', () => start(index)));
    if (earlier !== undefined) {
      const words = Array.isArray(earlier) ? 'a curve' : earlier;
      outputOf(place).replaceChildren(
        make('p', 'note', { textContent: `Committed on an earlier visit: ${words}.` }));
    }
  },
  comparison(place, index) {
    const its = button('Compare with my prediction', 'compare', async () => {
      its.disabled = true;
      await start(index);
      compare(index);
    });
    its.title = 'Commit to your prediction first.';
    place.element.prepend(its);
  },
  score(place, index) {
    outputOf(place).replaceChildren();  // the stored one counts nobody's
    place.element.prepend(button('Count my predictions', 'score', () => {
      outputOf(place).replaceChildren();
      start(index).then(() => python.call('score', index, []));
    }));
  },
  exercise(place, index) {
    const { code, check, imports, number } = place.live;
    const area = editor(stored(`exercise-${number}`) ?? code,
      written => store(`exercise-${number}`, written));
    // Nothing reaches a Python that runs in circles, so that it ends with the page.
    const stop = button('Stop', 'stop', () => {
      store('stopped', number);
      location.reload();
    });
    stop.hidden = true;
    if (stored('stopped') === number) {
      store('stopped', null);
      outputOf(place).replaceChildren(make('pre', '', {
        textContent: 'Stopped: it had not come to an end. Python starts anew when you need it.' }));
    }
    const checks = button('Check', 'check', () => {
      const running = on => {
        stop.hidden = !on;
        checks.disabled = on;
      };
      running(true);
      outputOf(place).replaceChildren(
        make('pre', '', { textContent: 'Checking … (Stop loads the page anew.)' }));
      const written = `${area.value}\n${check}`;
      start(index, () => python.call('run', index, [written, imports], () => running(false)));
    });
    place.element.prepend(
      area, checks, stop, button('Start over', 'again', () => write(area, code)));
  },
};

function compare(index) {
  const { element, live } = places[index];
  const keys = Object.keys(live.texts);
  const text = keys.length === 1 ? `⟦${keys[0]}⟧`
    : Object.fromEntries(keys.map(key => [key, `⟦${key}⟧`]));
  fill(index, 'compare', [live.step, JSON.stringify(live.truth), JSON.stringify(text), live.within]);
  element.querySelector('.compare')?.remove();
  store('compared', [...new Set([...stored('compared') ?? [], live.step])]);
}

function allowComparisons(answers) {
  for (const { element, live } of places) {
    const compare = element.querySelector('.compare');
    if (compare) compare.disabled = !(live.step in answers);
  }
}

places.forEach((place, index) => ADD[place.live.kind](place, index));
allowComparisons(stored('committed') ?? {});
const code = document.querySelector('#code-switch');
code.hidden = false;
code.addEventListener('click', () => {
  const open = code.getAttribute('aria-pressed') !== 'true';
  code.setAttribute('aria-pressed', open);
  document.querySelectorAll('details.code').forEach(block => { block.open = open; });
});
const forget = document.querySelector('#forget');
forget.hidden = false;
forget.addEventListener('click', () => {
  if (!confirm('Forget all that you have answered and written in this lesson?')) return;
  for (const key of Object.keys(storage ?? {})) {
    if (key.startsWith(`bnlib/${lesson}/`)) storage.removeItem(key);
  }
  location.reload();
});
document.querySelector('.contents').open = matchMedia('(min-width: 92rem)').matches;
// Once the page can be read, the scripts of its widgets are loaded, so that a start is faster.
(window.requestIdleCallback ?? setTimeout)(() => import('./python.mjs'));
if (navigator.serviceWorker) {
  navigator.serviceWorker.register('./kept.js').catch(() => {});  // then nothing is kept
  navigator.serviceWorker.addEventListener('controllerchange', () => tell(fetched));
  keep(performance.getEntriesByType('navigation'));
  keep([{ name: document.querySelector('link[rel=icon]').href }]);  // which no entry speaks of
  new PerformanceObserver(list => keep(list.getEntries()))
    .observe({ type: 'resource', buffered: true });
}
document.documentElement.dataset.ready = 'yes';
