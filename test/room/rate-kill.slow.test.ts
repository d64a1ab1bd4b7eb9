import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { scratchDirectories } from '../chain/scratch.ts';
import { killSweep } from '../processes/kill-sweep.ts';
import { nodeClock } from '../../src/host/node-clock.ts';
import { grantsOf, openCounter } from './rate-set-up.ts';

const scratch = scratchDirectories('rate-kill');
const LIMIT = 12;
const GRANTS = 4;
/** Longer than any test runs, so that no grant gets old. */
const WINDOW_MS = 24 * 3600 * 1000;

describe('SIGKILL in place of any call of counting', () => {
  it('leaves a counter that knows every grant, and charges at most one too many', async () => {
    const parent = scratch();
    const directoryOf = (n: number): string => path.join(parent, String(n));
    const options = { limit: LIMIT, windowMs: WINDOW_MS, segmentBytesMax: 400, lock: 'always' };
    let had = 0;
    const killed = await killSweep(
      'rate-grant.mjs',
      (n) => {
        fs.mkdirSync(directoryOf(n));
        return [directoryOf(n), String(n), JSON.stringify(options), String(GRANTS)];
      },
      async (n, { stdout }) => {
        const granted = stdout.split('\n').filter(Boolean).length;
        const counter = openCounter({ ...options, directory: directoryOf(n), clock: nodeClock });
        const rest = await grantsOf(counter);
        counter.close();
        expect([LIMIT, LIMIT - 1]).toContain(granted + rest);
        had += granted;
      },
    );
    console.log(`killed at each of ${killed} calls, ${had} grants before`);
    expect(killed).toBeGreaterThan(25);
  });
});
