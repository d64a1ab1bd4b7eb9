import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { nodeClock } from '../../src/host/node-clock.ts';
import { scratchDirectories } from '../chain/scratch.ts';
import { sweepSimulated } from '../crash/simulated-sweep.ts';
import { expectSame, expectSameTree } from '../crash/tree.ts';
import { runFixture } from '../processes/child.ts';
import { printedSeed } from '../processes/seed.ts';
import { choosesOneOf, REAL_KILL_STRIDE } from '../processes/stride.ts';
import { grantsOf, openCounter } from './rate-set-up.ts';

const scratch = scratchDirectories('rate-kill');
const SEED = printedSeed('rate-kill.slow.test.ts');
const isTried = choosesOneOf(REAL_KILL_STRIDE, SEED);
const LIMIT = 12;
const GRANTS = 4;
const CALLS_MAX = 300;
/** Longer than any test runs, so that no grant expires. */
const WINDOW_MS = 24 * 3600 * 1000;

describe('a kill instead of any call of counting', () => {
  it('leaves a counter that knows every grant, and charges at most one too many', async () => {
    const parent = scratch();
    const directoryFor = (n: number | string): string => {
      const directory = path.join(parent, String(n));
      fs.mkdirSync(directory);
      return directory;
    };
    const options = { limit: LIMIT, windowMs: WINDOW_MS, segmentBytesMax: 400 };
    const startMs = Date.now();
    let had = 0;
    let realKills = 0;
    const killed = await sweepSimulated({
      seed: SEED,
      startMs,
      places: 'every call',
      callsMax: CALLS_MAX,
      directoryFor,
      work: ({ host, arm, isDead }, directory) => {
        arm();
        const granted: string[] = [];
        const grant = async (): Promise<void> => {
          const counter = openCounter({ ...options, directory, host, clock: host.clock });
          for (let at = 0; at < GRANTS; at++) {
            const { id } = await counter.grant({ idAt: () => `grant-${at}` });
            if (!isDead()) granted.push(id);
          }
        };
        return { seen: granted, done: grant() };
      },
      check: async ({ n, directory, seen: granted, wasKilled }) => {
        if (isTried()) {
          const other = directoryFor(`${n} really`);
          const told = { ...options, seed: SEED, startMs };
          const args = [other, String(n), JSON.stringify(told), String(GRANTS)];
          expectSame(await runFixture('rate-grant.mjs', args), { told: granted, wasKilled });
          expectSameTree(other, directory);
          realKills += 1;
        }
        const counter = openCounter({ ...options, directory, clock: nodeClock });
        const rest = await grantsOf(counter);
        counter.close();
        expect([LIMIT, LIMIT - 1]).toContain(granted.length + rest);
        had += granted.length;
      },
    });
    console.log(`killed at each of ${killed} calls, really at ${realKills}; ${had} grants before`);
    expect(killed).toBeGreaterThan(25);
  });
});
