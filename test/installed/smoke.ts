import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { expect } from 'vitest';
import { eventually } from '../runtime/workflow-room.ts';
import { dependencies, type Installed } from './installed-package.ts';

const MODULES = path.join(import.meta.dirname, '..', '..', 'node_modules');
const COMMAND_MS_MAX = 60_000;

const CONFIG = `{ id: 'm', initial: 'waiting', states: { waiting: { on: { GO: 'over' } }, over: { type: 'final' } }, output: 'done' }`;
const MODULE = `import { setup } from 'xstate';
import { z } from 'zod';
import { accepts } from 'agent-mailroom/workflow';
const mail = accepts({ GO: z.unknown() });
export const machine = setup({ schemas: mail }).createMachine(${CONFIG});
`;
const COMMON = `const { setup } = require('xstate');
const { z } = require('zod');
const { accepts } = require('agent-mailroom/workflow');
exports.machine = setup({ schemas: accepts({ GO: z.unknown() }) }).createMachine(${CONFIG});
`;
const TYPED = MODULE.replace(
  'const mail =',
  'interface Unused { readonly a: string }\nconst unused: Unused | undefined = undefined;\nvoid unused;\nconst mail =',
);
const LIBRARY = `import { openRoom } from 'agent-mailroom';
const room = await openRoom();
const [carol, dave] = [await room.join('carol'), await room.join('dave')];
await carol.send({ to: 'dave', type: 'QUESTION', content: 'Which port?' });
for await (const mail of dave.inbox({ wait: false })) {
  await dave.reply(mail, { type: 'INFO', content: '8080' });
  await mail.ack();
}
for await (const mail of carol.inbox({ wait: false })) console.log(mail.message.content);
await room[Symbol.asyncDispose]();
`;

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A project with the package installed, in which one runtime is tried. */
export class Tried implements Disposable {
  readonly #directory: string;
  readonly #mailroom: string;
  readonly #env: Readonly<Record<string, string>>;
  readonly #runtime: readonly [string, ...string[]];
  #said = '';

  constructor(
    installed: Installed,
    { name, runtime }: { readonly name: string; readonly runtime: readonly [string, ...string[]] },
  ) {
    this.#runtime = runtime;
    this.#directory = path.join(installed.empty, `tried-${name}`);
    const modules = path.join(this.#directory, 'node_modules');
    // As npm does it, without links: Deno looks for what is imported where a file really lies.
    const isOwn = (file: string): boolean => file !== path.join(installed.directory, 'node_modules');
    const own = path.join(modules, 'agent-mailroom');
    fs.cpSync(installed.directory, own, { recursive: true, filter: isOwn });
    for (const one of dependencies()) {
      fs.cpSync(path.join(MODULES, one), path.join(modules, one), { recursive: true });
    }
    this.#mailroom = path.join(own, 'dist', 'cli', 'mailroom.cjs');
    const wanted = { 'agent-mailroom': '*', xstate: '*', zod: '*' };
    const files = {
      'package.json': JSON.stringify({ private: true, type: 'module', dependencies: wanted }),
      'm.js': MODULE,
      'm.mjs': MODULE,
      'm.cjs': COMMON,
      'm.ts': TYPED,
      'm.mts': TYPED,
      'library.mjs': LIBRARY,
    };
    for (const [file, text] of Object.entries(files)) fs.writeFileSync(path.join(this.#directory, file), text);
    const bin = path.isAbsolute(runtime[0]) ? [path.dirname(runtime[0])] : [];
    const home = path.join(this.#directory, 'home');
    fs.mkdirSync(home);
    this.#env = { PATH: [...bin, path.dirname(process.execPath), '/usr/bin', '/bin'].join(':'), HOME: home };
  }

  /** What all commands together have said on stderr. */
  get said(): string {
    return this.#said;
  }

  mailroom(words: readonly string[], input = ''): Ran {
    return this.#run([this.#mailroom, ...words], input);
  }

  program(file: string): Ran {
    return this.#run([file], '');
  }

  /** Does as told and returns what is printed. Throws when it fails. */
  does(...words: readonly string[]): string {
    const { code, stdout, stderr } = this.mailroom(words);
    if (code !== 0) throw new Error(`mailroom ${words.join(' ')} ended with ${code}: ${stderr}`);
    return stdout;
  }

  start(...words: readonly string[]): ChildProcess {
    const [file, ...before] = this.#runtime;
    return spawn(file, [...before, this.#mailroom, ...words], {
      cwd: this.#directory,
      env: this.#env,
      stdio: 'ignore',
    });
  }

  [Symbol.dispose](): void {
    fs.rmSync(this.#directory, { recursive: true });
  }

  #run(args: readonly string[], input: string): Ran {
    const [file, ...before] = this.#runtime;
    const options = { cwd: this.#directory, env: this.#env, input, timeout: COMMAND_MS_MAX, encoding: 'utf8' } as const;
    const { status: code, stdout, stderr } = spawnSync(file, [...before, ...args], options);
    this.#said += stderr;
    return { code, stdout, stderr };
  }
}

/** Every mail command of daily use, doctor included. */
export function triesMail(tried: Tried): void {
  tried.does('init');
  for (const address of ['alice', 'bob']) tried.does('join', address);
  expect(tried.does('whoami', '--as', 'alice')).toBe('alice\n');
  expect(tried.does('agents')).toMatch(/^alice .*\nbob /m);
  const id = /[0-9a-f]{8}/.exec(tried.does('send', 'bob', 'QUESTION', 'Which port?', '--as', 'alice'))?.[0] ?? 'none';
  expect(tried.does('inbox', '--as', 'bob')).toContain('Which port?');
  expect(tried.does('read', '--hold', '--as', 'bob')).toContain('Which port?');
  tried.does('reply', id, 'INFO', '8080', '--as', 'bob');
  expect(tried.does('read', '--wait', '20s', '--as', 'alice')).toContain('8080');
  expect(tried.does('status', id, '--as', 'alice')).toContain('acknowledged');
  tried.does('broadcast', 'INFO', 'to all', '--as', 'alice');
  expect(tried.does('log')).toContain('8080');
  expect(tried.mailroom(['doctor']).stdout).toContain('ok ');
  expect(tried.does('--version')).toMatch(/^\d+\.\d+\.\d+\n$/);
  expect(tried.does('help')).toContain('send');
  expect(tried.mailroom(['send', 'nobody', 'INFO', 'x', '--as', 'alice']).code).not.toBe(0);
}

/** What a session of an agent's program does: it joins, and is shown mail. */
export function triesHooks(tried: Tried): void {
  const hook = (event: string): Ran => {
    const input = JSON.stringify({ session_id: 'smoke', cwd: '.', hook_event_name: event });
    return tried.mailroom(['hook', 'claude', event], input);
  };
  expect(hook('SessionStart')).toMatchObject({ code: 0, stdout: expect.stringContaining('claude-') });
  const session = /^(claude-\d+)/m.exec(tried.does('agents'))?.[1] ?? 'none';
  tried.does('send', session, 'INFO', 'seen in the turn', '--as', 'alice');
  expect(hook('UserPromptSubmit')).toMatchObject({ code: 0, stdout: expect.stringContaining('seen in the turn') });
}

/** Each kind of file as a machine: killed while it waits, and gone on with behind the mail that came meanwhile. */
export async function triesMachines(tried: Tried, files: readonly string[]): Promise<void> {
  for (const file of files) {
    const address = file.replace('.', '-');
    const child = tried.start('run', file, '--as', address);
    await eventually(`${file} waits`, () => {
      expect([file, child.exitCode]).toEqual([file, null]);
      return new RegExp(`${address} .*waiting`).test(tried.mailroom(['workflows']).stdout);
    });
    child.kill('SIGKILL');
    await once(child, 'exit');
    tried.does('send', address, 'GO', 'on', '--as', 'alice');
    expect([file, tried.does('run', file, '--as', address)]).toEqual([file, '"done"\n']);
    expect(tried.does('why', address)).toContain('GO');
  }
  expect(tried.does('graph', files[0] ?? '')).toContain('stateDiagram');
  expect(tried.does('graph', files[0] ?? '', '--svg')).toMatch(/^<svg /);
  expect(tried.does('replay', (files[0] ?? '').replace('.', '-'), '--machine', files[0] ?? '')).toBe('');
  const events = tried.does('inspect', '--jsonl').trim().split('\n');
  expect(events.length).toBeGreaterThan(files.length);
  for (const event of events) expect(JSON.parse(event)).toHaveProperty('type');
}

/** A command that answers mail. */
export async function triesAgent(tried: Tried): Promise<void> {
  const child = tried.start('agent', 'counter', '--exec', 'wc -w', '--stdin', 'content', '--limit', '1');
  await eventually('the agent has joined', () => tried.mailroom(['agents']).stdout.includes('counter'));
  tried.does('send', 'counter', 'QUESTION', 'one two three', '--as', 'alice');
  expect(tried.does('read', '--wait', '40s', '--as', 'alice')).toMatch(/counter[^]*3/);
  if (child.exitCode === null) await once(child, 'exit');
  expect(child.exitCode).toBe(0);
}
