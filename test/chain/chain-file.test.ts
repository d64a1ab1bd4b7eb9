import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { ChainDamaged } from '../../src/errors.ts';
import { encodeRecord } from '../../src/chain/record.ts';
import { nodeFileSystem } from '../../src/host/node-file-system.ts';
import { nodeHost } from '../../src/host/node-host.ts';
import { countCalls, failAt } from '../faults/faulty-files.ts';
import { bodiesOf } from './chain-bytes.ts';
import { readWholeChain } from './chain-oracle.ts';
import { scratchDirectories } from './scratch.ts';
import { add, openSum, type SumOptions } from './sum-chain.ts';

const scratch = scratchDirectories('chain');
const SMALL = { segmentBytesMax: 600 };

describe('a chain file', () => {
  it('gives every record to every reader in the same order, also after reopening', async () => {
    const directory = scratch();
    const one = openSum({ directory });
    const two = openSum({ directory });
    for (let value = 1; value <= 20; value++) await add(value % 2 ? one : two, value);
    one.chain.readOn();
    two.chain.readOn();
    const again = openSum({ directory });
    expect(one.records).toEqual(two.records);
    expect(again.records).toEqual(one.records);
    expect(again.sum()).toBe(210);
    expect(readWholeChain(directory).map(({ body }) => body)).toEqual(bodiesOf(one.records));
  });

  it('fences a writer that has not seen a record of another, and gives it that record first', async () => {
    const directory = scratch();
    const one = openSum({ directory });
    const two = openSum({ directory });
    expect(await one.chain.append(1)).toMatchObject({ won: true, record: { seq: 1, by: one.chain.by } });
    expect(await two.chain.append(2)).toEqual({ won: false });
    expect(two.sum()).toBe(1);
    expect(await two.chain.append(2)).toMatchObject({ won: true, record: { seq: 2, by: two.chain.by } });
    expect(readWholeChain(directory)).toHaveLength(2);
  });

  it('does not mistake a record of another for its own unwritten one of the same length', async () => {
    const directory = scratch();
    const rival = openSum({ directory });
    const mute = { ...nodeFileSystem, write: (_fd: number, bytes: Uint8Array) => bytes.length };
    const one = openSum({ directory, host: { ...nodeHost, files: mute } });
    await rival.chain.append(7);
    expect(await one.chain.append(8)).toEqual({ won: false });
    expect(one.sum()).toBe(7);
    await expect(one.chain.append(8)).rejects.toThrow('cut short');
  });

  it('costs one write, one read and one look at the path per record', async () => {
    const directory = scratch();
    const counted = countCalls(nodeFileSystem);
    const one = openSum({ directory, host: { ...nodeHost, files: counted.files } });
    await one.chain.append(0);
    const opening = counted.steps.length;
    for (let value = 0; value < 100; value++) await one.chain.append(value);
    console.log(`open and first record: ${opening} calls; 100 more: ${counted.steps.length - opening}`);
    const file = path.join(directory, '1.jsonl');
    expect(counted.steps.slice(opening, opening + 3)).toEqual([`write ${file}`, `read ${file}`, `lstat ${file}`]);
    expect(counted.steps.length - opening).toBe(300);
  });

  it('decides within one process in the order of the calls', async () => {
    const one = openSum({ directory: scratch(), ...SMALL });
    const outcomes = await Promise.all([1, 2, 3, 4].map((value) => one.chain.append(value)));
    expect(outcomes.map(({ won }) => won)).toEqual([true, true, true, true]);
    expect(one.sum()).toBe(10);
  });

  it('works with bodies larger than its read buffer', async () => {
    const directory = scratch();
    const long = 'ä'.repeat(300_000);
    const one = openSum({ directory });
    await one.chain.append(long);
    await one.chain.append(2);
    expect(bodiesOf(openSum({ directory }).records)).toEqual([long, 2]);
  });
});

describe('segments', () => {
  it.each([true, false])('end with a seal and continue with the state in the next, durable: %s', async (durable) => {
    const directory = scratch();
    const one = openSum({ directory, durable, ...SMALL });
    for (let value = 1; value <= 20; value++) {
      await add(one, value);
      if (durable) await one.chain.sync();
    }
    const files = fs.readdirSync(directory);
    expect(files.length).toBeGreaterThan(5);
    expect(readWholeChain(directory).filter(({ body }) => body !== undefined)).toHaveLength(20);
    const again = openSum({ directory, durable, ...SMALL });
    expect(again.sum()).toBe(210);
    // Opening reads only the last segment.
    expect(again.records.length).toBeLessThan(6);
    console.log(`${files.length} segments`);
  });

  it('are followed by a reader that stopped in an old one', async () => {
    const directory = scratch();
    const reader = openSum({ directory });
    const writer = openSum({ directory, ...SMALL });
    for (let value = 1; value <= 20; value++) await add(writer, value);
    reader.chain.readOn();
    expect(reader.sum()).toBe(210);
    expect(bodiesOf(reader.records)).toEqual(bodiesOf(writer.records));
    expect(await reader.chain.append(1)).toMatchObject({ won: true });
  });

  it('are ended and begun by several processes at once without a gap', async () => {
    const directory = scratch();
    const writers = Array.from({ length: 6 }, () => openSum({ directory, durable: true, ...SMALL }));
    await Promise.all(
      writers.map(async (writer) => {
        for (let value = 1; value <= 10; value++) await add(writer, value);
      }),
    );
    for (const { chain } of writers) chain.readOn();
    expect(writers.map((writer) => writer.sum())).toEqual(writers.map(() => 330));
    const chain = readWholeChain(directory);
    expect(chain.filter(({ body }) => body !== undefined)).toHaveLength(60);
    console.log(`${chain.filter(({ seal }) => seal).length} seals by ${writers.length} writers`);
    expect(fs.readdirSync(directory).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('are removed except the last ones if only those are kept, and a reader left behind skips to the last', async () => {
    const directory = scratch();
    const options = { directory, segmentsKept: 2, ...SMALL };
    const reader = openSum(options);
    await add(reader, 1);
    const writer = openSum(options);
    for (let value = 2; value <= 20; value++) await add(writer, value);
    expect(fs.readdirSync(directory)).toHaveLength(2);
    expect(fs.existsSync(path.join(directory, '1.jsonl'))).toBe(false);
    // Its decision was based on a state of long ago, so it is fenced and then knows the sum of all.
    expect(await reader.chain.append(21)).toEqual({ won: false });
    expect(reader.sum()).toBe(210);
    expect(await reader.chain.append(21)).toMatchObject({ won: true });
    writer.chain.readOn();
    expect(writer.sum()).toBe(231);
    expect(() => openSum({ ...options, segmentsKept: 1 })).toThrow(RangeError);
  });

  it('skipped by a reader fence it, even if the last one holds nothing but the state', async () => {
    const directory = scratch();
    const reader = openSum({ directory, segmentsKept: 2 });
    await add(reader, 1);
    const prev = reader.records.at(-1)?.hash ?? '';
    const seal = encodeRecord({ seq: 2, prev, by: 'x' }, { seal: true });
    fs.appendFileSync(path.join(directory, '1.jsonl'), seal.bytes);
    reader.chain.readOn();
    const far = encodeRecord({ seq: 10, prev: 'a'.repeat(64), by: 'x' }, { carried: { sum: 500 } });
    fs.writeFileSync(path.join(directory, '10.jsonl'), far.bytes);
    expect(await reader.chain.append(2)).toEqual({ won: false });
    expect(reader.sum()).toBe(500);
    expect(await reader.chain.append(2)).toMatchObject({ won: true, record: { seq: 11 } });
  });

  it('that a stopped process brings back are never taken for the last one', async () => {
    const directory = scratch();
    const options = { directory, segmentsKept: 2, ...SMALL };
    const late = openSum(options);
    const ahead = openSum(options);
    const second = await growTo(ahead, 2, directory);
    const copy = fs.readFileSync(second);
    for (let value = 0; value < 20; value++) await add(ahead, 1);
    expect(fs.existsSync(second)).toBe(false);
    const listing = lastListingIs([path.basename(second)], () => fs.writeFileSync(second, copy));
    const deceived = openSum({ ...options, host: { ...nodeHost, files: listing } });
    late.chain.readOn();
    for (const open of [late, deceived]) expect(open.sum()).toBe(ahead.sum());
  });

  it('left behind as temporary files by a crash are swept', async () => {
    const directory = scratch();
    const stale = ['1.jsonl.aa.tmp', '2.jsonl.00ff.tmp'].map((name) => path.join(directory, name));
    for (const file of stale) fs.writeFileSync(file, 'half a rec');
    const foreign = path.join(directory, '2.jsonl.notes.tmp');
    fs.writeFileSync(foreign, '');
    const one = openSum({ directory, ...SMALL });
    for (let value = 1; value <= 5; value++) await add(one, value);
    expect(stale.filter((file) => fs.existsSync(file))).toEqual([]);
    expect(fs.existsSync(foreign)).toBe(true);
  });
});

describe('opening', () => {
  it('continues behind an empty first segment and behind a torn one', async () => {
    for (const content of ['', '\n0123', '\n'.repeat(5)]) {
      const directory = scratch();
      fs.writeFileSync(path.join(directory, '1.jsonl'), content);
      await add(openSum({ directory }), 7);
      expect(openSum({ directory }).sum()).toBe(7);
    }
  });

  it.each(['', '\n01', '\0\0\0'])('carries the state over again if a power loss left %j of a segment', async (rest) => {
    const directory = scratch();
    const options = { directory, segmentsKept: 2, ...SMALL };
    const one = openSum(options);
    for (let value = 1; value <= 10; value++) await add(one, value);
    const [last] = fs.readdirSync(directory).sort((a, b) => parseInt(b, 10) - parseInt(a, 10));
    const file = path.join(directory, last ?? '');
    const opening = openSum(options);
    fs.writeFileSync(file, rest);
    // The state as it was when the segment before was sealed.
    const carried = opening.records.find((record) => 'carried' in record);
    if (!carried || !('carried' in carried)) throw new Error('the last segment has an opening record');
    const expected = (carried.carried as { sum: number }).sum;
    const again = openSum(options);
    expect(again.sum()).toBe(expected);
    expect(again.chain.isTurning).toBe(true);
    await add(again, 1000);
    expect(openSum(options).sum()).toBe(expected + 1000);
  });

  it('refuses a segment that belongs to no chain, naming it', async () => {
    const directory = scratch();
    const one = openSum({ directory });
    await add(one, 1);
    fs.writeFileSync(path.join(directory, '9.jsonl'), '');
    expect(() => openSum({ directory })).toThrow(/9\.jsonl has no opening record/);
    fs.rmSync(path.join(directory, '1.jsonl'));
    expect(() => openSum({ directory })).toThrow(ChainDamaged);
  });

  it('refuses damage, and again at every later call of a reader that meets it', async () => {
    const directory = scratch();
    const reader = openSum({ directory });
    const writer = openSum({ directory });
    for (let value = 1; value <= 3; value++) await add(writer, value);
    const file = path.join(directory, '1.jsonl');
    const bytes = fs.readFileSync(file);
    bytes[bytes.indexOf('"body":2') + 7] = 0x39;
    fs.writeFileSync(file, bytes);
    for (let tries = 0; tries < 2; tries++) {
      expect(() => reader.chain.readOn()).toThrow(/damaged at byte \d+: expected record 2 there/);
      await expect(reader.chain.append(4)).rejects.toThrow(ChainDamaged);
    }
    expect(reader.sum()).toBe(1);
    expect(() => openSum({ directory })).toThrow(ChainDamaged);
  });

  it.each([undefined, 2])('refuses a next segment that continues another chain, segments kept: %s', async (kept) => {
    const directory = scratch();
    const reader = openSum({ directory, ...(kept === undefined ? {} : { segmentsKept: kept }) });
    await add(reader, 1);
    const prev = reader.records.at(-1)?.hash ?? '';
    fs.appendFileSync(path.join(directory, '1.jsonl'), encodeRecord({ seq: 2, prev, by: 'x' }, { seal: true }).bytes);
    const foreign = encodeRecord({ seq: 3, prev, by: 'x' }, { carried: { sum: 9 } });
    fs.writeFileSync(path.join(directory, '3.jsonl'), foreign.bytes);
    await expect(reader.chain.append(2)).rejects.toThrow(/3\.jsonl is damaged at byte 1: expected record 3/);
    expect(reader.sum()).toBe(1);
  });

  it('names the missing directory', () => {
    const directory = path.join(scratch(), 'gone');
    expect(() => openSum({ directory })).toThrow(directory);
  });
});

describe('durability', () => {
  it('has seal, state and names on disk before the next segment is used', async () => {
    const directory = scratch();
    const counted = countCalls(nodeFileSystem);
    const one = openSum({ directory, durable: true, ...SMALL, host: { ...nodeHost, files: counted.files } });
    while (!one.chain.isTurning) await add(one, 1);
    const before = counted.steps.length;
    await add(one, 1);
    const turning = counted.steps.slice(before).map((step) => step.replace(/\.[0-9a-f]+\.tmp/, '.tmp'));
    const inOrder = [
      'write 1.jsonl',
      'fdatasync 1.jsonl',
      'fsync 6.jsonl.tmp',
      'link 6.jsonl.tmp',
      'unlink 6.jsonl.tmp',
      `fsync ${path.basename(directory)}`,
      'write 6.jsonl',
    ];
    expect(turning.map(named).filter((step) => inOrder.includes(step))).toEqual(inOrder);
  });

  it('syncs a new name once and records every time', async () => {
    const directory = scratch();
    const counted = countCalls(nodeFileSystem);
    const one = openSum({ directory, durable: true, host: { ...nodeHost, files: counted.files } });
    for (let value = 1; value <= 3; value++) {
      await add(one, value);
      await one.chain.sync();
    }
    const syncs = counted.steps.filter((step) => step.includes('sync')).map(named);
    expect(syncs).toEqual([
      'fdatasync 1.jsonl',
      `fsync ${path.basename(directory)}`,
      'fdatasync 1.jsonl',
      'fdatasync 1.jsonl',
    ]);
  });

  it('is not claimed again after a failed sync, because the kernel may have dropped the bytes', async () => {
    const directory = scratch();
    const probe = countCalls(nodeFileSystem);
    await syncOnce({ directory: scratch(), host: { ...nodeHost, files: probe.files } });
    const n = probe.steps.findIndex((step) => step.startsWith('fdatasync')) + 1;
    const faulty = failAt(nodeFileSystem, { n, error: 'EIO' });
    const one = openSum({ directory, durable: true, host: { ...nodeHost, files: faulty.files } });
    await add(one, 1);
    for (let tries = 0; tries < 2; tries++) {
      await expect(one.chain.sync()).rejects.toThrow(path.join(directory, '1.jsonl'));
      await expect(one.chain.append(2)).rejects.toMatchObject({ code: 'EIO' });
    }
  });

  it('is refused for a file that was removed while in use', async () => {
    const directory = scratch();
    const one = openSum({ directory, durable: true });
    await add(one, 1);
    fs.rmSync(path.join(directory, '1.jsonl'));
    expect(one.chain.isRemoved()).toBe(true);
    await expect(one.chain.sync()).rejects.toThrow(ChainDamaged);
  });
});

async function syncOnce(options: SumOptions): Promise<void> {
  const one = openSum({ durable: true, ...options });
  await add(one, 1);
  await one.chain.sync();
}

/** Appends until the chain has this many segments, and returns the path of the last. */
async function growTo(open: ReturnType<typeof openSum>, segments: number, directory: string): Promise<string> {
  for (let value = 0; value < 50; value++) {
    const files = fs.readdirSync(directory).sort((a, b) => parseInt(a, 10) - parseInt(b, 10));
    if (files.length === segments) return path.join(directory, files.at(-1) ?? '');
    await add(open, 1);
  }
  throw new Error('the chain does not grow');
}

/** A file system whose first listing is outdated; before it is used, `meanwhile` happens. */
function lastListingIs(names: readonly string[], meanwhile: () => void): typeof nodeFileSystem {
  let listings = 0;
  return {
    ...nodeFileSystem,
    readdir: (directory) => {
      listings += 1;
      if (listings > 1) return nodeFileSystem.readdir(directory);
      meanwhile();
      return [...names];
    },
  };
}

/** `write /long/path/1.jsonl` → `write 1.jsonl` */
function named(step: string): string {
  const [name = '', file = ''] = step.split(' ');
  return `${name} ${path.basename(file)}`;
}
