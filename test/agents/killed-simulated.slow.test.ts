import fs from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { runAgent } from '../../src/agents/run-agent.ts';
import type { FileSystem } from '../../src/host/file-system.ts';
import { nodeHost } from '../../src/host/node-host.ts';
import { openRoom } from '../../src/room/room.ts';
import { SimulatedMachine } from '../../src/testing/crash/simulated-machine.ts';
import type { SimulatedProcess } from '../../src/testing/crash/simulated-process.ts';
import type { Host } from '../../src/host/host.ts';
import { fingerprint } from '../crash/fingerprint.ts';
import { copyTree } from '../crash/room-template.ts';
import { printedSeed } from '../processes/seed.ts';
import { createKilledRoom, type KilledRoom } from './killed-room.ts';

// The command is a process of its own, so what lies between its start and its end is tried with real kills, in the tests beside
// this one. What an agent writes before and after it is tried here.

const SEED = printedSeed('killed-simulated.slow.test.ts');
const CHANGES_MAX = 300;
const LEAVE_MS = 2_000;

async function serve(
  { directory, line }: KilledRoom,
  { host, signal }: { readonly host: Host; readonly signal: AbortSignal },
): Promise<void> {
  await using room = await openRoom({ directory, host, durability: 'process', nudge: () => {} });
  await runAgent(room, {
    address: 'bob',
    command: { kind: 'shell', line, stdin: 'content' },
    leaveMs: 100,
    cwd: directory,
    types: new Set(),
    timeoutMs: 60_000,
    outputBytesMax: 1_000_000,
    triesMax: 3,
    backoffMs: 10,
    answersMax: 1,
    signal,
  });
}

/** Runs the agent as `child` until it has answered, wants to start the command, or has had nothing to do for a while. */
async function serveAs(child: SimulatedProcess, room: KilledRoom): Promise<'killed' | 'ended' | 'starts the command'> {
  const ran = await child.run((host) => {
    const leaving = new AbortController();
    void host.clock.sleep(LEAVE_MS).then(() => leaving.abort());
    return serve(room, { host, signal: leaving.signal });
  });
  if (child.startedOther !== undefined) return 'starts the command';
  return ran === 'killed' ? 'killed' : 'ended';
}

/** Kills the agent in place of each of its changes, in a room as it is now, until it comes to `end`; how many there were. */
async function killAtEachChange(
  room: KilledRoom,
  { end, check }: { readonly end: string; readonly check: (machine: SimulatedMachine) => Promise<void> },
): Promise<number> {
  const template = `${room.directory}-template`;
  copyTree(room.directory, template);
  const startMs = Date.now();
  for (let n = 1; n <= CHANGES_MAX; n++) {
    fs.rmSync(room.directory, { recursive: true });
    copyTree(template, room.directory);
    const machine = new SimulatedMachine({ host: nodeHost, seed: String(SEED), startMs });
    const child = machine.start();
    child.killAt(n, 'changes');
    const ended = await serveAs(child, room);
    try {
      await check(machine);
    } catch (cause) {
      throw new Error(`killed in place of change ${n}, seed ${SEED}`, { cause });
    }
    if (ended === end) return n - 1;
    expect(ended).toBe('killed');
  }
  throw new Error(`an agent makes more than ${CHANGES_MAX} changes`);
}

it('comes to start the command with the same on the disk, wherever it was killed before', async () => {
  const room = await createKilledRoom();
  try {
    let expected: string | undefined;
    const places = await killAtEachChange(room, {
      end: 'starts the command',
      check: async (machine) => {
        expect(room.runs()).toBe(0);
        expect(await serveAs(machine.start(), room)).toBe('starts the command');
        expected ??= stateOf(room);
        expect(stateOf(room)).toBe(expected);
      },
    });
    console.log(`killed at each of ${places} changes before the command is started`);
    expect(places).toBeGreaterThan(10);
  } finally {
    room.remove();
  }
});

it('sends the one answer of a command that has ended, wherever it was killed since, and does not run it again', async () => {
  const room = await createKilledRoom();
  try {
    await serveUntilTheCommandHasEnded(room);
    expect(room.stage()).toBe('answered, not stored');
    const stages = new Set<string>();
    const places = await killAtEachChange(room, {
      end: 'ended',
      check: async (machine) => {
        stages.add(room.stage());
        expect(await serveAs(machine.start(), room)).toBe('ended');
        await room.assertAnsweredOnce();
        expect(room.runs()).toBe(1);
      },
    });
    console.log(`killed at each of ${places} changes after the command ended; it was ${[...stages].join(', ')}`);
    expect([...stages]).toEqual(['answered, not stored', 'stored', 'sent', 'acknowledged']);
  } finally {
    room.remove();
  }
});

/** What bob's agent goes by: his mail, what is written down of the question, and the job, but for files that are staged. */
function stateOf({ directory }: KilledRoom): string {
  return ['mailbox/new', 'mailbox/cur', 'mailbox/done', 'agent', 'jobs']
    .flatMap((name) => fingerprint(path.join(directory, 'actors/bob', name)).split('\n'))
    .filter((line) => line !== '' && !/^\S*\/random /.test(line))
    .join('\n');
}

/** Serves with a real command, and stops for good when the agent is about to read how that ended. */
async function serveUntilTheCommandHasEnded(room: KilledRoom): Promise<void> {
  const cut = new AbortController();
  const files = new Proxy(nodeHost.files, {
    get: (target, name: keyof FileSystem) => {
      const perform = target[name] as (...args: unknown[]) => unknown;
      return (...args: unknown[]) => {
        if (name === 'open' && String(args[0]).endsWith('.exit.json') && fs.existsSync(String(args[0]))) cut.abort();
        if (cut.signal.aborted) throw new Error('cut off');
        return perform(...args);
      };
    },
  });
  // Of a process that has ended, so that the next one may have the address.
  const self = { ...nodeHost.processes.self(), pid: 4_194_303 };
  const host = { ...nodeHost, files, processes: { ...nodeHost.processes, self: () => self } };
  await serve(room, { host, signal: cut.signal }).catch(() => {});
  expect(cut.signal.aborted).toBe(true);
}
