import fs from 'node:fs';
import path from 'node:path';
import { expect } from 'vitest';
import type { CliRoom, Ran } from '../cli/cli-room.ts';
import { createProject } from '../runtime/cli-machines.ts';

/** Runs a command and a child machine, whose ids contain capitals and other characters. */
const PARENT = `
import { assign, fromPromise, setup } from 'xstate';
import { command } from 'agent-mailroom/workflow';

const child = setup({}).createMachine({ id: 'part', initial: 'over', output: 'of the child', states: { over: { type: 'final' } } });
export const machine = setup({
  actors: { child, build: command(() => ({ file: 'echo', args: ['built'], cwd: '.' })) },
}).createMachine({
  id: 'parent',
  context: { stdout: '', said: '' },
  initial: 'building',
  output: ({ context }) => context.stdout.trim() + ', ' + context.said,
  states: {
    building: {
      invoke: { id: 'Build: a*b?', src: 'build', onDone: { target: 'asking', actions: assign({ stdout: ({ event }) => event.output.stdout }) } },
    },
    asking: {
      invoke: { id: 'The:Child', src: 'child', onDone: { target: 'over', actions: assign({ said: ({ event }) => event.output }) } },
    },
    over: { type: 'final' },
  },
});
`;

/** A project for `exchangeIn`. */
export function createExchangeRoom(algorithm: 'hmac-sha256' | 'ed25519'): Promise<CliRoom> {
  return createProject({ 'parent.mjs': PARENT }, { algorithm });
}

/** The use of a room from end to end, through the command line, in processes that all get `env`. */
export async function exchangeIn(
  room: CliRoom,
  { env: own, hasJobs }: { env: Readonly<Record<string, string>>; hasJobs: boolean },
): Promise<void> {
  const run = (as: string, ...words: string[]): Promise<Ran> => room.run(words, { as, env: own });
  const good = async (as: string, ...words: string[]): Promise<string> => {
    const ran = await run(as, ...words);
    expect(ran, `${words.join(' ')}: ${ran.stderr}`).toMatchObject({ code: 0, signal: null });
    return ran.stdout;
  };
  const json = async (as: string, ...words: string[]): Promise<unknown> =>
    JSON.parse(await good(as, ...words, '--json')) as unknown;

  // Mail: sent, listed, claimed, released, read, replied to.
  await good('carol', 'join', 'carol');
  await good('alice', 'send', 'bob', 'QUESTION', 'who are you?');
  expect(await json('bob', 'inbox')).toMatchObject([{ content: 'who are you?' }]);
  const [held] = (await json('bob', 'read', '--hold')) as { id: string }[];
  if (!held) throw new Error('nothing was claimed');
  await good('bob', 'renew', held.id);
  await good('bob', 'release', held.id);
  await good('bob', 'read');
  await good('bob', 'reply', held.id, 'INFO', 'bob');
  expect(await json('alice', 'read')).toMatchObject([{ content: 'bob' }]);
  await good('alice', 'broadcast', 'INFO', 'all of you');
  expect(await good('carol', 'read')).toContain('all of you');
  expect(await good('alice', 'status', held.id)).toContain('acknowledged');

  // Unverifiable files are put aside, and retryable ones are taken back.
  fs.writeFileSync(path.join(room.room, 'actors/bob/mailbox/new', `${held.id}.alice.json`), 'forged');
  await good('bob', 'read');
  expect(await good('bob', 'dead')).toContain('refused');
  await good('bob', 'purge');

  // A session that joins by its hooks.
  const input = { session_id: 'Ses:A*B?C.', cwd: room.directory, source: 'startup' };
  const hook = await room.run(['hook', 'claude', 'SessionStart'], { stdin: JSON.stringify(input), env: own });
  expect(hook).toMatchObject({ code: 0 });
  expect(await good('alice', 'agents')).toContain('claude-1');

  if (hasJobs) {
    expect(await good('alice', 'run', 'parent.mjs')).toBe('"built, of the child"\n');
    expect(await good('alice', 'workflows')).toContain('parent');
  }
  await good('alice', 'log');
  await good('carol', 'leave');
  expect((await run('alice', 'doctor')).stdout).not.toMatch(/^ *(?:wrong|✗)/m);
}

/** Every name in the room. */
export function namesBelow(directory: string): string[] {
  return fs.readdirSync(directory, { recursive: true, encoding: 'utf8' });
}
