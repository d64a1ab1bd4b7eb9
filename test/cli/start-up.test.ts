import fs from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { createCliRoom } from './cli-room.ts';

/** What the mail commands may load: all of it is part of Node, and most of it is loaded by Node anyway. */
const LIGHT = ['node:buffer', 'node:crypto', 'node:fs', 'node:path', 'node:vm'];

it('loads for mail what mail needs and nothing else', async () => {
  using room = await createCliRoom();
  const hook = path.join(room.directory, 'hook.cjs');
  const list = path.join(room.directory, 'loaded');
  fs.writeFileSync(
    hook,
    `const Module = require('node:module');
const { appendFileSync } = require('node:fs');
const load = Module._load;
Module._load = function (name, ...rest) {
  appendFileSync(${JSON.stringify(list)}, name + '\\n');
  return load.call(this, name, ...rest);
};`,
  );
  // The first message of a sender begins its counter, for which a lock is loaded once.
  await room.run(['send', 'bob', 'INFO', 'first'], { as: 'alice' });
  for (const words of [['send', 'bob', 'INFO', 'x'], ['inbox', '--as', 'bob'], ['read', '--as', 'bob'], ['whoami']]) {
    fs.writeFileSync(list, '');
    const ran = await room.run(words, { as: 'alice', env: { NODE_OPTIONS: `--require=${hook}` } });
    expect(ran.code, ran.stderr).toBe(0);
    const loaded = new Set(fs.readFileSync(list, 'utf8').trim().split('\n'));
    const beyond = [...loaded].filter((name) => !LIGHT.includes(name) && !name.endsWith('/mailroom.cjs'));
    expect(beyond, words.join(' ')).toEqual([]);
  }
});

it.each([
  { name: 'mailroom', words: 'whoami', says: 'alice\n', codeMin: 0.5 },
  // It was run before its code was kept, which then is longer than the script.
  { name: 'run', words: 'run machine.cjs --as', says: '"over"\n', codeMin: 1.2 },
])('$name runs without the compiled code of this Node, too', async ({ name, words, says, codeMin }) => {
  using room = await createCliRoom();
  const root = path.join(import.meta.dirname, '../..');
  const dist = path.join(root, 'dist/cli');
  const copy = path.join(room.directory, 'copy');
  fs.mkdirSync(copy);
  for (const file of ['mailroom.cjs', 'mailroom.compiled', 'rest.cjs', 'run.cjs', 'run.compiled']) {
    fs.copyFileSync(path.join(dist, file), path.join(copy, file));
  }
  fs.symlinkSync(path.join(root, 'node_modules'), path.join(room.directory, 'node_modules'));
  const machine = "createMachine({ initial: 'over', output: 'over', states: { over: { type: 'final' } } })";
  fs.writeFileSync(
    path.join(room.directory, 'machine.cjs'),
    `const { createMachine } = require('xstate');\nexports.machine = ${machine};`,
  );
  const compiled = fs.readFileSync(path.join(dist, `${name}.compiled`));
  const start = compiled.indexOf('\n') + 1;
  const [builtFor, length] = compiled.toString('latin1', 0, start - 1).split(' ');
  expect(builtFor).toBe(`${process.version}-${process.platform}-${process.arch}`);
  const end = start + Number(length);
  expect((compiled.length - end) / Number(length)).toBeGreaterThan(codeMin);
  const damaged = Buffer.from(compiled);
  damaged.fill(0, end, end + 64);
  const versions: Record<string, Buffer> = {
    'of this Node': compiled,
    'another Node': Buffer.concat([Buffer.from(`v99.0.0-x-y ${length}\n`), compiled.subarray(start)]),
    'none at all': compiled.subarray(0, end),
    'one that V8 refuses': damaged,
  };
  for (const [index, [what, bytes]] of Object.entries(versions).entries()) {
    fs.writeFileSync(path.join(copy, `${name}.compiled`), bytes);
    const line = `${process.execPath} ${path.join(copy, 'mailroom.cjs')} ${words}`;
    const ran = await room.shell(name === 'run' ? `${line} over.${index}` : line, { as: 'alice' });
    expect(ran, `${what}: ${ran.stderr}`).toMatchObject({ code: 0, stdout: says });
  }
});
