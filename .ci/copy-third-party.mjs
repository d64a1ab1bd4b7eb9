// Copies into dist what is used of a library that would be installed whole otherwise: of the 8 MB of elkjs one file, as it is,
// compressed to a third. Of saxes, which is compiled into the machines, only what its licences ask for.
import fs from 'node:fs';
import path from 'node:path';
import { constants, gzipSync } from 'node:zlib';

const root = path.dirname(import.meta.dirname);

/** What loads it: a module whose text is compressed. */
const LOADER = `// Loads elk.bundled.js, see NOTICE.md.
'use strict';
const { readFileSync } = require('node:fs');
const { compileFunction } = require('node:vm');
const { gunzipSync } = require('node:zlib');

const filename = __dirname + '/elk.bundled.js';
const text = gunzipSync(readFileSync(filename + '.gz')).toString();
// Without \`self\`, which Bun has everywhere: seeing it, the library takes this for a worker, and waits for messages for ever.
compileFunction(text, ['exports', 'module', 'require', 'self'], { filename })(exports, module, require);
`;

/** @param {string} outdir */
export function copyThirdParty(outdir) {
  const from = path.join(root, 'node_modules', 'elkjs');
  const to = path.join(outdir, 'elkjs');
  const { version } = JSON.parse(fs.readFileSync(path.join(from, 'package.json'), 'utf8'));
  fs.mkdirSync(to, { recursive: true });
  const bundled = fs.readFileSync(path.join(from, 'lib', 'elk.bundled.js'));
  fs.writeFileSync(path.join(to, 'elk.bundled.js.gz'), gzipSync(bundled, { level: constants.Z_BEST_COMPRESSION }));
  fs.writeFileSync(path.join(to, 'elk.cjs'), LOADER);
  fs.copyFileSync(path.join(from, 'LICENSE.md'), path.join(to, 'LICENSE.md'));
  fs.writeFileSync(path.join(to, 'NOTICE.md'), notice(version));
  noteSaxes(outdir);
}

/**
 * Of the XML parser that is compiled into the program of the team: its licence and that of the package it uses.
 * @param {string} outdir
 */
function noteSaxes(outdir) {
  const to = path.join(outdir, 'saxes');
  const [saxes, xmlchars] = ['saxes', 'xmlchars'].map((name) => path.join(root, 'node_modules', name));
  const { version, author } = JSON.parse(fs.readFileSync(path.join(saxes, 'package.json'), 'utf8'));
  fs.mkdirSync(to, { recursive: true });
  fs.copyFileSync(path.join(xmlchars, 'LICENSE'), path.join(to, 'LICENSE-xmlchars'));
  fs.writeFileSync(path.join(to, 'NOTICE.md'), saxesNotice({ version, author }));
}

/**
 * @param {{ version: string, author: string }} facts
 */
function saxesNotice({ version, author }) {
  return `# saxes ${version}

The npm package saxes ${version} is compiled into files of \`dist/machines\`, with xmlchars, whose licence is in
[LICENSE-xmlchars](LICENSE-xmlchars). Copyright (c) ${author} and contributors to saxes and sax; ISC License:

Permission to use, copy, modify, and/or distribute this software for any purpose with or without fee is hereby granted,
provided that the above copyright notice and this permission notice appear in all copies.

THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES WITH REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED
WARRANTIES OF MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR ANY SPECIAL, DIRECT, INDIRECT, OR
CONSEQUENTIAL DAMAGES OR ANY DAMAGES WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN ACTION OF CONTRACT,
NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF OR IN CONNECTION WITH THE USE OR PERFORMANCE OF THIS SOFTWARE.
`;
}

/**
 * What the Eclipse Public License asks of whoever distributes a program without its source (sections 3.1 and 3.2).
 * @param {string} version
 */
function notice(version) {
  return `# elkjs ${version}

\`elk.bundled.js.gz\` is the file \`lib/elk.bundled.js\` of the npm package elkjs ${version}, compressed with gzip and otherwise
unchanged. Copyright (c) Kiel University, TypeFox and others. It is made available under the Eclipse Public License 2.0, whose text is in [LICENSE.md](LICENSE.md)
(SPDX-License-Identifier: EPL-2.0 OR GPL-3.0-or-later). Mailroom's own licence does not apply to it.

Its source code is available under that licence from https://github.com/kieler/elkjs (release ${version}) and, for the layout
algorithms that are compiled into it, from https://github.com/eclipse/elk. The authors of elkjs and ELK give no warranty and
accept no liability for it; those who distribute Mailroom give none in their name.
`;
}
