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

it('runs without the compiled code of this Node, too', async () => {
  using room = await createCliRoom();
  const dist = path.join(import.meta.dirname, '../../dist/cli');
  const copy = path.join(room.directory, 'copy');
  fs.mkdirSync(copy);
  for (const name of ['mailroom.cjs', 'rest.cjs']) fs.copyFileSync(path.join(dist, name), path.join(copy, name));
  const compiled = fs.readFileSync(path.join(dist, 'mailroom.compiled'));
  const start = compiled.indexOf('\n') + 1;
  const [builtFor, length] = compiled.toString('latin1', 0, start - 1).split(' ');
  expect(builtFor).toBe(`${process.version}-${process.platform}-${process.arch}`);
  const script = compiled.subarray(start, start + Number(length));
  const damaged = Buffer.from(compiled);
  damaged.fill(0, start + Number(length), start + Number(length) + 64);
  const versions: Record<string, Buffer> = {
    'another Node': Buffer.concat([Buffer.from(`v99.0.0-x-y ${length}\n`), compiled.subarray(start)]),
    'none at all': Buffer.concat([Buffer.from(`${builtFor} ${length}\n`), script]),
    'one that V8 refuses': damaged,
  };
  for (const [what, bytes] of Object.entries(versions)) {
    fs.writeFileSync(path.join(copy, 'mailroom.compiled'), bytes);
    const line = `${process.execPath} ${path.join(copy, 'mailroom.cjs')} whoami`;
    expect(await room.shell(line, { as: 'alice' }), what).toMatchObject({ code: 0, stdout: 'alice\n', stderr: '' });
  }
});
