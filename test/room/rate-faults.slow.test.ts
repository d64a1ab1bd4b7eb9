import fs from 'node:fs';
import { describe, expect, it } from 'vitest';
import { RateLimitExceeded } from '../../src/errors.ts';
import { errnoOf } from '../../src/host/file-system.ts';
import { alwaysGrants } from '../../src/host/host.ts';
import { nodeHost } from '../../src/host/node-host.ts';
import { scratchDirectories } from '../chain/scratch.ts';
import { everyFault, sweep, unsyncedFiles } from '../faults/fault-sweep.ts';
import { SHORT_STRIDE } from '../processes/stride.ts';
import { grantsOf, ManualClock, newId, openCounter } from './rate-set-up.ts';

const scratch = scratchDirectories('rate-faults');
const LIMIT = 5;
const STEPS_MAX = 200;

describe('a fault at any call of counting', () => {
  it('never lets more through than the limit, is reported with the path, and charges at most what failed', async () => {
    let granted = 0;
    let failed = 0;
    const swept = await sweep(
      { files: unsyncedFiles, faults: everyFault(), stepsMax: STEPS_MAX, stride: SHORT_STRIDE },
      async (faulty) => {
        const directory = scratch();
        const clock = new ManualClock();
        const options = { directory, clock, limit: LIMIT, segmentBytesMax: 500 };
        const host = { ...nodeHost, lock: alwaysGrants, files: faulty.files };
        const counter = openCounter({ ...options, host });
        let had = 0;
        let errors = 0;
        for (let at = 0; at < LIMIT; at++) {
          try {
            await counter.grant(newId);
            had += 1;
          } catch (error) {
            if (error instanceof RateLimitExceeded) break;
            if (errnoOf(error) === undefined || !String(error).includes(directory)) throw error;
            errors += 1;
          }
        }
        counterCloses(() => counter.close());
        const again = openCounter(options);
        const rest = await grantsOf(again);
        again.close();
        expect(had + rest).toBeLessThanOrEqual(LIMIT);
        expect(had + rest).toBeGreaterThanOrEqual(LIMIT - errors);
        granted += had;
        failed += errors;
        fs.rmSync(directory, { recursive: true });
      },
    );
    console.log(`${swept.fired} faults in ${swept.runs} runs: ${granted} granted, ${failed} failed`);
    expect(swept.fired).toBeGreaterThan(500 / SHORT_STRIDE);
  });
});

function counterCloses(close: () => void): void {
  try {
    close();
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
  }
}
