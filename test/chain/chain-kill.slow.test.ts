import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { sweepSimulated } from '../crash/simulated-sweep.ts';
import { expectSame, expectSameTree } from '../crash/tree.ts';
import { runFixture } from '../processes/child.ts';
import { printedSeed } from '../processes/seed.ts';
import { choosesOneOf, REAL_KILL_STRIDE } from '../processes/stride.ts';
import { readWholeChain } from './chain-oracle.ts';
import { scratchDirectories } from './scratch.ts';
import { add, openSum } from './sum-chain.ts';

const scratch = scratchDirectories('kill');
const SEED = printedSeed('chain-kill.slow.test.ts');
const isTried = choosesOneOf(REAL_KILL_STRIDE, SEED);
const VALUES = 4;
const CALLS_MAX = 300;

const VARIANTS = {
  durable: { segmentBytesMax: 300, durable: true },
  'with old segments removed': { segmentBytesMax: 200, durable: false, segmentsKept: 2 },
};

describe('a kill instead of any call of opening, appending and sealing', () => {
  it.each(Object.entries(VARIANTS))('leaves a chain, %s, with all that was won', async (name, options) => {
    const parent = scratch();
    const directoryFor = (n: number | string): string => {
      const directory = path.join(parent, String(n));
      fs.mkdirSync(directory);
      return directory;
    };
    let values = 0;
    let realKills = 0;
    const killed = await sweepSimulated({
      seed: SEED,
      startMs: Date.now(),
      places: 'every call',
      callsMax: CALLS_MAX,
      directoryFor,
      work: ({ host, arm, isDead }, directory) => {
        arm();
        const won: number[] = [];
        const append = async (): Promise<void> => {
          const { chain } = openSum({ ...options, directory, host });
          for (let at = 0; at < VALUES; at++) {
            if (!(await chain.append(2 ** at)).won) throw new Error('fenced, though alone');
            if (options.durable) await chain.sync();
            if (!isDead()) won.push(2 ** at);
          }
        };
        return { seen: won, done: append() };
      },
      check: async ({ n, directory, seen: won, wasKilled }) => {
        if (isTried()) {
          const other = directoryFor(`${n} really`);
          const args = [other, String(n), JSON.stringify({ ...options, seed: SEED }), '0', String(VALUES)];
          expectSame(await runFixture('chain-append.mjs', args), { told: won, wasKilled });
          expectSameTree(other, directory);
          realKills += 1;
        }
        const again = openSum({ ...options, directory, durable: false });
        const found = again.sum();
        // Records that were won are in the chain; of the rest, at most the record that was about to be won.
        const total = won.reduce((sum, value) => sum + value, 0);
        expect([total, total + 2 ** won.length]).toContain(found);
        values += won.length;
        await add(again, 2 ** VALUES);
        again.chain.close();
        const after = openSum({ ...options, directory, durable: false });
        expect(after.sum()).toBe(found + 2 ** VALUES);
        after.chain.close();
        if (!('segmentsKept' in options)) readWholeChain(directory);
      },
    });
    console.log(`${name}: killed at each of ${killed} calls, really at ${realKills}; ${values} records won before`);
    expect(killed).toBeGreaterThan(30);
  });
});
