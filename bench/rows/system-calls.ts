import type { Agent } from '../../src/index.ts';
import type { FileSystem, Host } from '../../src/runtime.ts';
import { CONTENT_600_B, makeRoom } from '../bench-room.ts';
import { makeCounterRoom, runCounter } from '../counter.ts';
import type { Bench, Outcome, Row } from '../row.ts';

const OPERATIONS = 40;
const READERS = 10;

/** What each operation asks of the file system: no load of the machine changes these figures. */
export const systemCallsRow: Row = {
  name: 'system-calls',
  run: async (bench): Promise<Outcome[]> => {
    const content = { type: 'INFO', content: CONTENT_600_B };
    const count = (work: string, durability: 'process' | 'power', act: Act): Promise<Outcome> =>
      countCalls(bench, { work, durability, act });
    return [
      await count('system calls of a send (process)', 'process', ({ alice }) => alice.send({ to: 'bob', ...content })),
      await count('system calls of a send (power)', 'power', ({ alice }) => alice.send({ to: 'bob', ...content })),
      await count(`system calls of a broadcast to ${READERS}`, 'process', ({ alice }) => alice.broadcast(content)),
      await countReceiving(bench),
      await countSteps(bench, 'process'),
      await countSteps(bench, 'power'),
    ];
  },
};

type Calls = Record<string, number>;
type Act = (agents: { alice: Agent; bob: Agent }) => Promise<unknown>;

async function countCalls(
  bench: Bench,
  { work, durability, act }: { work: string; durability: 'process' | 'power'; act: Act },
): Promise<Outcome> {
  const { alice, bob, calls, close } = await countedRoom(bench, durability);
  // The first opens what the others use.
  await act({ alice, bob });
  const before = { ...calls };
  for (let done = 0; done < OPERATIONS; done++) await act({ alice, bob });
  const counted = perOperation(calls, before);
  await close();
  return { work, calls: counted };
}

async function countReceiving(bench: Bench): Promise<Outcome> {
  const { alice, bob, calls, close } = await countedRoom(bench, 'process');
  for (let sent = 0; sent < OPERATIONS + 1; sent++)
    await alice.send({ to: 'bob', type: 'INFO', content: CONTENT_600_B });
  let before: Calls | undefined;
  for await (const mail of bob.inbox({ wait: false })) {
    await mail.ack();
    before ??= { ...calls };
  }
  const counted = perOperation(calls, before ?? {});
  await close();
  return { work: 'system calls of a receive (listings of the whole mailbox included)', calls: counted };
}

/** Out of a backlog, from the first look into the mailbox until all are acknowledged and answered. */
async function countSteps(bench: Bench, durability: 'process' | 'power'): Promise<Outcome> {
  const room = await makeCounterRoom(bench);
  for (let sent = 0; sent < OPERATIONS; sent++) await room.send();
  const calls: Calls = {};
  let before: Calls = {};
  const running = await runCounter(bench, room, {
    durability,
    around: (files) => counting(files, calls),
    onLook: () => (before = { ...calls }),
  });
  await running.handled(OPERATIONS);
  const counted = perOperation(calls, before);
  await running.close();
  await room.close();
  return {
    work: `system calls of a durable step (${durability}; its share of listings and syncs included)`,
    calls: counted,
  };
}

async function countedRoom(bench: Bench, durability: 'process' | 'power') {
  const addresses = ['alice', 'bob', ...Array.from({ length: READERS - 1 }, (_, index) => `agent-${index}`)];
  const made = await makeRoom(bench, { addresses });
  await made.close();
  const calls: Calls = {};
  const host: Host = { ...bench.workflows.nodeHost, files: counting(bench.workflows.nodeHost.files, calls) };
  const room = await bench.library.openRoom({ directory: made.directory, durability, host });
  return { alice: room.agent('alice'), bob: room.agent('bob'), calls, close: () => room.close() };
}

/** Counts every call of the port. A listing is four calls of the system, any other is one. */
function counting(files: FileSystem, calls: Calls): FileSystem {
  return new Proxy(files, {
    get: (target, name: keyof FileSystem) => {
      calls[name] = (calls[name] ?? 0) + 1;
      return target[name];
    },
  });
}

function perOperation(calls: Calls, before: Calls): Calls {
  const counted: Calls = {};
  for (const [name, count] of Object.entries(calls)) {
    const each = (count - (before[name] ?? 0)) / OPERATIONS;
    if (each > 0) counted[name] = Math.round(each * 100) / 100;
  }
  return counted;
}
