import fs from 'node:fs';
import { expect, test } from 'vitest';
import { WorkflowHost } from '../../src/runtime/host.ts';
import { putFlood } from '../arrivals/put-flood.ts';
import { amount } from '../run/amount.ts';
import { asker, counter, deadline } from './machines.ts';
import { eventually, texts, WorkflowRoom } from './workflow-room.ts';

const note = (n: number) => ({ to: 'counter', type: 'NOTE', content: '', data: { n } });

test('a workflow takes each message once, answers under its own name, and returns its output again when it is run again', async () => {
  await using room = await WorkflowRoom.make();
  const alice = await (await room.open()).join('alice');
  const { host, workflow } = await room.run(counter);
  for (let n = 1; n <= 100; n++) await alice.send(note(n));
  await alice.send({ to: 'counter', type: 'FINISH', content: '' });
  expect(await workflow.result).toEqual({ status: 'done', output: { sum: 5050, from: ['alice'] } });
  await host.close();
  expect(texts(alice)).toHaveLength(100);
  expect(texts(alice).at(-1)).toBe('INFO sum 5050');
  const again = await room.run(counter);
  expect(await again.workflow.result).toEqual({ status: 'done', output: { sum: 5050, from: ['alice'] } });
  await again.host.close();
});

test('mail of an undeclared type, of another shape, or after the end becomes a dead letter with its reason', async () => {
  await using room = await WorkflowRoom.make();
  const alice = await (await room.open()).join('alice');
  const { host, workflow } = await room.run(counter);
  const undeclared = await alice.send({ to: 'counter', type: 'INFO', content: 'hello' });
  const misshapen = await alice.send({ to: 'counter', type: 'NOTE', content: '', data: { n: 'one' } });
  await alice.send({ to: 'counter', type: 'FINISH', content: '' });
  await workflow.result;
  const late = await alice.send(note(1));
  const reasonOf = (id: string) => room.status(id)[0]?.reason;
  await eventually('the late one is dead', () => reasonOf(late.id) !== undefined);
  expect([undeclared, misshapen, late].map(({ id }) => reasonOf(id))).toEqual(['undeclared-type', 'bad-data', 'ended']);
  await host.close();
  expect(room.story('counter').filter(({ verdict }) => verdict === 'refused')).toHaveLength(3);
});

test('a step that throws keeps the last good state, and its message becomes a dead letter', async () => {
  await using room = await WorkflowRoom.make();
  const alice = await (await room.open()).join('alice');
  const { host, workflow } = await room.run(counter);
  await alice.send(note(3));
  const thrown = await alice.send({ to: 'counter', type: 'THROW', content: '' });
  await alice.send(note(4));
  await alice.send({ to: 'counter', type: 'FINISH', content: '' });
  expect(await workflow.result).toMatchObject({ output: { sum: 7 } });
  await host.close();
  expect(room.status(thrown.id)[0]).toMatchObject({ state: 'dead', reason: 'step-failed' });
  const [failed] = room.story('counter').filter(({ verdict }) => verdict === 'failed');
  expect(failed?.detail).toMatch(/^Error: this step always throws \(at .*\/runtime\/machines\.ts:\d+:\d+\)$/);
});

test('only the actor that was asked can answer, and an answer of another shape leaves the ask open', async () => {
  await using room = await WorkflowRoom.make();
  const opened = await room.open();
  const [alice, mallory] = [await opened.join('alice'), await opened.join('mallory')];
  const { host, workflow } = await room.run(asker);
  const question = await eventually('the question', () => alice.list().unsettled[0]?.message);
  const forged = await mallory.send({
    to: 'asker',
    type: 'INFO',
    content: 'yes',
    replyTo: question.id,
    threadId: question.threadId,
  });
  const misshapen = await alice.reply(question, { type: 'INFO', content: 'yes', data: { sure: 'very' } });
  await eventually('both are dead', () => room.status(forged.id)[0]?.reason && room.status(misshapen.id)[0]?.reason);
  expect(room.status(forged.id)[0]?.reason).toBe('not-believed');
  expect(room.status(misshapen.id)[0]?.reason).toBe('bad-data');
  await alice.reply(question, { type: 'INFO', content: 'indeed', data: { sure: true } });
  expect(await workflow.result).toEqual({ status: 'done', output: 'alice: indeed' });
  const late = await alice.reply(question, { type: 'INFO', content: 'after all not' });
  await eventually('the late answer is dealt with', () => room.status(late.id)[0]?.state !== 'delivered');
  await host.close();
  expect(room.story('asker').map(({ verdict }) => verdict)).toContain('refused');
});

test('an ask of somebody who never joined fails with the code of the error', async () => {
  await using room = await WorkflowRoom.make();
  const { host, workflow } = await room.run(asker, { input: { to: 'nobody' } });
  expect(await workflow.result).toEqual({ status: 'done', output: 'failed: ACTOR_NOT_FOUND' });
  await host.close();
});

const BACKLOG = amount(3_000, { long: 10_000 });

test(`with ${BACKLOG} messages waiting, a deadline of 100 ms comes within a second of its time`, async () => {
  const count = BACKLOG;
  await using room = await WorkflowRoom.make({
    inMemory: true,
    limits: { rateLimit: 100_000, newMessagesMax: 100_000 },
  });
  const opened = await room.open();
  await opened.join('alice');
  await opened.join('deadline', { accepts: ['NOTE'] });
  putFlood({ readerRoom: opened }, { from: 'alice', to: 'deadline', type: 'NOTE', count });
  const taker = await room.open();
  const host = new WorkflowHost(taker);
  const queuedBefore = queuedMs();
  let keptWaitingMs = 0;
  host.onRecord((_, record) => {
    if ('commit' in record && record.commit.cause.kind === 'timer') keptWaitingMs = queuedMs() - queuedBefore;
  });
  const { result } = await host.run(deadline, { takeOver: true });
  const ended = await result;
  await host.close();
  const fired = room
    .journal('deadline')
    .flatMap((entry) => ('commit' in entry && entry.commit.cause.kind === 'timer' ? [entry.commit] : []));
  const lateMs = (fired[0]?.at ?? Infinity) - (fired[0]?.cause.kind === 'timer' ? fired[0].cause.dueAt : 0);
  console.log(
    `the deadline came ${lateMs} ms late, kept waiting for a processor for ${keptWaitingMs} ms, with ${JSON.stringify(ended)} of ${count} messages taken before it`,
  );
  // A busy machine may not schedule this process in time. Its own sleep and CPU time do count.
  expect(lateMs - keptWaitingMs).toBeLessThan(1_000);
  expect(lateMs).toBeGreaterThanOrEqual(0);
  expect(fired).toHaveLength(1);
});

/** How long the main thread was runnable but not scheduled (the second field of proc(5) schedstat); 0 if unknown. */
function queuedMs(): number {
  try {
    return Math.round(Number(fs.readFileSync('/proc/self/schedstat', 'utf8').split(' ')[1]) / 1_000_000);
  } catch {
    return 0;
  }
}
