import fs from 'node:fs';
import { expect, test } from 'vitest';
import { putDevice, things } from '../../fixtures/zoo/things.ts';
import type { FileSystem } from '../../src/host/file-system.ts';
import { nodeHost } from '../../src/host/node-host.ts';
import { FAULTS, failAt } from '../faults/faulty-files.ts';
import { createSteppedClock } from '../hostile/stepped-clock.ts';
import { openZoo, readAll, type ZooRoom } from '../hostile/zoo-room.ts';
import { linesOf, openLogRoom } from './log-room.ts';

/** More than a pipe holds, so that a writer that can be held up is. */
const MESSAGES = 400;

async function expectMailToPass(zoo: ZooRoom, count = 1): Promise<void> {
  for (let n = 0; n < count; n++) await zoo.alice.send({ to: 'bob', type: 'INFO', content: 'x'.repeat(200) });
  expect(await readAll(zoo.bob)).toHaveLength(count);
}

const PLACES = things({ good: '/etc/hostname' }).filter(({ kind }) => kind !== 'sparse-file');

test.each(PLACES.map((thing) => [thing.kind, thing] as const))(
  'a %s in place of the log blocks no mail',
  async (_kind, thing) => {
    await using zoo = await openZoo();
    await zoo.room.close();
    const log = `${zoo.directory}/log/agent_messages.log`;
    fs.rmSync(log);
    await thing.put(log);
    const before = fs.lstatSync(log).ino;
    await expectMailToPass(zoo, thing.kind === 'fifo' ? MESSAGES : 1);
    expect(fs.lstatSync(log).ino).toBe(before);
  },
);

test('a full log device blocks no mail', async () => {
  await using zoo = await openZoo();
  await zoo.room.close();
  const log = `${zoo.directory}/log/agent_messages.log`;
  fs.rmSync(log);
  if (!putDevice(log)) fs.mkdirSync(log);
  await expectMailToPass(zoo);
});

test('a removed log directory blocks no mail, and the log continues in a new one', async () => {
  const clock = createSteppedClock();
  await using zoo = await openZoo({ host: { ...nodeHost, clock } });
  const directory = `${zoo.directory}/log`;
  await expectMailToPass(zoo);
  fs.rmSync(directory, { recursive: true });
  clock.advance(1_000);
  await expectMailToPass(zoo);
  expect(linesOf(`${directory}/agent_messages.log`)).toHaveLength(3);
});

test('a fault at any call of the log is swallowed, and costs at most the record it hit', async () => {
  let struck = 0;
  using room = await openLogRoom();
  for (const error of FAULTS) {
    for (const when of ['instead', 'after'] as const) {
      for (let n = 1; ; n++) {
        for (const name of fs.readdirSync(room.layout.logDirectory)) fs.rmSync(`${room.layout.logDirectory}/${name}`);
        const clock = createSteppedClock();
        const faulty = failAt(nodeHost.files, { n, error, when });
        const log = room.open({ host: { files: faulty.files, clock }, limits: { logBytesMax: 250 } });
        for (let record = 0; record < 6; record++) {
          log.append({ event: 'warning', detail: String(record) });
          clock.advance(500);
        }
        log.close();
        if (!faulty.fired) break;
        struck += 1;
        const names = [...room.asides(), 'agent_messages.log'].map((name) => `${room.layout.logDirectory}/${name}`);
        const found = names.filter((name) => fs.existsSync(name)).flatMap((name) => linesOf(name));
        const records = new Set(found.map((line) => (JSON.parse(line) as { detail: string }).detail));
        expect(records.size, `${error} ${when} call ${n}: ${faulty.steps[n - 1]}`).toBeGreaterThanOrEqual(5);
      }
    }
  }
  expect(struck).toBeGreaterThan(100);
  console.log(`${struck} faults swallowed`);
});

test('no log file stays open after a fault', async () => {
  using room = await openLogRoom();
  const open = new Set<number>();
  const counted: FileSystem = {
    ...nodeHost.files,
    open: (...args) => {
      const fd = nodeHost.files.open(...args);
      open.add(fd);
      return fd;
    },
    close: (fd) => {
      open.delete(fd);
      nodeHost.files.close(fd);
    },
  };
  for (let n = 1; n <= 40; n++) {
    const log = room.open({
      host: { files: failAt(counted, { n, error: 'EIO' }).files },
      limits: { logBytesMax: 250 },
    });
    for (let record = 0; record < 6; record++) log.append({ event: 'warning' });
    log.close();
    expect([...open], `fault at call ${n}`).toEqual([]);
  }
});
