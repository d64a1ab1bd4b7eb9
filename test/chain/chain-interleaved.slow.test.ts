import fs from 'node:fs';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { nodeHost } from '../../src/host/node-host.ts';
import { unsyncedFiles } from '../faults/fault-sweep.ts';
import { readWholeChain } from './chain-oracle.ts';
import { isTried, SHORT_STRIDE } from '../processes/stride.ts';
import type { RaceOptions } from './chain-race.ts';
import { interrupted, startRival } from './rival.ts';
import { scratchDirectories } from './scratch.ts';
import { propertySeed } from './seed.ts';
import { add, openSum } from './sum-chain.ts';

const scratch = scratchDirectories('interleaved');
const rival = startRival();
afterAll(() => rival.end());

const VALUES = 5;
/** Enough to end several segments, so that in between everything known may have been removed. */
const RIVAL_RECORDS = 9;
const STEPS_MAX = 200;
const RANDOM_SCHEDULES = 50;
const seed = propertySeed('chain-interleaved.test.ts');

const VARIANTS: Readonly<Record<string, RaceOptions>> = {
  'kept whole': { segmentBytesMax: 400, durable: false },
  'with old segments removed': { segmentBytesMax: 400, durable: false, segmentsKept: 2 },
};

describe('a writer that pauses at any of its calls while another continues for several segments', () => {
  it.each(Object.keys(VARIANTS))('adds its records to the one chain, %s', async (name) => {
    const options = VARIANTS[name] ?? {};
    let runs = 0;
    const run = async (before: readonly number[]): Promise<number> => {
      const directory = scratch();
      let rivals = 0;
      const stopped = interrupted(unsyncedFiles, before, () => {
        rival.append(directory, options, RIVAL_RECORDS);
        rivals += 1;
      });
      const one = openSum({ ...options, directory, host: { ...nodeHost, files: stopped.files } });
      for (let at = 0; at < VALUES; at++) await add(one, 1000);
      one.chain.close();
      const again = openSum({ ...options, directory });
      again.chain.close();
      expect(again.sum(), `stopped before ${before.join(' and ')}`).toBe(VALUES * 1000 + rivals * RIVAL_RECORDS);
      if (options.segmentsKept === undefined) readWholeChain(directory);
      fs.rmSync(directory, { recursive: true });
      runs += 1;
      return stopped.steps();
    };
    let steps = await run([]);
    for (let first = 1; first <= steps; first++) {
      expect(steps).toBeLessThan(STEPS_MAX);
      if (!isTried(first, SHORT_STRIDE)) continue;
      // A second stop soon after the first falls between a look and the action based on it.
      for (let second = first; second <= first + 4; second++) steps = Math.max(steps, await run([first, second]));
    }
    const schedules = fc.uniqueArray(fc.integer({ min: 1, max: steps }), { minLength: 3, maxLength: 5 });
    for (const before of fc.sample(schedules, { seed, numRuns: RANDOM_SCHEDULES })) await run(before);
    console.log(`${name}: ${runs} schedules over ${steps} calls`);
  });
});
