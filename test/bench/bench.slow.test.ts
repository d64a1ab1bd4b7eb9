import { execFile } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { median, quantile, ratios } from '../../bench/measure.ts';
import { compare } from '../../bench/row.ts';

const root = path.dirname(path.dirname(import.meta.dirname));
const ROWS = [
  'send',
  'send-power',
  'receive',
  'broadcast',
  'full-mailbox',
  'wake-up',
  'step',
  'step-power',
  'recovery',
  'cli',
  'run-command',
  'system-calls',
];

let directory: string;
beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-bench-test-'));
});
afterEach(() => fs.rmSync(directory, { recursive: true, force: true }));

test('the benchmark runs every row, prints each, writes the same as JSON, and leaves nothing else behind', async () => {
  const { code, stdout, stderr } = await bench(['--smoke']);
  expect(stderr).not.toContain('Error');
  expect(code).toBe(0);
  expect(stdout).toContain(process.version);
  const { machine, rows } = JSON.parse(fs.readFileSync(path.join(directory, 'results.json'), 'utf8'));
  expect(machine.fileSystem).not.toBe('unknown');
  expect(Object.keys(rows)).toEqual(ROWS);
  const works = Object.values<{ work: string }[]>(rows).flat();
  for (const { work } of works) expect(stdout).toContain(work);
  console.log(`${works.length} lines in ${ROWS.length} rows`);
  // It leaves nothing behind.
  expect(fs.readdirSync(directory).filter((name) => !name.startsWith('tsx-'))).toEqual(['results.json']);
});

test('an unknown row is a usage error that names the existing ones', async () => {
  const { code, stderr } = await bench(['--only', 'sned']);
  expect(code).toBe(2);
  for (const row of ROWS) expect(stderr).toContain(row);
  expect(fs.readdirSync(directory).filter((name) => !name.startsWith('tsx-'))).toEqual([]);
});

test('a median ignores one slow round, and ratios compare neighbouring rounds', () => {
  expect(median([3, 1, 1000, 2, 4])).toBe(3);
  expect(quantile([1, 2, 3, 4], 0.5)).toBe(2.5);
  // The machine was ten times as slow in the last round, for both.
  expect(median(ratios([4, 4, 40], [2, 2, 20]))).toBe(2);
});

test('a goal is met by a value at its bound', () => {
  const parts = { work: 'w', floor: 'f', samples: [5], floorSamples: [2] };
  expect(compare({ ...parts, goal: { most: 2.5, unit: '×' } })).toMatchObject({ value: 2.5, met: true });
  expect(compare({ ...parts, goal: { least: 0.4, unit: '× faster' } })).toMatchObject({ value: 0.4, met: true });
  expect(compare({ ...parts, goal: { least: 0.41, unit: '× faster' } }).met).toBe(false);
});

async function bench(args: readonly string[]): Promise<{ code: unknown; stdout: string; stderr: string }> {
  const all = [
    '--import',
    'tsx',
    path.join(root, 'bench', 'run.ts'),
    '--out',
    path.join(directory, 'results.json'),
    ...args,
  ];
  try {
    const env = { ...process.env, TMPDIR: directory };
    const { stdout, stderr } = await promisify(execFile)(process.execPath, all, { cwd: root, env });
    return { code: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: unknown; stdout: string; stderr: string };
    return { code, stdout, stderr };
  }
}
