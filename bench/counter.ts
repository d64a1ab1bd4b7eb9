import { assign, setup } from 'xstate';
import { z } from 'zod';
import type { Durability } from '../src/index.ts';
import type { FileSystem } from '../src/runtime.ts';
import { CONTENT_600_B, makeRoom } from './bench-room.ts';
import type { Bench, WorkflowLibrary } from './row.ts';

/** The least that a workflow does for a message: another state, another context, an answer. */
export function makeCounter({ accepts, reply }: WorkflowLibrary) {
  const mail = accepts({ WORK: z.object({ points: z.number() }) });
  return setup({
    schemas: mail,
    types: { events: mail.events, context: {} as { handled: number; points: number; last: string } },
    actions: {
      count: assign({
        handled: ({ context }) => context.handled + 1,
        points: ({ context, event }) => context.points + (event.type === 'WORK' ? event.data.points : 0),
        last: ({ context, event }) => (event.type === 'WORK' ? event.from : context.last),
      }),
    },
  }).createMachine({
    id: COUNTER,
    context: { handled: 0, points: 0, last: '' },
    initial: 'even',
    states: {
      even: { on: { WORK: { target: 'odd', actions: ['count', reply(ANSWER)] } } },
      odd: { on: { WORK: { target: 'even', actions: ['count', reply(ANSWER)] } } },
    },
  });
}

export type Counter = ReturnType<typeof makeCounter>;

export const COUNTER = 'counter';
const ANSWER = { type: 'INFO', content: CONTENT_600_B } as const;
const MESSAGE = { to: COUNTER, type: 'WORK', content: CONTENT_600_B, data: { points: 3 } } as const;

/** What the machine is given for such a message. */
export const EVENT = {
  type: 'WORK',
  from: 'alice',
  content: CONTENT_600_B,
  messageId: '0190a000-0000-7000-8000-000000000000',
  data: { points: 3 },
} as const;

/** A room with a workflow that has begun, whom alice can write to. */
export interface CounterRoom {
  /** Its `.mailroom`. */
  readonly directory: string;
  readonly machine: Counter;
  readonly send: () => Promise<unknown>;
  readonly close: () => Promise<void>;
}

export async function makeCounterRoom(bench: Bench): Promise<CounterRoom> {
  const { workflows } = bench;
  const machine = makeCounter(workflows);
  const { directory, agents, close } = await makeRoom(bench, { addresses: ['alice'] });
  const room = await bench.library.openRoom({ directory, durability: 'process' });
  const host = new workflows.WorkflowHost(room);
  const begun = new Promise<void>((resolve) => host.onRecord(() => resolve()));
  await host.run(machine);
  await begun;
  await host.close();
  await room.close();
  return { directory, machine, send: async () => agents[0]?.send(MESSAGE), close };
}

/** A workflow that is being run, and what of it can be waited for. */
export interface RunningCounter {
  /**
   * Resolves when it has acknowledged and answered so many messages since it was opened, with the monotonic time (ns) of
   * the last of that; in `power` durability the answers' directory is then on the disk.
   */
  readonly handled: (count: number) => Promise<bigint>;
  /** When it first looked into its mailbox. */
  readonly lookedAt: () => bigint;
  readonly close: () => Promise<void>;
}

interface RunOptions {
  readonly durability: Durability;
  /** Puts something around the file system that it works on. */
  readonly around?: (files: FileSystem) => FileSystem;
  /** Is called when it first looks into its mailbox. */
  readonly onLook?: () => void;
}

/** Runs it as any program would; what it does is seen at its file system. */
export async function runCounter(
  bench: Bench,
  { directory, machine }: CounterRoom,
  { durability, around = (files) => files, onLook = () => {} }: RunOptions,
): Promise<RunningCounter> {
  const { openRoom } = bench.library;
  const { nodeHost } = bench.workflows;
  const seen = observe(nodeHost.files, { directory, durability, onLook });
  const room = await openRoom({ directory, durability, host: { ...nodeHost, files: around(seen.files) } });
  const workflowHost = new bench.workflows.WorkflowHost(room);
  const { result } = await workflowHost.run(machine);
  return {
    handled: (count) => Promise.race([seen.handled(count), result.then(() => Promise.reject(new Error('it ended')))]),
    lookedAt: seen.lookedAt,
    close: async () => {
      await workflowHost.close();
      await room.close();
    },
  };
}

function observe(
  files: FileSystem,
  { directory, durability, onLook }: { directory: string; durability: Durability; onLook: () => void },
) {
  const actors = `${directory}/actors`;
  const waiting = `${actors}/${COUNTER}/mailbox/new`;
  let lookedAt: bigint | undefined;
  let acknowledged = 0;
  let answered = 0;
  let wanted: { count: number; resolve: (at: bigint) => void } | undefined;
  const settle = (): void => {
    if (!wanted || acknowledged < wanted.count || answered < wanted.count) return;
    wanted.resolve(process.hrtime.bigint());
    wanted = undefined;
  };
  const observed: FileSystem = {
    ...files,
    readdir: (path) => {
      if (path === waiting && lookedAt === undefined) {
        onLook();
        lookedAt = process.hrtime.bigint();
      }
      return files.readdir(path);
    },
    link: (existing, created) => {
      files.link(existing, created);
      if (!created.startsWith(`${actors}/alice/mailbox/new/`)) return;
      answered += 1;
      if (durability === 'process') settle();
    },
    rename: (from, to) => {
      files.rename(from, to);
      if (to.startsWith(`${actors}/${COUNTER}/mailbox/done/`)) acknowledged += 1;
      if (durability === 'process') settle();
    },
    fsync: async (fd) => {
      // What was linked before it began is on the disk after it; begun earlier, it may not have seen the last link.
      const isLast = wanted !== undefined && answered >= wanted.count;
      await files.fsync(fd);
      if (isLast) settle();
    },
  };
  return {
    files: observed,
    lookedAt: (): bigint => {
      if (lookedAt === undefined) throw new Error('it has not looked into its mailbox');
      return lookedAt;
    },
    handled: (count: number): Promise<bigint> =>
      new Promise((resolve) => {
        wanted = { count, resolve };
        settle();
      }),
  };
}
