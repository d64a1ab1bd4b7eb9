import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { pluginText, readPlugin } from '../../src/hooks/install/opencode-plugin.ts';

type Hook = (input: object, output: object) => Promise<void>;
interface Plugin {
  event(input: { event: object }): Promise<void>;
  dispose(): Promise<void>;
  readonly 'chat.message': Hook;
  readonly 'tool.execute.after': Hook;
  readonly 'shell.env': Hook;
}

let directory: string;
beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-plugin-'));
  vi.stubEnv('PATH', `${directory}:/usr/bin:/bin`);
});
afterEach(() => {
  vi.unstubAllEnvs();
  fs.rmSync(directory, { recursive: true, force: true });
});

/** Puts a fake `mailroom` on the PATH that records its calls, and answers by event. */
function answerWith(answers: Readonly<Record<string, string>>): void {
  const cases = Object.entries(answers).map(([event, line]) => `${event}) ${line} ;;\n`);
  const script = `#!/bin/sh\nread -r input\necho "$3 $input" >> ${directory}/calls\ncase $3 in\n${cases.join('')}esac\n`;
  fs.writeFileSync(path.join(directory, 'mailroom'), script, { mode: 0o755 });
}

const say = (answer: object): string => `echo '${JSON.stringify(answer)}'`;

function calls(): { event: string; input: Record<string, unknown> }[] {
  const file = path.join(directory, 'calls');
  const lines = fs.existsSync(file) ? fs.readFileSync(file, 'utf8').split('\n').filter(Boolean) : [];
  return lines.map((line) => ({
    event: line.split(' ', 1)[0] ?? '',
    input: JSON.parse(line.slice(line.indexOf(' '))) as Record<string, unknown>,
  }));
}

async function load(answer?: () => unknown): Promise<{ plugin: Plugin; prompts: string[] }> {
  const file = path.join(directory, 'mailroom.mjs');
  fs.writeFileSync(file, pluginText({}));
  const prompts: string[] = [];
  const client = {
    session: {
      get: async ({ path: { id } }: { path: { id: string } }) => ({
        data: { parentID: id === 'child' ? 'one' : undefined },
      }),
      promptAsync: async ({ body }: { body: { parts: { text: string }[] } }) => {
        prompts.push(body.parts[0]?.text ?? '');
        return answer?.();
      },
    },
  };
  const { Mailroom } = (await import(/* @vite-ignore */ pathToFileURL(file).href)) as {
    Mailroom: (input: object) => Promise<Plugin>;
  };
  return { plugin: await Mailroom({ client, directory }), prompts };
}

interface Part {
  readonly id: string;
  readonly text: string;
  readonly synthetic?: boolean;
}

async function chat(plugin: Plugin, sessionID: string): Promise<Part[]> {
  const parts: Part[] = [{ id: 'prt_1', text: 'hello' }];
  await plugin['chat.message']({ sessionID }, { message: { id: 'msg_1' }, parts });
  return parts;
}

it('gives a session its introduction once, then its mail, in the running turn', async () => {
  answerWith({
    'session.start': say({ context: 'you are bob', env: { MAILROOM_AS: 'bob' } }),
    'chat.message': say({ context: 'mail 1' }),
    'tool.execute.after': say({ context: 'mail 2' }),
  });
  const { plugin } = await load();
  const [, added] = await chat(plugin, 'one');
  expect(added).toMatchObject({ id: 'prt_1m', messageID: 'msg_1', text: 'you are bob\n\nmail 1', synthetic: true });
  const output = { output: 'done' };
  await plugin['tool.execute.after']({ sessionID: 'one', tool: 'bash', callID: 'c1' }, output);
  expect(output.output).toBe('done\n\nmail 2');
  const shell = { env: { A: '1' } };
  await plugin['shell.env']({ sessionID: 'one' }, shell);
  expect(shell.env).toEqual({ A: '1', MAILROOM_AS: 'bob' });
  expect(calls().map(({ event }) => event)).toEqual(['session.start', 'chat.message', 'tool.execute.after']);
  expect(calls()[0]?.input).toMatchObject({ session_id: 'one', cwd: directory, source: 'resume' });
  expect(calls()[1]?.input).toMatchObject({ prompted_by: 'person' });
  // The introduction is repeated after a compaction.
  await plugin.event({ event: { type: 'session.compacted', properties: { sessionID: 'one' } } });
  await chat(plugin, 'one');
  expect(calls()[3]).toMatchObject({ event: 'session.start', input: { source: 'compact' } });
});

it('starts another turn for mail at the end of a turn, and for later mail', async () => {
  answerWith({ 'session.idle': say({ continueWith: 'mail waits' }) });
  const { plugin, prompts } = await load();
  const idle = { event: { type: 'session.idle', properties: { sessionID: 'one' } } };
  await plugin.event(idle);
  await vi.waitFor(() => expect(prompts).toEqual(['mail waits']));
  await chat(plugin, 'one');
  await chat(plugin, 'one');
  const said = calls().filter(({ event }) => event === 'chat.message');
  expect(said.map(({ input }) => input['prompted_by'])).toEqual(['mailroom', 'person']);
  answerWith({ wake: say({ continueWith: 'mail came' }) });
  await plugin.event(idle);
  await vi.waitFor(() => expect(prompts).toEqual(['mail waits', 'mail came']));
  answerWith({ wake: 'echo "more mail" >&2; exit 2' });
  await plugin.event(idle);
  await vi.waitFor(() => expect(prompts).toEqual(['mail waits', 'mail came', 'more mail']));
});

it.each([
  ['is refused', () => ({ error: { name: 'BadRequest' } })],
  ['fails', () => Promise.reject(new Error('no server'))],
])('opens the session again, which shows what is not acknowledged, when its own prompt %s', async (_, answer) => {
  answerWith({ 'session.idle': say({ continueWith: 'mail waits' }) });
  const { plugin, prompts } = await load(answer);
  await chat(plugin, 'one');
  await plugin.event({ event: { type: 'session.idle', properties: { sessionID: 'one' } } });
  await vi.waitFor(() => expect(prompts).toEqual(['mail waits']));
  await chat(plugin, 'one');
  expect(calls().map(({ event }) => event)).toEqual([
    'session.start',
    'chat.message',
    'session.idle',
    'session.start',
    'chat.message',
  ]);
  expect(calls().at(-1)?.input).toMatchObject({ prompted_by: 'person' });
});

it('has at most one waiter, which ends at the next prompt and with the session', async () => {
  const pids = path.join(directory, 'pids');
  answerWith({ wake: `echo $$ >> ${pids}; exec sleep 600` });
  const { plugin } = await load();
  const waiters = (): number[] =>
    fs.existsSync(pids) ? fs.readFileSync(pids, 'utf8').trim().split('\n').map(Number) : [];
  const isAlive = (pid: number | undefined): boolean => fs.existsSync(`/proc/${pid}/cmdline`);
  const idle = async (count: number): Promise<void> => {
    await plugin.event({ event: { type: 'session.idle', properties: { sessionID: 'one' } } });
    await vi.waitFor(() => expect(waiters()).toHaveLength(count));
  };
  await idle(1);
  await idle(2);
  await vi.waitFor(() => expect(waiters().map(isAlive)).toEqual([false, true]));
  await chat(plugin, 'one');
  await vi.waitFor(() => expect(isAlive(waiters()[1])).toBe(false));
  await idle(3);
  await plugin.dispose();
  await vi.waitFor(() => expect(isAlive(waiters()[2])).toBe(false));
  expect(calls().at(-1)?.event).toBe('session.end');
});

it('ignores sessions of subagents, and every session if mailroom is missing or prints nonsense', async () => {
  answerWith({ 'chat.message': 'echo "{"', 'session.start': 'exit 3' });
  const { plugin } = await load();
  expect(await chat(plugin, 'child')).toHaveLength(1);
  expect(calls()).toEqual([]);
  expect(await chat(plugin, 'one')).toHaveLength(1);
  expect(calls()).toHaveLength(2);
  fs.rmSync(path.join(directory, 'mailroom'));
  expect(await chat(plugin, 'two')).toHaveLength(1);
  const output = { output: 'done' };
  await plugin['tool.execute.after']({ sessionID: 'two', tool: 'bash', callID: 'c1' }, output);
  expect(output).toEqual({ output: 'done' });
});

it('names its owner in its first line, and whether it was changed', () => {
  const text = pluginText({ as: 'bob' });
  expect(readPlugin(text)).toMatchObject({ isAsWritten: true });
  expect(readPlugin(text)?.commands[0]).toEqual({ event: 'session.start', as: 'bob' });
  expect(readPlugin(text.replace('SIGTERM', 'SIGINT'))).toMatchObject({ isAsWritten: false });
  expect(readPlugin('export const Mailroom = 1;\n')).toBeUndefined();
});
