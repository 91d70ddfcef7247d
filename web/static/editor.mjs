// A small editor of code: as high as its lines; Tab and Enter indent as Python wants it.

/** Make one with `code` in it; `changed` is called with what it holds. */
export function editor(code, changed) {
  const area = document.createElement('textarea');
  area.spellcheck = false;
  area.autocapitalize = 'off';
  area.setAttribute('aria-label', 'Your code. Escape, then Tab, leaves it.');
  area.addEventListener('input', () => {
    fit(area);
    changed(area.value);
  });
  area.addEventListener('keydown', event => indent(event, area));
  area.value = code;
  fit(area);
  return area;
}

/** Put other code in. */
export function write(area, code) {
  area.value = code;
  area.dispatchEvent(new Event('input'));
}

function fit(area) {
  area.rows = area.value.split('\n').length + 1;
}

function indent(event, area) {
  const { selectionStart: from, selectionEnd: to, value } = area;
  if (event.key === 'Escape') {
    area.dataset.leaving = 'yes';
    return;
  }
  const leaving = area.dataset.leaving === 'yes';
  delete area.dataset.leaving;
  if (event.key === 'Tab' && !event.shiftKey && !leaving) {
    event.preventDefault();
    area.setRangeText('    ', from, to, 'end');
  } else if (event.key === 'Enter') {
    const line = value.slice(value.lastIndexOf('\n', from - 1) + 1, from);
    const deeper = line.trimEnd().endsWith(':') ? '    ' : '';
    event.preventDefault();
    area.setRangeText(`\n${line.match(/^ */)[0]}${deeper}`, from, to, 'end');
  } else return;
  area.dispatchEvent(new Event('input'));
}
