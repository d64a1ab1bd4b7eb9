import fs from 'node:fs';
import { expect, test } from 'vitest';
import { idAt } from '../../fixtures/zoo/forge.ts';
import { putUnmovable, putUnnameable } from '../../fixtures/zoo/things.ts';
import type { FileSystem } from '../../src/host/file-system.ts';
import { nodeHost } from '../../src/host/node-host.ts';
import { openRoom } from '../../src/index.ts';
import { countCalls, systemError } from '../faults/faulty-files.ts';
import { createSteppedClock } from './stepped-clock.ts';
import { until } from './until.ts';
import { countBy, logged, openZoo } from './zoo-room.ts';

const POLLS = 20;
/** A sign of life, a listing of `new` and of `cur`, a look at the directory; a retry of anything would show. */
const CALLS_PER_POLL_MAX = 6;

/** A file that this user can neither read nor move, even as root. */
function withFaults(files: FileSystem, names: { unreadable: string; stuck: readonly string[] }): FileSystem {
  const refuse = (call: string, path: string, code: string): never => {
    throw systemError(code, { name: call, path });
  };
  return {
    ...files,
    open: (path, flags, mode) =>
      path.includes(names.unreadable) ? refuse('open', path, 'EACCES') : files.open(path, flags, mode),
    rename: (from, to) =>
      names.stuck.some((name) => from.includes(name)) ? refuse('rename', from, 'EBUSY') : files.rename(from, to),
  };
}

test('a file that cannot be moved is reported once and skipped, and waiting beside it costs a few calls a poll', async () => {
  await using zoo = await openZoo();
  const at = (name: string): string => `${zoo.mailbox.new}/${name}`;
  const unreadable = `${idAt(Date.now())}.alice.json`;
  const stuck = [`${idAt(Date.now())}.alice.json`, 'is-stuck'];
  for (const name of stuck) fs.writeFileSync(at(name), 'x');
  fs.writeFileSync(at(unreadable), 'x', { mode: 0 });
  putUnnameable(zoo.mailbox.new, { bytes: [0xff, 0xfe, 0x41] });
  putUnnameable(zoo.mailbox.new, { bytes: [0xc3, 0x28, 0x2e, 0x6a, 0x73, 0x6f, 0x6e] });
  const mounted = `${idAt(Date.now())}.alice.json`;
  const unmount = putUnmovable(at(mounted));
  try {
    const counted = countCalls(withFaults(nodeHost.files, { unreadable, stuck }));
    const clock = createSteppedClock();
    const watching = { directory: () => () => {}, tree: async () => async () => {} };
    const host = { ...nodeHost, files: counted.files, clock, watching };
    await using reader = await openRoom({ directory: zoo.directory, host });
    const ending = new AbortController();
    const handled: string[] = [];
    const reading = (async () => {
      for await (const mail of reader.agent('bob').inbox({ signal: ending.signal })) {
        handled.push(mail.message.content);
        await mail.ack();
      }
    })();
    await until('the reader waits', () => clock.sleepers === 1);

    const perPoll: number[] = [];
    for (let poll = 0; poll < POLLS; poll++) {
      const before = counted.steps.length;
      clock.advance(1_000);
      await until('the reader waits again', () => clock.sleepers === 1);
      perPoll.push(counted.steps.length - before);
    }
    expect(Math.max(...perPoll)).toBeLessThanOrEqual(CALLS_PER_POLL_MAX);

    await zoo.alice.send({ to: 'bob', type: 'INFO', content: 'behind them all' });
    clock.advance(1_000);
    await until('the good mail is read', () => handled.length === 1);
    await until('the reader waits again', () => clock.sleepers === 1);
    ending.abort();
    await reading;

    expect(handled).toEqual(['behind them all']);
    const told = logged(zoo.directory, 'unmovable');
    const once = [...stuck, ...(unmount ? [mounted] : [])];
    expect(new Set(told.map(({ detail }) => String(detail).split(': ')[0]))).toEqual(new Set(once));
    expect(told).toHaveLength(once.length);
    // A listing shows those two with replacement characters; with such names they used to stay in `new` for ever.
    const unnameable = (name: string): object => ({ outcome: 'bad-name', detail: expect.stringContaining(name) });
    const refused = logged(zoo.directory, 'refused');
    expect(refused).toHaveLength(3);
    expect(refused).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ outcome: 'unreadable', detail: `${unreadable}: it cannot be opened (EACCES)` }),
        expect.objectContaining(unnameable('\ufffd\ufffdA: ')),
        expect.objectContaining(unnameable('\ufffd(.json: ')),
      ]),
    );
    expect(fs.readdirSync(zoo.mailbox.refused)).toHaveLength(2 * refused.length);
    expect(fs.readdirSync(zoo.mailbox.new).filter((name) => name.includes('\ufffd'))).toEqual([]);
    expect(fs.readdirSync(zoo.mailbox.tmp)).toEqual([]);
    console.log(
      `${once.length} unmovable, told once each: ${JSON.stringify(countBy(told.map(({ outcome }) => String(outcome))))}; ` +
        `calls in each of ${POLLS} idle polls: ${Math.min(...perPoll)} to ${Math.max(...perPoll)}`,
    );
  } finally {
    unmount?.();
  }
});
