import { transformSync } from 'esbuild';
import fs from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { createCommands } from '../../src/cli/command-table.ts';
import { overview } from '../../src/cli/help-text.ts';
import { createCliRoom } from './cli-room.ts';

const ROOT = path.join(import.meta.dirname, '../..');

/** What of Node the mail commands may load beyond what Node has loaded when it starts them. */
const LIGHT = ['vm'];

it('loads for mail what mail needs and nothing else', async () => {
  using room = await createCliRoom({ apart: true });
  const hook = path.join(room.directory, 'hook.cjs');
  const list = path.join(room.directory, 'loaded');
  fs.writeFileSync(
    hook,
    `const before = new Set(process.moduleLoadList);
process.on('exit', () => {
  const after = process.moduleLoadList.filter((name) => !before.has(name));
  require('node:fs').writeFileSync(${JSON.stringify(list)}, after.join('\\n'));
});`,
  );
  // The first message of a sender begins its counter, for which a lock is loaded once.
  await room.run(['send', 'bob', 'INFO', 'first'], { as: 'alice' });
  for (const words of [
    ['send', 'bob', 'INFO', 'x'],
    ['inbox', '--as', 'bob'],
    ['read', '--as', 'bob'],
    ['whoami'],
    ['help'],
    ['--version'],
  ]) {
    const ran = await room.run(words, { as: 'alice', env: { NODE_OPTIONS: `--require=${hook}` } });
    expect(ran.code, ran.stderr).toBe(0);
    const loaded = fs.readFileSync(list, 'utf8').split('\n').filter(Boolean);
    const beyond = loaded.filter((name) => !LIGHT.includes(name.replace(/^NativeModule /, '')));
    expect(beyond, words.join(' ')).toEqual([]);
  }
});

it('prints the overview and the version that all commands have', async () => {
  using room = await createCliRoom({ apart: true });
  const { version } = JSON.parse(fs.readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as { version: string };
  const commands = createCommands(() => Promise.reject(new Error('nothing is run here')));
  for (const line of ['mailroom', 'mailroom help', 'mailroom --help', 'mailroom -h', 'mailroom --as bob help']) {
    expect(await room.shell(line), line).toMatchObject({ code: 0, stdout: overview(commands), stderr: '' });
  }
  for (const line of ['mailroom --version', 'mailroom -v', 'mailroom -V', 'mailroom --as bob --version']) {
    expect(await room.shell(line), line).toMatchObject({ code: 0, stdout: `${version}\n`, stderr: '' });
  }
});

it('says in one line which Node is needed, in words that an old one understands', async () => {
  using room = await createCliRoom({ apart: true });
  const { engines } = JSON.parse(fs.readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
    engines: { node: string };
  };
  const [, oldest = '', next = ''] = /^\^(\S+) \|\| >=(\S+)$/.exec(engines.node) ?? [];
  const before = (version: string): string => version.replace(/\d+$/, (minor) => `${Number(minor) - 1}.9`);
  const hook = path.join(room.directory, 'version.cjs');
  const asVersion = async (
    node: string,
    line: string,
  ): Promise<{ code: number | null; stdout: string; stderr: string }> => {
    fs.writeFileSync(hook, `Object.defineProperty(process, 'versions', { value: { node: '${node}' } });`);
    return room.shell(line, { as: 'alice', env: { NODE_OPTIONS: `--require=${hook}` } });
  };
  // process.getBuiltinModule came to Node 20 too, but not to what is between the two.
  for (const old of ['14.21.3', '18.20.8', before(oldest), '21.7.3', before(next)]) {
    for (const line of ['mailroom whoami', 'mailroom run machine.ts', 'mailroom help']) {
      const { code, stdout, stderr } = await asVersion(old, line);
      expect({ line, code, stdout }).toEqual({ line, code: 1, stdout: '' });
      expect(stderr).toContain(
        `mailroom: Node ${oldest} or a later 20, or Node ${next} or newer is needed, and this is v`,
      );
      expect(stderr).toMatch(/^.*\n$/);
    }
  }
  for (const version of [`${oldest}.0`, `${next}.0`, '23.0.0', '100.0.0']) {
    expect(await asVersion(version, 'mailroom whoami'), version).toMatchObject({ code: 0, stdout: 'alice\n' });
  }
  // An old Node reads the whole file before it runs any of it.
  for (const file of ['mailroom.cjs', 'rest.cjs', 'nudge.cjs']) {
    const text = fs.readFileSync(path.join(ROOT, 'dist/cli', file), 'utf8');
    const written = (target: string): string => transformSync(text, { target }).code;
    expect(written('node13.2')).toBe(written('esnext'));
  }
});

it('ends with a failure where what it waits for can no longer happen', async () => {
  using room = await createCliRoom({ apart: true });
  fs.writeFileSync(path.join(room.directory, 'never.mjs'), 'await new Promise(() => {});');
  for (const command of ['graph', 'run']) {
    const ran = await room.run([command, 'never.mjs']);
    expect(ran, command).toMatchObject({ code: 1, stdout: '' });
    expect(ran.stderr).toContain('can no longer happen');
  }
});
