import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { CrashRunWorkflow } from '../../src/testing/crash/run-workflows.ts';
import { runFixture, type Ended } from '../processes/child.ts';
import { printedSeed } from '../processes/seed.ts';
import { choosesOneOf, REAL_KILL_STRIDE } from '../processes/stride.ts';
import { DEAD, makeRoom } from './prepared.ts';
import { createTemplate } from './room-template.ts';
import { treeOf } from './tree.ts';

const FIXTURES = path.join(import.meta.dirname, '..', '..', 'fixtures');
const SEED = printedSeed('killed-workflows.slow.test.ts');
const isTried = choosesOneOf(REAL_KILL_STRIDE, SEED);

const pair = path.join(FIXTURES, 'testing', 'pair.mjs');
const mended = path.join(FIXTURES, 'workflows', 'mended.mjs');
const SYSTEMS: readonly { readonly name: string; readonly workflows: (room: string) => CrashRunWorkflow[] }[] = [
  {
    name: 'two that write to each other',
    workflows: () => [
      { file: pair, name: 'first', address: 'first', input: undefined },
      { file: pair, name: 'machine', address: 'second', input: undefined },
    ],
  },
  {
    name: 'one with an activity, a child, timers and mail, that is FAILED and mended',
    workflows: (room) => [{ file: mended, name: 'broken', mended: 'mended', address: 'ship', input: { traces: room } }],
  },
];

// A real kill stops a process at once. A simulated one lets its functions run to their next call, its clean-up and what waits for
// a turn with them, so that this finds whatever of it comes through to the disk.
test.each(SYSTEMS)('a simulated kill leaves the names and bytes that SIGKILL leaves, $name', async ({ workflows }) => {
  const template = await createTemplate((room) => makeRoom(room, { joined: { bob: DEAD } }));
  // One path for both: it stands in records, under hashes.
  const directory = template.copy();
  const told = { seed: String(SEED), startMs: Date.now(), durability: 'process', workflows: workflows(directory) };
  const run = async (n: number, kill: 'simulated' | 'real'): Promise<Ended> => {
    fs.rmSync(path.dirname(directory), { recursive: true });
    fs.renameSync(path.dirname(template.copy()), path.dirname(directory));
    return runFixture('workflows.mjs', [directory, JSON.stringify({ ...told, n, kill })]);
  };
  let kills = 0;
  try {
    const places = Number((await run(0, 'simulated')).stdout);
    expect(places).toBeGreaterThan(20);
    for (let n = 1; n <= places; n++) {
      if (!isTried()) continue;
      expect(await run(n, 'simulated')).toMatchObject({ signal: null, stdout: '' });
      const simulated = treeOf(directory);
      expect(await run(n, 'real')).toMatchObject({ signal: 'SIGKILL' });
      expect(treeOf(directory), `left by SIGKILL in place of change ${n}`).toEqual(simulated);
      kills += 1;
    }
    console.log(`${kills} of ${places} places: SIGKILL left what a simulated kill leaves`);
  } finally {
    template.remove();
  }
});
