import { transformSync } from 'esbuild';
import fs from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { createCliRoom } from './cli-room.ts';

const ROOT = path.join(import.meta.dirname, '../..');

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
  const dist = path.join(ROOT, 'dist/cli');
  const copy = path.join(room.directory, 'copy');
  fs.mkdirSync(copy);
  for (const file of ['mailroom.cjs', 'mailroom.compiled', 'rest.cjs', 'run.cjs', 'run.compiled']) {
    fs.copyFileSync(path.join(dist, file), path.join(copy, file));
  }
  fs.symlinkSync(path.join(ROOT, 'node_modules'), path.join(room.directory, 'node_modules'));
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

it('says in one line which Node is needed, in words that an old one understands', async () => {
  using room = await createCliRoom();
  const { engines } = JSON.parse(fs.readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
    engines: { node: string };
  };
  const needed = engines.node.replace('>=', '');
  const [major = 0, minor = 0] = needed.split('.').map(Number);
  const hook = path.join(room.directory, 'version.cjs');
  const asVersion = async (
    node: string,
    line: string,
  ): Promise<{ code: number | null; stdout: string; stderr: string }> => {
    fs.writeFileSync(hook, `Object.defineProperty(process, 'versions', { value: { node: '${node}' } });`);
    return room.shell(line, { as: 'alice', env: { NODE_OPTIONS: `--require=${hook}` } });
  };
  for (const old of ['14.21.3', '18.20.8', `${major}.${minor - 1}.0`]) {
    for (const line of ['mailroom whoami', 'mailroom run machine.ts', 'mailroom help']) {
      const { code, stdout, stderr } = await asVersion(old, line);
      expect({ line, code, stdout }).toEqual({ line, code: 1, stdout: '' });
      expect(stderr).toMatch(new RegExp(`^mailroom: Node ${needed} or newer is needed, and this is v.*\\n$`));
    }
  }
  expect(await asVersion(`${needed}.0`, 'mailroom whoami')).toMatchObject({ code: 0, stdout: 'alice\n' });
  // An old Node reads the whole file before it runs any of it.
  for (const file of ['mailroom.cjs', 'run.cjs']) {
    const text = fs.readFileSync(path.join(ROOT, 'dist/cli', file), 'utf8');
    const written = (target: string): string => transformSync(text, { target }).code;
    expect(written('node13.2')).toBe(written('esnext'));
  }
});

it('ends with a failure where what it waits for can no longer happen', async () => {
  using room = await createCliRoom();
  fs.writeFileSync(path.join(room.directory, 'never.mjs'), 'await new Promise(() => {});');
  for (const command of ['graph', 'run']) {
    const ran = await room.run([command, 'never.mjs']);
    expect(ran, command).toMatchObject({ code: 1, stdout: '' });
    expect(ran.stderr).toContain('can no longer happen');
  }
});
