import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { amount } from '../run/amount.ts';
import { linesOf, openLogRoom, type LogRoom } from './log-room.ts';

const WRITER = path.join(import.meta.dirname, '../../fixtures/zoo/log-writer.mjs');
const WRITERS = 4;
const RECORDS_EACH = amount(500, { long: 1_500 });
const LOG_BYTES = 16 * 1024;

async function writeFromProcesses({ layout }: LogRoom): Promise<void> {
  const writers = Array.from({ length: WRITERS }, (_, writer) =>
    spawn(process.execPath, [WRITER, layout.directory, `writer-${writer}`, String(RECORDS_EACH)], {
      stdio: ['ignore', 'ignore', 'pipe'],
    }),
  );
  await Promise.all(
    writers.map(async (child) => {
      let said = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
      const code = await new Promise((resolve) => child.on('close', resolve));
      expect(said).toBe('');
      expect(code).toBe(0);
    }),
  );
}

test('four processes that rotate one log lose no record and tear none', async () => {
  using room = await openLogRoom({ logBytesMax: LOG_BYTES, logFilesKept: 10_000 });
  await writeFromProcesses(room);
  const asides = room.asides().map((name) => path.join(room.layout.logDirectory, name));
  const counts = new Map<string, number>();
  for (const file of [...asides, room.layout.log].filter((one) => fs.existsSync(one))) {
    for (const line of linesOf(file)) {
      const { from, detail } = JSON.parse(line) as { from: string; detail: string };
      counts.set(`${from} ${detail}`, (counts.get(`${from} ${detail}`) ?? 0) + 1);
    }
  }
  expect(counts.size).toBe(WRITERS * RECORDS_EACH);
  expect(new Set(counts.values())).toEqual(new Set([1]));
  expect(asides.length).toBeGreaterThan(10);
  console.log(`${counts.size} records of ${WRITERS} processes in ${asides.length + 1} files`);
});

test('four processes that rotate one log keep as many old ones as the room says', async () => {
  using room = await openLogRoom({ logBytesMax: LOG_BYTES, logFilesKept: 3 });
  await writeFromProcesses(room);
  expect(room.asides()).toHaveLength(3);
  const bytes = room.asides().map((name) => fs.statSync(path.join(room.layout.logDirectory, name)).size);
  // A process that still had a set-aside log open may have written to it until its next look, a second at most.
  console.log(`kept: ${bytes.join(', ')} bytes`);
});
