import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { nodeHost } from '../../src/host/node-host.ts';
import { roomLayout } from '../../src/message/layout.ts';
import { createSteppedClock } from '../hostile/stepped-clock.ts';
import { linesOf, openLogRoom } from './log-room.ts';

test('a log is set aside once it has reached its size, and files that are not logs of this room are left alone', async () => {
  using room = await openLogRoom();
  const clock = createSteppedClock();
  const log = room.open({ host: { clock }, limits: { logBytesMax: 300, logFilesKept: 2 } });
  const stranger = path.join(room.layout.logDirectory, 'agent_messages.old.log');
  fs.writeFileSync(stranger, 'mine');
  const seen = new Set<string>();
  for (let n = 0; n < 40; n++) {
    log.append({ event: 'warning', detail: String(n) });
    // Two logs set aside within one ms have no order.
    clock.advance(1);
    for (const name of room.asides()) seen.add(name);
    expect(room.asides().length).toBeLessThanOrEqual(2);
  }
  log.close();
  expect(seen.size).toBeGreaterThan(5);
  expect(fs.readFileSync(stranger, 'utf8')).toBe('mine');
  const kept = [...room.asides().map((name) => path.join(room.layout.logDirectory, name)), room.layout.log]
    .filter((file) => fs.existsSync(file))
    .flatMap((file) => linesOf(file))
    .map((line) => Number((JSON.parse(line) as { detail: string }).detail));
  expect(kept).toEqual(Array.from({ length: kept.length }, (_, index) => 40 - kept.length + index));
});

test('a process that holds a set-aside log open changes to the new one within a second', async () => {
  using room = await openLogRoom();
  const clock = createSteppedClock();
  const mine = room.open({ host: { clock } });
  mine.append({ event: 'warning', detail: 'before' });
  const other = room.open({ limits: { logBytesMax: 1 } });
  other.append({ event: 'warning', detail: 'the last of the old one' });
  other.close();
  mine.append({ event: 'warning', detail: 'still in the old one' });
  clock.advance(1_000);
  mine.append({ event: 'warning', detail: 'in the new one' });
  mine.close();
  const detailsOf = (file: string): unknown[] =>
    linesOf(file).map((line) => (JSON.parse(line) as { detail: string }).detail);
  const [aside = ''] = room.asides();
  expect(detailsOf(path.join(room.layout.logDirectory, aside))).toEqual([
    'before',
    'the last of the old one',
    'still in the old one',
  ]);
  expect(detailsOf(room.layout.log)).toEqual(['in the new one']);
  expect(roomLayout(room.layout.directory)).toEqual(room.layout);
  expect(nodeHost.files.readdir(room.layout.logDirectory)).toHaveLength(2);
});
