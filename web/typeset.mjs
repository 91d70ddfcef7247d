// Reads a JSON list of HTML with <span data-latex="…" data-display="…"></span>, and writes the same
// with the mathematics set by KaTeX:  node typeset.mjs FOLDER_OF_KATEX
import fs from 'node:fs';
import { pathToFileURL } from 'node:url';

const { default: katex } = await import(pathToFileURL(`${process.argv[2]}/dist/katex.mjs`));
const characters = { amp: '&', lt: '<', gt: '>', quot: '"', '#x27': "'", '#39': "'" };
const plain = text => text.replace(/&(amp|lt|gt|quot|#x27|#39);/g, (_, name) => characters[name]);
const set = text => text.replace(
  /<span data-latex="([^"]*)" data-display="(\d)"(?: \/>|><\/span>)/g,
  (_, latex, display) => katex.renderToString(plain(latex), {
    displayMode: display === '1', throwOnError: true, strict: false }));
process.stdout.write(JSON.stringify(JSON.parse(fs.readFileSync(0)).map(set)));
