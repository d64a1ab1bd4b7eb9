import fs from 'node:fs';
import { describe, expect, it } from 'vitest';
import { errnoOf } from '../../src/host/file-system.ts';
import { nodeHost } from '../../src/host/node-host.ts';
import { everyFault, sweep, unsyncedFiles } from '../faults/fault-sweep.ts';
import { SHORT_STRIDE } from '../processes/stride.ts';
import type { FaultyFiles } from '../faults/faulty-files.ts';
import { readWholeChain } from './chain-oracle.ts';
import { scratchDirectories } from './scratch.ts';
import { openSum, type SumChain, type SumOptions } from './sum-chain.ts';

const scratch = scratchDirectories('faults');
const VALUES = 7;
const STEPS_MAX = 200;

const VARIANTS: Readonly<Record<string, Omit<SumOptions, 'directory'>>> = {
  'kept whole': { segmentBytesMax: 600 },
  durable: { segmentBytesMax: 600, durable: true },
  'with old segments removed': { segmentBytesMax: 400, segmentsKept: 2 },
};

describe('a fault at any call', () => {
  it.each(Object.keys(VARIANTS))('leaves a chain, %s, with what was won and without what was not', async (name) => {
    const options = VARIANTS[name] ?? {};
    let won = 0;
    let failed = 0;
    let unknown = 0;
    const swept = await sweep(
      { files: unsyncedFiles, faults: everyFault(), stepsMax: STEPS_MAX, stride: SHORT_STRIDE },
      async (faulty) => {
        const directory = scratch();
        const outcomes = await appendAll({ ...options, directory }, faulty);
        const found = checkRecovery({ ...options, directory });
        for (const [value, outcome] of outcomes) {
          expect(outcome === 'won' && !found.has(value), `${value} was won and is lost`).toBe(false);
          expect(outcome === 'failed' && found.has(value), `${value} failed and counts`).toBe(false);
          won += Number(outcome === 'won');
          failed += Number(outcome === 'failed');
          unknown += Number(outcome === 'unknown');
        }
        expect(found.size).toBeLessThanOrEqual(outcomes.size + 1);
        fs.rmSync(directory, { recursive: true });
      },
    );
    console.log(`${name}: ${swept.fired} faults in ${swept.runs} runs; ${JSON.stringify({ won, failed, unknown })}`);
    expect(swept.fired).toBeGreaterThan(500 / SHORT_STRIDE);
    expect(won).toBeGreaterThan(0);
    expect(failed).toBeGreaterThan(0);
  });
});

type Outcome = 'won' | 'failed' | 'unknown';

/** Appends the powers of two, so that a sum tells which of them are in it; reopens after a failure. */
async function appendAll(options: SumOptions, faulty: FaultyFiles): Promise<Map<number, Outcome>> {
  const outcomes = new Map<number, Outcome>();
  let open: SumChain | undefined;
  for (let at = 0; at < VALUES; at++) {
    const value = 2 ** at;
    const hadSync = { failed: false };
    try {
      open ??= openSum({ ...options, host: { ...nodeHost, files: faulty.files } });
      // Alone, it can only be fenced by what it wrote itself before an error.
      const { won } = await open.chain.append(value);
      hadSync.failed = won;
      if (won && options.durable === true) await open.chain.sync();
      outcomes.set(value, won ? 'won' : 'failed');
    } catch (error) {
      if (errnoOf(error) === undefined) throw error;
      if (!String(error).includes(options.directory)) throw new Error('the error names no file', { cause: error });
      outcomes.set(value, hadSync.failed || String(error).includes('read ') ? 'unknown' : 'failed');
      // Half of the time the same object continues, as in a busy process.
      if (at % 2 === 0 || hadSync.failed) {
        closeQuietly(open);
        open = undefined;
      }
    }
  }
  closeQuietly(open);
  return outcomes;
}

function closeQuietly(open: SumChain | undefined): void {
  try {
    open?.chain.close();
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
  }
}

/**
 * Opens the chain on a healthy file system, checks that it is valid and accepts a record, and returns the values in it.
 */
function checkRecovery(options: SumOptions): Set<number> {
  const again = openSum({ ...options });
  const sum = again.sum();
  again.chain.close();
  const isWhole = options.segmentsKept === undefined;
  const bodies = isWhole ? readWholeChain(options.directory).map(({ body }) => Number(body ?? 0)) : [sum];
  expect(bodies.reduce((total, body) => total + body, 0)).toBe(sum);
  const found = new Set<number>();
  for (let at = 0; at < VALUES; at++) if (Math.floor(sum / 2 ** at) % 2 === 1) found.add(2 ** at);
  expect(
    [...found].reduce((total, value) => total + value, 0),
    'nothing counts twice',
  ).toBe(sum);
  return found;
}
