import fs from 'node:fs';
import path from 'node:path';
import { assign, setup } from 'xstate';
import { expect, test } from 'vitest';
import { listWorkflows } from '../../src/journal/list.ts';
import { actorLayout, roomLayout } from '../../src/message/layout.ts';
import { drawNumbers } from '../../src/testing/crash/matrix.ts';
import { counter } from './machines.ts';
import { eventually, texts, WorkflowRoom } from './workflow-room.ts';

const SEED = Number(process.env['MAILROOM_SEED'] ?? Date.now() % 2 ** 31);
const note = (n: number) => ({ to: 'counter', type: 'NOTE', content: 'x'.repeat(400), data: { n } });
const journalOf = (room: WorkflowRoom): string => actorLayout(roomLayout(room.directory), 'counter').journal;

/** A counter that has taken notes 1 to `notes` and was closed cleanly. */
async function counted(notes: number): Promise<WorkflowRoom> {
  const room = await WorkflowRoom.make({ inMemory: true, limits: { rateLimit: 100_000 } });
  const alice = await (await room.open()).join('alice');
  const { host } = await room.run(counter);
  for (let n = 1; n <= notes; n++) await alice.send(note(n));
  await eventually('all are taken', () => (room.state('counter')?.state?.steps ?? 0) === notes + 1);
  await eventually('all are answered', () => texts(alice).length === notes);
  await host.close();
  return room;
}

const sumOf = (room: WorkflowRoom): number => Number(room.snapshot('counter').context['sum']);

/** What reading the journal gives: the sum, or the code of the error. */
function readingOf(room: WorkflowRoom): number | string {
  try {
    return sumOf(room);
  } catch (error) {
    const { code, hint = '' } = error as { code?: string; hint?: string };
    return `${code}${hint.includes('backup') ? ', restore it from a backup' : ''}`;
  }
}

test('a torn tail, as a crash leaves it, is skipped at every length', async () => {
  await using room = await counted(3);
  const file = path.join(journalOf(room), '1.jsonl');
  const whole = fs.readFileSync(file);
  const lastRecord = whole.lastIndexOf('\n\n') + 1;
  const before = JSON.stringify(room.state('counter')?.state);
  for (let end = lastRecord; end < whole.length; end += 7) {
    fs.writeFileSync(file, whole.subarray(0, end));
    expect(JSON.stringify(room.state('counter')?.state)).toBe(before);
    // Its last host looks alive: it is this process.
    const { host } = await room.run(counter, { takeOver: true });
    await host.close();
  }
  expect(sumOf(room)).toBe(6);
});

test('a flipped bit anywhere in a journal is refused with a remedy or changes nothing, and is never silently wrong', async () => {
  await using room = await counted(12);
  const file = path.join(journalOf(room), '1.jsonl');
  const whole = fs.readFileSync(file);
  const next = drawNumbers(SEED);
  const outcomes = { refused: 0, same: 0 };
  const flips = 300;
  for (let flip = 0; flip < flips; flip++) {
    const at = next() % whole.length;
    const damaged = Buffer.from(whole);
    damaged[at] = (damaged[at] ?? 0) ^ (1 << (next() % 8));
    fs.writeFileSync(file, damaged);
    const reading = readingOf(room);
    // A flip after the last brace of the last record, for example, hits nothing that counts.
    expect(['CHAIN_DAMAGED, restore it from a backup', 78]).toContain(reading);
    const ran =
      reading === 78
        ? 'read'
        : await room.run(counter).then(
            () => 'ran',
            (error: { code: string }) => error.code,
          );
    expect(['read', 'CHAIN_DAMAGED']).toContain(ran);
    if (reading === 78) outcomes.same += 1;
    else outcomes.refused += 1;
  }
  console.log(`${flips} flips in ${whole.length} bytes, seed ${SEED}: ${JSON.stringify(outcomes)}`);
  expect(outcomes.refused).toBeGreaterThan(flips / 2);
});

test('a missing segment is refused by every reader that needs it', async () => {
  await using room = await counted(200);
  const segments = fs.readdirSync(journalOf(room)).sort((a, b) => Number.parseInt(a) - Number.parseInt(b));
  console.log(`${segments.length} segments`);
  expect(segments.length).toBeGreaterThan(2);
  fs.rmSync(path.join(journalOf(room), segments[1] ?? ''));
  expect(() => room.journal('counter')).toThrow(/no file that begins with record/);
  // Resuming needs only the last one.
  const { host } = await room.run(counter);
  await host.close();
  expect(sumOf(room)).toBe(20_100);
});

test('a newer format is refused with a hint to update', async () => {
  await using room = await counted(1);
  const { JournalFold } = await import('../../src/journal/fold.ts');
  const fold = new JournalFold(journalOf(room));
  const newer = { v: 3, at: 0, process: { pid: 1, startTime: '', bootId: '' }, machine: { id: 'x', hash: 'y' } };
  const record = { seq: 1, prev: '', by: 'a', hash: '' };
  expect(() => fold.apply({ ...record, body: { open: newer } })).toThrow(/format 3; this Mailroom knows 2/);
  expect(() => fold.apply({ ...record, body: { surprise: 1 } })).toThrow(/content that this version does not know/);
});

test('changed code is refused until it is accepted, and a replay shows what would differ', async () => {
  const { replayWorkflow } = await import('../../src/history/replay.ts');
  const types = { context: {} as { n: number } };
  const first = setup({ types }).createMachine({
    id: 'stepper',
    context: { n: 0 },
    initial: 'going',
    states: {
      going: { after: { 5: { target: 'gone', actions: assign({ n: ({ context }) => context.n + 1 }) } } },
      gone: {},
    },
  });
  const changed = setup({ types }).createMachine({
    id: 'stepper',
    context: { n: 0 },
    initial: 'going',
    states: {
      going: { after: { 5: { target: 'gone', actions: assign({ n: ({ context }) => context.n + 100 }) } } },
      gone: {},
    },
  });
  await using room = await WorkflowRoom.make();
  const { host, room: opened } = await room.run(first);
  await eventually('it is gone', () => room.story('stepper').some(({ to }) => to === 'gone'));
  await host.close();
  await expect(room.run(changed)).rejects.toMatchObject({
    code: 'CONFLICT',
    message: expect.stringContaining('The code of the machine'),
    hint: expect.stringContaining('--accept-changed'),
  });
  expect(replayWorkflow(opened, 'stepper', first)).toEqual({ steps: 2, divergences: [] });
  expect(replayWorkflow(opened, 'stepper', changed)?.divergences).toEqual([
    { seq: expect.any(Number), step: 3, where: 'state.snapshot.context.n', recorded: 1, replayed: 100 },
  ]);
  const again = await room.run(changed, { acceptChanged: true });
  await again.host.close();
});

test('a damaged journal blocks no other workflow, and the list shows the damage', async () => {
  await using room = await counted(2);
  const file = path.join(journalOf(room), '1.jsonl');
  const damaged = fs.readFileSync(file);
  damaged[200] = (damaged[200] ?? 0) ^ 1;
  fs.writeFileSync(file, damaged);
  const { host, room: opened } = await room.run(counter, { address: 'other' });
  await eventually('the other one has begun', () => room.state('other')?.state);
  await host.close();
  const told = listWorkflows(opened).map(({ address, damage }) => [address, damage !== undefined]);
  expect(told).toEqual([
    ['counter', true],
    ['other', false],
  ]);
});
