import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { ChainReader } from '../../src/chain/chain-reader.ts';
import { readChain } from '../../src/chain/read-chain.ts';
import type { ChainRecord } from '../../src/chain/record.ts';
import { ChainDamaged } from '../../src/errors.ts';
import { nodeFileSystem } from '../../src/host/node-file-system.ts';
import { countCalls } from '../faults/faulty-files.ts';
import { scratchDirectories } from './scratch.ts';
import { add, openSum } from './sum-chain.ts';

const scratch = scratchDirectories('reader');
const NAMING = { prefix: '', suffix: '.jsonl' };
const SMALL = { segmentBytesMax: 600 };

describe('a reader of a chain', () => {
  it('gives every record once and in order, over all segments, however often it looks', async () => {
    const directory = scratch();
    const { chain } = openSum({ directory, ...SMALL });
    const often = new ChainReader(nodeFileSystem, { directory, naming: NAMING });
    const seenOften: ChainRecord[] = [];
    for (let value = 1; value <= 40; value++) {
      if ((await chain.append(value)).won && value % 3 === 0) readAll(often, seenOften);
    }
    readAll(often, seenOften);
    const seenOnce: ChainRecord[] = [];
    const once = new ChainReader(nodeFileSystem, { directory, naming: NAMING });
    readAll(once, seenOnce);
    const whole: ChainRecord[] = [];
    readChain(nodeFileSystem, { directory, naming: NAMING }, (record) => whole.push(record));
    console.log(`${whole.length} records in ${fs.readdirSync(directory).length} segments`);
    expect(fs.readdirSync(directory).length).toBeGreaterThan(3);
    expect(seenOften).toEqual(whole);
    expect(seenOnce).toEqual(whole);
    for (const reader of [often, once]) reader.close();
    chain.close();
  });

  it('reads what is new with one call, and finds a chain that begins later', async () => {
    const directory = path.join(scratch(), 'later');
    const counted = countCalls(nodeFileSystem);
    const reader = new ChainReader(counted.files, { directory, naming: NAMING });
    const seen: ChainRecord[] = [];
    readAll(reader, seen);
    expect(seen).toEqual([]);
    fs.mkdirSync(directory);
    const open = openSum({ directory });
    for (let value = 1; value <= 100; value++) await add(open, value);
    readAll(reader, seen);
    expect(seen).toHaveLength(100);
    const before = counted.steps.length;
    readAll(reader, seen);
    await add(open, 101);
    readAll(reader, seen);
    expect(counted.steps.slice(before).map((step) => step.split(' ')[0])).toEqual(['read', 'read']);
    expect(seen).toHaveLength(101);
    reader.close();
    open.chain.close();
  });

  it('refuses a chain with a missing segment, or one that does not end with a seal', async () => {
    const directory = scratch();
    const open = openSum({ directory, ...SMALL });
    for (let value = 1; value <= 20; value++) await add(open, value);
    open.chain.close();
    const firsts = fs
      .readdirSync(directory)
      .map((name) => Number.parseInt(name, 10))
      .sort((a, b) => a - b);
    const file = (index: number): string => path.join(directory, `${firsts[index]}.jsonl`);
    const read = (): unknown => {
      const reader = new ChainReader(nodeFileSystem, { directory, naming: NAMING });
      try {
        return readAll(reader, []);
      } finally {
        reader.close();
      }
    };
    const sealed = fs.readFileSync(file(0));
    fs.truncateSync(file(0), sealed.length - 20);
    expect(read).toThrow(ChainDamaged);
    fs.writeFileSync(file(0), sealed);
    expect(read).not.toThrow();
    for (const index of [1, 0]) {
      fs.renameSync(file(index), `${file(index)}.away`);
      expect(read).toThrow(`has no file that begins with record ${firsts[index]}`);
      fs.renameSync(`${file(index)}.away`, file(index));
    }
  });
});

function readAll(reader: ChainReader, into: ChainRecord[]): void {
  for (let isMore = true; isMore;) isMore = reader.readOn((record) => into.push(record));
}
