import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { killSweep } from '../processes/kill-sweep.ts';
import { SHORT_STRIDE } from '../processes/stride.ts';
import { readWholeChain } from './chain-oracle.ts';
import { scratchDirectories } from './scratch.ts';
import { add, openSum } from './sum-chain.ts';

const scratch = scratchDirectories('kill');
const VALUES = 4;

const VARIANTS = {
  durable: { segmentBytesMax: 300, durable: true },
  'with old segments removed': { segmentBytesMax: 200, durable: false, segmentsKept: 2 },
};

describe('SIGKILL in place of any call of opening, appending and sealing', () => {
  it.each(Object.entries(VARIANTS))('leaves a chain, %s, with all that was won', async (name, options) => {
    const parent = scratch();
    const directoryOf = (n: number): string => path.join(parent, String(n));
    let values = 0;
    const killed = await killSweep(
      'chain-append.mjs',
      (n) => {
        fs.mkdirSync(directoryOf(n));
        return [directoryOf(n), String(n), JSON.stringify(options), '0', String(VALUES)];
      },
      async (n, { stdout }) => {
        const directory = directoryOf(n);
        const won = stdout.split('\n').filter(Boolean).map(Number);
        const again = openSum({ ...options, directory, durable: false });
        const found = again.sum();
        // What was won is in the chain; of the rest, at most the record that was about to be won.
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
      SHORT_STRIDE,
    );
    console.log(`${name}: killed at one of ${SHORT_STRIDE} of ${killed} calls, ${values} records won before`);
    expect(killed).toBeGreaterThan(30);
  });
});
