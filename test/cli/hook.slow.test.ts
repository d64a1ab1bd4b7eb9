import { spawn, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { HOOK_EVENTS } from '../../src/hooks/programs.ts';
import { visibleLines } from '../../src/message/visible.ts';
import { until } from '../hostile/until.ts';
import { logged } from '../hostile/zoo-room.ts';
import { createCliRoom, type CliRoom, type Ran } from './cli-room.ts';

let room: CliRoom;
beforeEach(async () => {
  room = await createCliRoom({ agents: ['alice'] });
});
afterEach(() => room[Symbol.dispose]());

const SILENT: Partial<Ran> = { code: 0, stdout: '', stderr: '' };

interface Hook {
  readonly program?: string;
  readonly id?: string;
  readonly fields?: object;
  readonly env?: Readonly<Record<string, string>>;
}

function fire(name: string, { program = 'claude', id = 'one', fields, env = {} }: Hook = {}): Promise<Ran> {
  const stdin = JSON.stringify({ session_id: id, cwd: room.directory, hook_event_name: name, ...fields });
  return room.run(['hook', program, name], { stdin, env, cwd: os.tmpdir() });
}

async function send(to: string, content: string): Promise<void> {
  const sent = await room.run(['send', to, 'QUESTION', content], { as: 'alice' });
  expect(sent.code, sent.stderr).toBe(0);
}

test('a session is told who it is, sees its mail in the turn that runs, and has acknowledged it at the end of it', async () => {
  const started = await fire('SessionStart');
  expect(JSON.parse(started.stdout)).toEqual({
    hookSpecificOutput: {
      hookEventName: 'SessionStart',
      additionalContext: expect.stringContaining('this session is claude-1'),
    },
  });
  expect(await fire('UserPromptSubmit')).toMatchObject(SILENT);
  await send('claude-1', 'the port?');
  const batch = await fire('PostToolBatch');
  expect(batch).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining('the port?') });
  expect(await fire('Stop')).toMatchObject(SILENT);
  expect(await room.json(['inbox'], { as: 'claude-1' })).toEqual([]);
  await send('claude-1', 'and the host?');
  expect(JSON.parse((await fire('Stop')).stdout)).toEqual({
    decision: 'block',
    reason: expect.stringContaining('and the host?'),
  });
});

test('where there is no room, no hook of any program says or leaves anything', async () => {
  const elsewhere = fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-no-room-'));
  try {
    const events = Object.entries(HOOK_EVENTS).flatMap(([program, names]) =>
      Object.keys(names).map((name) => ({ program, name })),
    );
    for (const { program, name } of events) {
      const stdin = JSON.stringify({ session_id: 'one', cwd: elsewhere });
      const ran = await room.run(['hook', program, name], { stdin, cwd: elsewhere });
      expect(ran, `${program} ${name}`).toMatchObject(SILENT);
    }
    expect(fs.readdirSync(elsewhere)).toEqual([]);
    console.log(`${events.length} hooks`);
  } finally {
    fs.rmSync(elsewhere, { recursive: true });
  }
});

const HOSTILE: readonly (readonly [string, string])[] = [
  ['nothing', ''],
  ['no JSON', '{"session_id":'],
  ['an array', '[]'],
  ['null', 'null'],
  ['no session', '{"cwd":"/"}'],
  ['a session that is no text', '{"session_id":{"a":1}}'],
  ['a session with an endless name', JSON.stringify({ session_id: 'x'.repeat(100_000) })],
  ['a session with half a character', '{"session_id":"\\ud800"}'],
  ['NULs', '\0\0\0\0'],
  ['control characters in what is no JSON', '\u001b]0;title\u0007\u001b[2J'],
];

test.each(HOSTILE)(
  'a hook that is given %s exits 0, says nothing to the model, and its fault is shown',
  async (_, stdin) => {
    for (const [program, name] of [
      ['claude', 'SessionStart'],
      ['codex', 'Stop'],
      ['gemini', 'AfterTool'],
    ] as const) {
      const ran = await room.run(['hook', program, name], { stdin });
      expect(ran).toMatchObject({
        code: 0,
        stdout: '',
        stderr: expect.stringMatching(/^mailroom: The hook \w+ \w+: The input/),
      });
      expect(visibleLines(ran.stderr)).toBe(ran.stderr);
    }
    expect(fs.existsSync(path.join(room.room, 'sessions'))).toBe(false);
  },
);

test.each(['../../../outside', '..', '.', '/etc/passwd', 'a/b', '\n', 'ä ö', '%2e%2e'])(
  'a session that the program calls %j stays in a directory of its own',
  async (id) => {
    expect((await fire('SessionStart', { id })).stdout).toContain('this session is claude-1');
    await send('claude-1', 'the port?');
    expect((await fire('UserPromptSubmit', { id })).stdout).toContain('the port?');
    expect(await fire('Stop', { id })).toMatchObject(SILENT);
    expect(fs.readdirSync(path.join(room.room, 'sessions'))).toHaveLength(1);
    expect(fs.readdirSync(room.room).sort()).toEqual([
      '.gitignore',
      'actors',
      'keys',
      'log',
      'room.json',
      'sessions',
      'tmp',
    ]);
  },
);

test('a tool that printed megabytes, and fields that nobody knows, are taken', async () => {
  await fire('SessionStart');
  await send('claude-1', 'the port?');
  const fields = { tool_calls: [{ tool_response: 'x'.repeat(4_000_000) }], brand_new: { deep: [1] } };
  expect((await fire('PostToolBatch', { fields })).stdout).toContain('the port?');
});

test('its own faults stop no program: a damaged room is told of in the log, by status, and on stderr', async () => {
  await fire('SessionStart');
  await send('claude-1', 'the port?');
  const key = path.join(room.room, 'keys', 'room.key');
  const text = fs.readFileSync(key);
  fs.writeFileSync(key, 'no key');
  expect(await fire('UserPromptSubmit')).toMatchObject({
    code: 0,
    stdout: '',
    stderr: expect.stringContaining('room.key'),
  });
  fs.writeFileSync(key, text);
  expect(logged(room.room, 'hook-failed')).toMatchObject([
    { detail: expect.stringMatching(/^claude UserPromptSubmit: /) },
  ]);
  const status = (await room.json(['hooks', 'status'])) as { sessions: object[]; lastFault: { detail: string } };
  expect(status).toMatchObject({
    sessions: [{ program: 'claude', address: 'claude-1', unread: 1, wakes: 0, isWokenNoMore: false }],
    lastFault: { detail: expect.stringContaining('room.key') },
  });
  expect((await fire('UserPromptSubmit')).stdout).toContain('the port?');
});

test('a command in the shell of a session knows who it is: Claude Code by its environment file or session, Codex by its thread', async () => {
  const file = path.join(room.directory, 'environment');
  await fire('SessionStart', { env: { CLAUDE_ENV_FILE: file } });
  expect(fs.readFileSync(file, 'utf8')).toBe(`export MAILROOM_AS='claude-1'\n`.replaceAll("'", ''));
  const inClaude = { env: { CLAUDE_CODE_SESSION_ID: 'one' } };
  expect(await room.json(['whoami'], inClaude)).toMatchObject({ address: 'claude-1', source: 'session' });
  await fire('SessionStart', { program: 'codex', id: 'a' });
  await fire('SessionStart', { program: 'codex', id: 'b' });
  // All sessions of Codex have the environment of the terminal that started its daemon.
  const inCodex = { env: { CODEX_SESSION_ID: 'b' }, as: 'codex-1' };
  expect(await room.json(['whoami'], inCodex)).toMatchObject({ address: 'codex-2', source: 'session' });
});

/** A hook that waits in the background, as Claude Code runs it. */
function waitInBackground(): { child: ChildProcess; ended: Promise<{ code: number | null; stderr: string }> } {
  const child = spawn(path.join(room.bin, 'mailroom'), ['hook', 'claude', 'wake'], {
    cwd: room.directory,
    env: { ...room.env },
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
  child.stdin.end(JSON.stringify({ session_id: 'one', cwd: room.directory }));
  const ended = new Promise<{ code: number | null; stderr: string }>((resolve) => {
    child.on('close', (code) => resolve({ code, stderr }));
  });
  return { child, ended };
}

test('after 50 stops one process waits; mail has it exit 2 with the mail on stderr, and a prompt ends the next one', async () => {
  await fire('SessionStart');
  const waiting: ReturnType<typeof waitInBackground>[] = [];
  try {
    for (let stop = 1; stop <= 50; stop++) waiting.push(waitInBackground());
    const alive = (): number => waiting.filter(({ child }) => child.exitCode === null).length;
    await until(
      () => `one of ${alive()} is left`,
      () => alive() === 1,
    );
    const last = waiting.find(({ child }) => child.exitCode === null);
    expect(waiting.filter(({ child }) => child.exitCode === 0)).toHaveLength(49);
    await send('claude-1', 'the port?');
    expect(await last?.ended).toEqual({ code: 2, stderr: expect.stringContaining('the port?') });
    const record = path.join(room.room, 'sessions/claude-one/waiter.json');
    const before = fs.readFileSync(record, 'utf8');
    const next = waitInBackground();
    waiting.push(next);
    await until('it waits', () => fs.readFileSync(record, 'utf8') !== before);
    await fire('UserPromptSubmit', { fields: { prompt: 'hello' } });
    expect(await next.ended).toEqual({ code: 0, stderr: '' });
  } finally {
    for (const { child } of waiting) child.kill('SIGKILL');
  }
});

test('a session of Claude Code stays in the room of its project, wherever its shell goes', async () => {
  const env = { CLAUDE_PROJECT_DIR: room.directory };
  await fire('SessionStart', { env });
  await send('claude-1', 'the port?');
  using other = await createCliRoom({ agents: [] });
  const shown = await fire('PostToolBatch', { env, fields: { cwd: other.directory } });
  expect(shown.stdout).toContain('the port?');
  expect(fs.existsSync(path.join(other.room, 'sessions'))).toBe(false);
});

test('a program that Mailroom started itself, and a session that nobody attends, are left alone', async () => {
  await fire('SessionStart');
  await send('claude-1', 'the port?');
  expect(await fire('UserPromptSubmit', { env: { MAILROOM_JOB: 'x' } })).toMatchObject(SILENT);
  // `claude -p` would not end before its waiter.
  expect(await fire('wake', { env: { CLAUDE_CODE_ENTRYPOINT: 'sdk-cli' } })).toMatchObject(SILENT);
  expect(await room.json(['inbox'], { as: 'claude-1' })).toMatchObject([{ state: 'delivered' }]);
});

function waitersOfCodex(): number {
  const pids = fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.filter((pid) => {
    try {
      const words = fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      return words.includes('hook\0codex\0wake') && words.includes(room.directory);
    } catch {
      return false;
    }
  }).length;
}

test('an idle Codex is woken by a prompt that its own command takes, and shown the mail by the hook of that prompt', async () => {
  const calls = path.join(room.directory, 'calls');
  fs.writeFileSync(path.join(room.bin, 'codex'), `#!/bin/sh\nprintf '%s\\n' "$@" >> ${calls}\n`, { mode: 0o755 });
  const waiter = path.join(room.room, 'sessions/codex-one/waiter.json');
  const stop = async (): Promise<void> => {
    const before = fs.existsSync(waiter) ? fs.readFileSync(waiter, 'utf8') : '';
    expect(await fire('Stop', { program: 'codex', fields: { stop_hook_active: true } })).toMatchObject(SILENT);
    await until('it waits', () => fs.existsSync(waiter) && fs.readFileSync(waiter, 'utf8') !== before);
  };
  await fire('SessionStart', { program: 'codex' });
  await stop();
  // Its terminal is closed, and its daemon would take a turn all the same.
  await send('codex-1', 'to nobody');
  await until('the waiter has given up', () => waitersOfCodex() === 0);
  expect(fs.existsSync(calls)).toBe(false);
  expect((await fire('UserPromptSubmit', { program: 'codex' })).stdout).toContain('to nobody');
  const name = path.join(room.directory, 'codex');
  fs.copyFileSync('/bin/sleep', name);
  fs.chmodSync(name, 0o755);
  const terminal = spawn(name, ['1000'], { cwd: room.directory, stdio: 'ignore' });
  try {
    await stop();
    await send('codex-1', 'the port?');
    const written = (): string[] => (fs.existsSync(calls) ? fs.readFileSync(calls, 'utf8').split('\n') : []);
    await until('codex was called', () => written().length === 6);
    const [queue, option, thread, , prompt = ''] = written();
    expect([queue, option, thread]).toEqual(['queue', '--thread', 'one']);
    expect(prompt).not.toContain('the port?');
    const shown = await fire('UserPromptSubmit', { program: 'codex', fields: { prompt } });
    expect(shown.stdout).toContain('the port?');
    expect(fs.readFileSync(waiter, 'utf8')).toContain('"wakes":1');
  } finally {
    terminal.kill('SIGKILL');
  }
});
