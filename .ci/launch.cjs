#!/usr/bin/env node
// Starts the command from what V8 compiled when it was built, if this is the same Node on the same kind of machine; on
// any other it is compiled now, which takes some ms longer. A module that is loaded as usual would be compiled each time,
// and this command is run once for each message.
'use strict';
const { readFileSync } = require('node:fs');
const { Script } = require('node:vm');

// One file, so that the script and what was compiled from it always belong together: a line that says for which Node and
// how long the script is, the script in ASCII, the compiled code.
const filename = `${__dirname}/mailroom.compiled`;
const file = readFileSync(filename);
const start = file.indexOf('\n') + 1;
const [builtFor, length] = file.latin1Slice(0, start - 1).split(' ');
const end = start + Number(length);
const isSame = builtFor === `${process.version}-${process.platform}-${process.arch}`;
const script = new Script(file.latin1Slice(start, end), {
  filename,
  cachedData: isSame ? file.subarray(end) : undefined,
});
// Our own files are CommonJS: `import` would look for their exports in the text first, which takes longer than to run them.
const load = async (/** @type {string} */ name) => (name.startsWith('./') ? require(name) : import(name));
script.runInThisContext()(require, __dirname, load);
