import fs from 'node:fs';
import path from 'node:path';
import { CONTENT_600_B, makeRoom, MESSAGE_BYTES } from '../bench-room.ts';
import { interleave, timeEach } from '../measure.ts';
import { makePlainMailbox, plainNames } from '../peers/plain-files.ts';
import { compare, type Bench, type Outcome, type Row } from '../row.ts';
import { bySize, rounds } from '../size.ts';

const AT_ONCE = 64;
const BYTES = Buffer.alloc(MESSAGE_BYTES, 'm');

/** A send that survives a power loss, beside the cheapest way to make 600 bytes do so. */
export const sendPowerRow: Row = {
  name: 'send-power',
  run: async (bench): Promise<Outcome[]> => {
    const count = bySize(bench, { full: 24, quick: 16, smoke: 2 });
    const samples = await interleave(
      {
        appended: () => timeAppends(bench, count),
        ours: () => timeSends(bench, { count, atOnce: 1 }),
        synced: () => timeSyncedDeliveries(bench, count),
        together: () => timeSends(bench, { count: bySize(bench, { full: 2, quick: 2, smoke: 1 }), atOnce: AT_ONCE }),
      },
      rounds(bench),
    );
    return [
      compare({
        work: 'send (power), one by one',
        floor: 'append + fdatasync',
        samples: samples.ours,
        floorSamples: samples.appended,
        goal: { most: 2.2, unit: '×' },
      }),
      compare({
        work: 'a file synced, linked, its directory synced, nothing else',
        floor: 'append + fdatasync',
        samples: samples.synced,
        floorSamples: samples.appended,
      }),
      compare({
        work: `send (power), ${AT_ONCE} at once, per message`,
        floor: 'the same one by one',
        samples: samples.together,
        floorSamples: samples.ours,
        goal: { least: 4, unit: '× faster' },
      }),
    ];
  },
};

async function timeAppends(bench: Bench, count: number): Promise<number> {
  const fd = fs.openSync(path.join(bench.freshDirectory(), 'mail.log'), 'ax');
  const append = async (): Promise<void> => {
    fs.writeSync(fd, BYTES, 0, BYTES.length);
    await new Promise<void>((resolve, reject) => fs.fdatasync(fd, (error) => (error ? reject(error) : resolve())));
  };
  await append();
  const ns = await timeEach(count, append);
  fs.closeSync(fd);
  return ns;
}

async function timeSyncedDeliveries(bench: Bench, count: number): Promise<number> {
  const mailbox = makePlainMailbox(bench.freshDirectory());
  const names = plainNames(count + 1);
  const deliver = async (index: number): Promise<void> => {
    const name = names[index] ?? '';
    const staged = `${mailbox.tmp}/${name}`;
    const fd = fs.openSync(staged, 'wx', 0o400);
    fs.writeSync(fd, BYTES, 0, BYTES.length);
    await sync(fd);
    fs.closeSync(fd);
    fs.linkSync(staged, `${mailbox.new}/${name}`);
    const directory = fs.openSync(mailbox.new, 'r');
    await sync(directory);
    fs.closeSync(directory);
    fs.unlinkSync(staged);
  };
  await deliver(count);
  return timeEach(count, deliver);
}

function sync(fd: number): Promise<void> {
  return new Promise((resolve, reject) => fs.fsync(fd, (error) => (error ? reject(error) : resolve())));
}

async function timeSends(bench: Bench, { count, atOnce }: { count: number; atOnce: number }): Promise<number> {
  const room = await makeRoom(bench, { addresses: ['alice', 'bob'], durability: 'power' });
  const [alice] = room.agents;
  const send = async (): Promise<unknown> => alice?.send({ to: 'bob', type: 'INFO', content: CONTENT_600_B });
  await send();
  const ns = await timeEach(count, () => Promise.all(Array.from({ length: atOnce }, send)));
  await room.close();
  return ns / atOnce;
}
