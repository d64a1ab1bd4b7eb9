import path from 'node:path';
import { crashMatrix, type CrashMatrixOptions } from 'agent-mailroom/testing';
import { expect, test } from 'vitest';
import { KILL_STRIDE, REAL_KILL_STRIDE } from '../processes/stride.ts';
import { amount } from '../run/amount.ts';
import { atOneOf, printReport } from './train-world.ts';

const FILE = path.join(import.meta.dirname, '..', '..', 'fixtures', 'workflows', 'mended.mjs');
const SEED = Number(process.env['MAILROOM_SEED'] ?? Date.now() % 2 ** 31);
/** Each schedule takes two or more processes. */
const TIMEOUT_MS = 10 * 60_000;

const heard = new Map<string, string[]>();

test(
  'killed at every call before, while and after it is FAILED, and once it is tried again, it ends the same, exactly once',
  async () => {
    const matrix: CrashMatrixOptions = {
      kills: 'simulated',
      realStride: REAL_KILL_STRIDE,
      reuseProcesses: true,
      workflows: [
        {
          file: FILE,
          name: 'broken',
          mended: 'mended',
          address: 'ship',
          input: (directory: string) => ({ traces: directory }),
        },
      ],
      agents: {
        bob: ({ message }) => void heard.set(message.room, [...(heard.get(message.room) ?? []), message.content]),
      },
      check: ({ room }) => {
        const said = heard.get(room.config.roomId) ?? [];
        // The same seed and kills give a room the same id.
        heard.delete(room.config.roomId);
        return said.join() === 'under way,landed' ? [] : [`bob was told ${said.join()}`];
      },
      pairs: amount(4, { long: 10 }),
      seed: SEED,
    };
    const report = await crashMatrix(await atOneOf(KILL_STRIDE, matrix));
    printReport('failed and mended', report);
    expect(report.failures).toEqual([]);
    expect(report.result).toEqual({ status: 'done', output: { cargo: 'cargo', landed: 'berth 1', kids: 1 } });
    expect(report.kills).toBeGreaterThan(report.schedules * 0.9);
  },
  TIMEOUT_MS,
);

test('a FAILED workflow that nobody fixes is reported as FAILED', async () => {
  const report = await crashMatrix({
    kills: 'simulated',
    workflows: [{ file: FILE, name: 'broken', address: 'ship', input: (directory: string) => ({ traces: directory }) }],
    agents: { bob: () => {} },
  });
  expect(report.result).toMatchObject({ status: 'failed', error: { name: 'RangeError' } });
  expect(report.failures).toEqual([
    {
      kills: [],
      directory: expect.any(String) as string,
      faults: [expect.stringMatching(/^it ended as \{"status":"failed"/)],
    },
  ]);
});
