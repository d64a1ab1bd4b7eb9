import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { mayRunInProcess, plainWords, runInProcess } from '../cli/run-in-process.ts';
import { until } from '../hostile/until.ts';
import { commandsIn, readBlocks, shapeOf } from './document-blocks.ts';

const ROOT = path.join(import.meta.dirname, '..', '..');
const LOOKS_MAX = 400;
const LOOK_EVERY_MS = 100;
const MODULES = path.join(ROOT, 'node_modules');
/** What the reader has installed. */
const INSTALLED = ['xstate', 'zod', 'tsx', '@types/node'];
/** Stricter than the reader's own. */
const STRICT = {
  extends: './tsconfig.json',
  compilerOptions: { noUncheckedIndexedAccess: true, exactOptionalPropertyTypes: true },
};

const blocks = readBlocks('workflows.md');
const inReadme = readBlocks('../README.md').find(({ text }) => text.includes('export const machine'));
const files = [
  ...blocks.filter(({ language, label }) => (language === 'ts' || language === 'json') && label !== ''),
  { label: 'readme.ts', text: inReadme?.text ?? '' },
];

let directory: string;
let env: Record<string, string>;
beforeAll(() => {
  const outer = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-docs-')));
  directory = path.join(outer, 'merge');
  const bin = path.join(outer, 'bin');
  fs.mkdirSync(bin);
  fs.symlinkSync(path.join(ROOT, 'dist', 'cli', 'mailroom.cjs'), path.join(bin, 'mailroom'));
  fs.mkdirSync(path.join(directory, 'node_modules', '@types'), { recursive: true });
  fs.symlinkSync(ROOT, path.join(directory, 'node_modules', 'agent-mailroom'));
  for (const name of INSTALLED) fs.symlinkSync(path.join(MODULES, name), path.join(directory, 'node_modules', name));
  fs.writeFileSync(path.join(directory, 'package.json'), '{"type":"module"}');
  fs.writeFileSync(path.join(directory, 'strict.json'), JSON.stringify(STRICT));
  for (const { label, text } of files) fs.writeFileSync(path.join(directory, label), text);
  env = { PATH: `${bin}:${path.dirname(process.execPath)}:/usr/bin:/bin`, HOME: outer };
});
afterAll(() => fs.rmSync(path.dirname(directory), { recursive: true, force: true }));

const started = new Set<ChildProcess>();
afterEach(() => {
  for (const child of started) child.kill('SIGKILL');
  started.clear();
});

function node(args: readonly string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: directory, env, encoding: 'utf8' });
  return { status, output: stdout + stderr };
}

test('every file of the document is strict TypeScript', () => {
  console.log(`${files.length} files: ${files.map(({ label }) => label).join(', ')}`);
  expect(files.map(({ label }) => label)).toEqual(expect.arrayContaining(['ready.ts', 'tsconfig.json']));
  expect(node([path.join(MODULES, 'typescript', 'bin', 'tsc'), '-p', 'strict.json'])).toEqual({
    status: 0,
    output: '',
  });
});

test('the first machine is run, killed and run again as it is told, and prints what is shown', async () => {
  let shown = '';
  const inBackground = (command: string): void => {
    shown = '';
    const child = spawn('bash', ['-c', `exec ${command} 2>&1`], {
      cwd: directory,
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    started.add(child);
    child.stdout.setEncoding('utf8').on('data', (text: string) => (shown += text));
  };
  const run = async (command: string): Promise<string> => {
    const [program, ...args] = plainWords(command) ?? [];
    if (program === 'mailroom' && mayRunInProcess(args, env)) {
      const { stdout, stderr } = await runInProcess(args, { cwd: directory, env });
      return stdout + stderr;
    }
    return spawnSync('bash', ['-c', `{ ${command}\n} 2>&1`], { cwd: directory, env, encoding: 'utf8' }).stdout;
  };
  let commands = 0;
  for (const block of blocks.filter(({ language }) => language === 'console')) {
    let expected = '';
    for (const { command, output } of commandsIn(block)) {
      if (command !== undefined) commands += 1;
      if (block.label === 'terminal 1') {
        if (command !== undefined) inBackground(command);
        expected += output;
        const shape = shapeOf(expected);
        await until(
          () => `terminal 1 shows: ${expected}\nbut it shows: ${shown}`,
          () => shapeOf(shown).endsWith(shape),
        );
        continue;
      }
      let printed = await run(command ?? '');
      // How far everything is, is written down when nothing happens for a while.
      for (let again = 0; command === 'mailroom workflows' && again < LOOKS_MAX; again++) {
        if (isDeepStrictEqual(linesOf(printed), linesOf(output))) break;
        // A command within this process takes no time.
        await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
        printed = await run(command);
      }
      expect(linesOf(printed), command).toEqual(linesOf(output));
    }
  }
  console.log(`${commands} commands of the document run`);
  expect(commands).toBeGreaterThan(10);
});

/** What goes to stdout and what to stderr come in either order. */
function linesOf(output: string): string[] {
  return shapeOf(output).split('\n').sort();
}

test('the machine in the README is one, and the picture is that of the first machine', () => {
  const command = path.join(ROOT, 'dist', 'cli', 'mailroom.cjs');
  expect(node([command, 'graph', 'readme.ts'])).toMatchObject({ status: 0 });
  const drawn = node([command, 'graph', 'ready.ts']);
  expect(drawn).toEqual({ status: 0, output: blocks.find(({ language }) => language === 'mermaid')?.text });
});

test('the tests of the document pass, the kills included', () => {
  const ran = node(['--import', 'tsx', '--test', 'machines.test.ts']);
  expect(ran.status, ran.output).toBe(0);
  // Where nobody says which, Node 20 prints TAP, and later ones a text for people.
  expect(ran.output).toMatch(/^(?:#|ℹ) pass 3$/m);
});

test('every command and option that the document names is there', async () => {
  const lines = blocks
    .filter(({ language }) => language === 'sh' || language === 'console')
    .flatMap(({ text }) => text.split('\n'));
  const named = new Map<string, Set<string>>();
  for (const line of lines) {
    const [, name = ''] = /mailroom (?:--as \w+ )?([a-z]+)/.exec(line) ?? [];
    if (name === '') continue;
    const options = named.get(name) ?? new Set<string>();
    for (const [, option = ''] of line.replace(/ #.*/, '').matchAll(/ --([a-z-]+)/g)) options.add(option);
    named.set(name, options);
  }
  console.log(`${named.size} commands looked up: ${[...named.keys()].join(', ')}`);
  for (const [name, options] of named) {
    const { code, stdout: output, stderr } = await runInProcess(['help', name], { cwd: directory, env });
    expect(code, stderr).toBe(0);
    expect(
      [...options].filter((option) => !output.includes(`--${option}`)),
      name,
    ).toEqual([]);
  }
});
