import fs from 'node:fs';
import { expect, test } from 'vitest';
import { nextTurn } from '../../src/host/node-clock.ts';
import { nodeHost } from '../../src/host/node-host.ts';
import { gatherLog } from '../../src/log/gathered-log.ts';
import { openLogRoom, type LogRoom } from './log-room.ts';

const detailsOf = (room: LogRoom): unknown[] => {
  const whole = room.lines().filter((line) => line.endsWith('}'));
  return whole.map((line) => (JSON.parse(line) as { detail?: unknown }).detail);
};

test('records of one turn of the event loop are written together at its end, with the time at which each happened', async () => {
  using room = await openLogRoom();
  let writes = 0;
  const files: typeof nodeHost.files = {
    ...nodeHost.files,
    write: (...write) => {
      writes += 1;
      return nodeHost.files.write(...write);
    },
  };
  let now = 0;
  const log = gatherLog(room.open({ host: { files } }), { now: () => (now += 1_000) });
  for (const detail of ['0', '1', '2']) {
    log.append({ event: 'warning', detail });
    await Promise.resolve();
  }
  expect(writes).toBe(0);
  await nextTurn();
  expect(writes).toBe(1);
  expect(room.lines().map((line) => JSON.parse(line) as unknown)).toEqual(
    ['0', '1', '2'].map((detail, index) => ({ time: `1970-01-01T00:00:0${index + 1}.000Z`, event: 'warning', detail })),
  );
});

test('gathered records are written on close, once, and later ones are written at once', async () => {
  using room = await openLogRoom();
  const log = gatherLog(room.open(), nodeHost.clock);
  log.append({ event: 'warning', detail: '0' });
  log.close();
  expect(detailsOf(room)).toEqual(['0']);
  // Such as the outcome of a nudge, before the room itself is closed.
  log.append({ event: 'warning', detail: '1' });
  expect(detailsOf(room)).toEqual(['0', '1']);
  await nextTurn();
  await nextTurn();
  expect(detailsOf(room)).toEqual(['0', '1']);
});

test('a write of several records that is short at any byte spoils only the record that it cut', async () => {
  using room = await openLogRoom();
  const details = ['0', 'ü', '2', '3'];
  const [line = ''] = await linesOf(room, details.slice(0, 1));
  // The ü takes two bytes.
  const boundaries = [0, 1, 2, 3, 4].map((index) => index * (line.length + 1) + (index > 1 ? 1 : 0));
  for (let length = 0; length <= 4 * (line.length + 1); length++) {
    const written = await linesOf(room, details, length);
    const whole = written.filter((one) => one.endsWith('}')).map((one) => JSON.parse(one) as { detail: string });
    // Only its line feed may be missing, with which the next write begins.
    const isCut = length === 0 || ![length, length + 1].some((end) => boundaries.includes(end));
    const expected = isCut ? 3 : 4;
    expect(whole.length, `cut after ${length} bytes`).toBe(expected);
    expect(details.filter((detail) => whole.some((one) => one.detail === detail))).toHaveLength(expected);
  }
});

/** The lines of a new log to which these are appended together, with the first write cut to this many bytes. */
async function linesOf(room: LogRoom, details: readonly string[], cutTo = Infinity): Promise<string[]> {
  fs.rmSync(room.layout.log, { force: true });
  let isFirst = true;
  const files: typeof nodeHost.files = {
    ...nodeHost.files,
    write: (fd, bytes, offset, length) => {
      const most = isFirst ? Math.min(cutTo, length) : length;
      isFirst = false;
      return most === 0 ? 0 : nodeHost.files.write(fd, bytes, offset, most);
    },
  };
  const log = gatherLog(room.open({ host: { files } }), nodeHost.clock);
  for (const detail of details) log.append({ event: 'warning', detail });
  await nextTurn();
  await nextTurn();
  log.close();
  return room.lines();
}
