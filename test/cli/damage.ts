import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setup } from 'xstate';
import { keepContext, putAnswer, putRound, writeThread } from '../../src/agents/records.ts';
import { contextOf } from '../../src/room/room.ts';
import { runWorkflow } from '../../src/runtime/host.ts';
import { nodeHost } from '../../src/host/node-host.ts';
import { handleHook } from '../../src/hooks/handle-hook.ts';
import { parseHookEvent } from '../../src/hooks/hook-event.ts';
import { sessionOf } from '../../src/hooks/session.ts';
import { writeWaiter } from '../../src/hooks/waiter.ts';
import { initRoom, openRoom, type Room } from '../../src/index.ts';
import { claimAttempt, publishExit } from '../../src/jobs/job-files.ts';
import { writeSpec } from '../../src/jobs/job-spec.ts';
import { actorLayout, roomLayout } from '../../src/message/layout.ts';

export type Algorithm = 'hmac-sha256' | 'ed25519';

/** Not on a disk, where there is such a place: what is tested is not what survives a loss of power. */
const PARENT = fs.existsSync('/dev/shm') ? '/dev/shm' : os.tmpdir();

/** A directory that holds a room with one of every durable file in it. */
export async function makeWholeRoom(algorithm: Algorithm): Promise<string> {
  const base = fs.realpathSync(fs.mkdtempSync(path.join(PARENT, 'mailroom-whole-')));
  const { directory } = await initRoom({ cwd: base, algorithm, limits: { rateLimit: 1_000 } });
  await using room = await openRoom({ directory, durability: 'process' });
  const alice = await room.join('alice');
  const bob = await room.join('bob');
  await alice.send({ to: 'bob', type: 'INFO', content: 'read' });
  for await (const mail of bob.inbox({ wait: false })) {
    await bob.reply(mail, { type: 'INFO', content: 'answered' });
    await mail.ack();
  }
  await alice.send({ to: 'bob', type: 'INFO', content: 'rejected' });
  for await (const mail of bob.inbox({ wait: false })) await mail.reject('no');
  const machine = setup({}).createMachine({ id: 'ended', initial: 'over', states: { over: { type: 'final' } } });
  await runWorkflow(room, machine, { input: { text: 'begun' } });

  const own = actorLayout(roomLayout(directory), 'bob');
  fs.writeFileSync(own.nudged, '', { mode: 0o600 });
  fs.writeFileSync(own.step, '', { mode: 0o600 });
  fs.writeFileSync(own.mailbox.purgedThrough, '2020-01-01\n', { mode: 0o600 });
  const job = `${own.jobs}/inc.1.1`;
  const spec = { file: 'true', args: [] };
  await writeSpec(nodeHost, job, spec);
  const attempt = { directory: job, number: 1 };
  await claimAttempt(nodeHost, attempt);
  const times = { startedAt: new Date(0).toISOString(), endedAt: new Date(1).toISOString(), durationMs: 1 };
  await publishExit(nodeHost, attempt, { exitCode: 0, signal: null, timedOut: false, swept: true, ...times });
  const question = `${own.agent.questions}/key`;
  fs.mkdirSync(question, { recursive: true, mode: 0o700 });
  await putRound(nodeHost, { directory: question, number: 1 }, { spec, resumes: false, told: 0 });
  await putAnswer(nodeHost, question, { id: 'x', type: 'INFO', content: 'y', isFailure: false });
  await writeThread(nodeHost, own.agent.threads, { threadId: 't', tool: 'x', told: 0, exchanges: [] });
  for (const mail of [{ id: 'i', from: 'alice' }] as unknown as Parameters<typeof keepContext>[2][])
    await keepContext(nodeHost, own.agent.context, mail);
  await alice.send({ to: 'bob', type: 'INFO', content: 'shown' });
  await showToSession(room);
  return base;
}

/** bob's session of a program is shown what waits, and something waits to wake it. */
async function showToSession(room: Room): Promise<void> {
  const context = contextOf(room);
  const hook = { env: { MAILROOM_AS: 'bob' }, ownCommand: 'mailroom', exportAddress: () => false };
  for (const name of ['SessionStart', 'UserPromptSubmit']) {
    const event = parseHookEvent('{"session_id":"one"}', { program: 'claude', name });
    const { afterwards } = await handleHook(context, event, hook);
    await afterwards();
    const session = sessionOf(context, event);
    if (!session) continue;
    await writeWaiter(context, session, { token: 'none', wakes: 1 });
    fs.writeFileSync(session.layout.subagent, '', { mode: 0o600 });
  }
}

/** A copy that a test may damage. */
export function copyOf(base: string): string {
  const copy = fs.mkdtempSync(path.join(PARENT, 'mailroom-damaged-'));
  execFileSync('cp', ['-a', `${base}/.mailroom`, copy]);
  return fs.realpathSync(copy);
}

/** What may happen to a file or a directory. */
export const DAMAGES = {
  missing: (at: string) => fs.rmSync(at, { recursive: true }),
  empty: (at: string) => fs.truncateSync(at),
  garbage: (at: string) => fs.writeFileSync(at, '\u0000\uffff{"v":'),
  'another kind': (at: string) => {
    const wasFile = fs.statSync(at).isFile();
    fs.rmSync(at, { recursive: true });
    if (wasFile) fs.mkdirSync(at);
    else fs.writeFileSync(at, 'no directory');
  },
  'a link': (at: string) => {
    const elsewhere = path.join(at.slice(0, at.indexOf('/.mailroom')), 'elsewhere');
    fs.renameSync(at, elsewhere);
    fs.symlinkSync(elsewhere, at);
  },
  'a dangling link': (at: string) => {
    fs.rmSync(at, { recursive: true });
    fs.symlinkSync('/nowhere/at/all', at);
  },
  'no mode': (at: string) => fs.chmodSync(at, 0),
  /** One character within a record is not what was written. */
  changed: (at: string) => {
    const text = fs.readFileSync(at, 'utf8');
    fs.writeFileSync(at, text.replace(/"by":"./, '"by":"_'));
  },
} as const;

export type Damage = keyof typeof DAMAGES;
