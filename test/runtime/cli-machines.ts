import fs from 'node:fs';
import path from 'node:path';
import { createCliRoom, type CliRoom } from '../cli/cli-room.ts';

const ROOT = path.join(import.meta.dirname, '..', '..');

/** A project in which the package is installed, with these files in it, and a room. */
export async function createProject(
  files: Readonly<Record<string, string>>,
  options: Parameters<typeof createCliRoom>[0] = {},
): Promise<CliRoom> {
  const room = await createCliRoom(options);
  const modules = path.join(room.directory, 'node_modules');
  fs.mkdirSync(modules);
  fs.symlinkSync(ROOT, path.join(modules, 'agent-mailroom'));
  for (const name of ['xstate', 'zod']) fs.symlinkSync(path.join(ROOT, 'node_modules', name), path.join(modules, name));
  for (const [name, text] of Object.entries(files)) fs.writeFileSync(path.join(room.directory, name), text);
  return room;
}

/** Whether a host closes cleanly on a signal: within its first second a signal just ends it, like most programs. */
export function handlesSignals(pid: number | undefined): boolean {
  const caught = /^SigCgt:\t([0-9a-f]+)$/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0';
  // SIGHUP, the lowest bit: Node itself catches the others.
  return (Number.parseInt(caught.at(-1) ?? '0', 16) & 1) === 1;
}

/** Ends with its input, after GO. Valid as JavaScript and as TypeScript, like the others. */
export const GREETER = `
import { assign, setup } from 'xstate';
import { z } from 'zod';
import { accepts, reply, runIfMain } from 'agent-mailroom/workflow';

const mail = accepts({ GO: z.object({ name: z.string() }).optional() });

export const machine = setup({
  schemas: mail,
}).createMachine({
  id: 'greeter',
  context: ({ input }) => ({ name: input?.name ?? 'nobody' }),
  initial: 'waiting',
  output: ({ context }) => 'hello ' + context.name,
  states: {
    waiting: {
      on: {
        GO: {
          target: 'over',
          actions: [
            assign({ name: ({ context, event }) => event.data?.name ?? context.name }),
            reply({ type: 'INFO', content: 'gone' }),
          ],
        },
      },
    },
    over: { type: 'final' },
  },
});
runIfMain(import.meta.url);
`;

/** Kills its own process in the step that a message of the type KILL causes. */
export const POISONED = `
import { assign, setup } from 'xstate';
import { z } from 'zod';
import { accepts } from 'agent-mailroom/workflow';

const kill = () => process.kill(process.pid, 'SIGKILL');

export const machine = setup({ schemas: accepts({ KILL: z.unknown(), POISON: z.unknown().refine(kill), GO: z.unknown() }) }).createMachine({
  id: 'poisoned',
  context: { gone: 0 },
  initial: 'waiting',
  output: 'survived',
  states: {
    waiting: {
      on: { KILL: { actions: assign(kill) }, POISON: {}, GO: 'over' },
    },
    over: { type: 'final' },
  },
});
`;

/** Fails at once. */
export const FAILING = `
import { setup } from 'xstate';
import { activity } from 'agent-mailroom/workflow';

export const machine = setup({
  actors: { work: activity(async () => { throw new Error('the disk is on fire'); }) },
}).createMachine({ id: 'failing', initial: 'working', states: { working: { invoke: { src: 'work' } } } });
`;

/** It imports nothing from Mailroom, and ends without an output. */
export const SILENT = `
import { fromPromise, setup } from 'xstate';

export const machine = setup({ actors: { work: fromPromise(async () => {}) } }).createMachine({
  id: 'silent',
  initial: 'working',
  states: { working: { invoke: { src: 'work', onDone: 'over' } }, over: { type: 'final' } },
});
`;

/** Machines that cannot resume after a restart. */
export const REFUSED = `
import { fromCallback, setup } from 'xstate';

export const machine = setup({ actors: { work: fromCallback(() => {}) } }).createMachine({
  id: 'refused',
  initial: 'working',
  states: { working: { entry: () => {}, invoke: { src: 'work' } } },
});
`;

/**
 * Has functions that never return, wherever SPIN says, and one that takes a while. They hold the thread, in a loop that sleeps most
 * of the time; with LOOPS it never sleeps.
 */
export const SPINNING = `
import { assign, setup } from 'xstate';
import { z } from 'zod';
import { accepts, action, activity } from 'agent-mailroom/workflow';

const { SPIN, LOOPS } = process.env;
const hold = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
const spin = () => { while (true) if (!LOOPS) hold(100); };
const slow = () => { hold(4_000); return {}; };
const mail = accepts({ GUARD: z.unknown(), ASSIGN: z.unknown(), SLOW: z.unknown(), GO: z.unknown() });
const child = setup({ guards: { spin } }).createMachine({ id: 'kid', initial: 'a', states: { a: { after: { 10: { guard: 'spin' } } } } });

export const machine = setup({
  schemas: mail,
  guards: { spin },
  actions: { spin: action(spin) },
  actors: { child, work: activity(spin) },
}).createMachine({
  id: 'spinning',
  context: {},
  initial: 'waiting',
  output: 'survived',
  states: {
    waiting: {
      ...(SPIN === 'start' ? { always: { guard: 'spin', target: 'over' } } : {}),
      ...(SPIN === 'timer' ? { after: { 10: { guard: 'spin', target: 'over' } } } : {}),
      ...(SPIN === 'action' ? { entry: 'spin' } : {}),
      ...(SPIN === 'activity' ? { invoke: { src: 'work' } } : {}),
      ...(SPIN === 'child' ? { invoke: { src: 'child', id: 'kid' } } : {}),
      on: {
        GUARD: { guard: 'spin', target: 'over' },
        ASSIGN: { actions: assign(spin) },
        SLOW: { actions: assign(slow) },
        GO: 'over',
      },
    },
    over: { type: 'final' },
  },
});
`;
