import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeRecord, GENESIS, RECORD_BYTES_MAX, type ChainRecord } from '../../src/chain/record.ts';
import { ChainScan } from '../../src/chain/scan.ts';
import { ChainDamaged, InvalidInput } from '../../src/errors.ts';
import { bodiesOf, scanBytes, writeChain, type Written } from './chain-bytes.ts';
import { propertySeed } from './seed.ts';
import { amount } from '../run/amount.ts';

const seed = propertySeed('scan.test.ts');
const RUNS = amount(100, { long: 500 });
const json = fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.parse(JSON.stringify(value)) as unknown);
const bodies = fc.array(json, { minLength: 1, maxLength: 12 });

describe('a chain', () => {
  it('reads back what was written, however the bytes are cut into pieces', () => {
    fc.assert(
      fc.property(bodies, fc.array(fc.nat(400), { maxLength: 20 }), (contents, cuts) => {
        const written = writeChain(contents.map((body) => ({ body })));
        const file = Buffer.concat(written.map(({ bytes }) => bytes));
        const scan = new ChainScan({ path: '/c', first: 1 });
        const records: ChainRecord[] = [];
        let visible = 0;
        for (const more of [...cuts, file.length]) {
          visible = Math.min(visible + more, file.length);
          scan.feed(file.subarray(scan.offset, visible), (record) => records.push(record));
        }
        expect(records).toEqual(written.map(({ record }) => record));
        expect(scan.offset).toBe(file.length);
      }),
      { seed, numRuns: RUNS },
    );
  });

  it('is not disturbed by torn pieces and by complete records of writers that lost a race', () => {
    let noise = 0;
    const turn = fc.record({
      body: json,
      torn: fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { maxLength: 3 }),
      late: fc.array(fc.nat(5), { maxLength: 3 }),
    });
    fc.assert(
      fc.property(fc.array(turn, { minLength: 1, maxLength: 10 }), (turns) => {
        const winners: Written[] = [];
        const file: Buffer[] = [];
        const headAfter = (count: number, by: string): { seq: number; prev: string; by: string } => ({
          seq: count + 1,
          prev: winners[count - 1]?.record.hash ?? GENESIS,
          by,
        });
        for (const { body, torn, late } of turns) {
          for (const part of torn) {
            const { bytes } = encodeRecord(headAfter(winners.length, 'torn'), { body });
            // All but the last two bytes at most: with only its newline missing a record is complete.
            file.push(bytes.subarray(0, Math.floor(part * (bytes.length - 1))));
          }
          const winner = encodeRecord(headAfter(winners.length, 'winner'), { body });
          winners.push(winner);
          file.push(winner.bytes);
          for (const behind of late) {
            const count = Math.max(0, winners.length - 1 - behind);
            file.push(encodeRecord(headAfter(count, `late-${behind}`), { body: 'lost' }).bytes);
          }
          noise += torn.length + late.length;
        }
        const { records } = scanBytes(Buffer.concat(file));
        expect(records).toEqual(winners.map(({ record }) => record));
      }),
      { seed, numRuns: RUNS },
    );
    console.log(`${noise} torn pieces and late records passed over`);
  });

  it('loses at most its last record if it is cut off at any byte', () => {
    const written = writeChain([{ body: 'ü\u2028' }, { body: { a: [1] } }, { body: null }]);
    const file = Buffer.concat(written.map(({ bytes }) => bytes));
    for (let length = 0; length <= file.length; length++) {
      const { records, scan } = scanBytes(file.subarray(0, length));
      expect(scan.offset).toBeLessThanOrEqual(length);
      const ends = written.map((_, at) => Buffer.concat(written.slice(0, at + 1).map((one) => one.bytes)).length);
      // The final newline may be missing.
      expect(records).toHaveLength(ends.filter((end) => end - 1 <= length).length);
    }
    console.log(`${file.length + 1} lengths`);
  });

  it('accepts a record without its final newline as complete, and only once', () => {
    const [one, two] = writeChain([{ body: 1 }, { body: 2 }]);
    if (!one || !two) throw new Error('two records');
    const scan = new ChainScan({ path: '/c', first: 1 });
    const records: ChainRecord[] = [];
    const file = Buffer.concat([one.bytes.subarray(0, -1), one.bytes, two.bytes]);
    for (const end of [one.bytes.length - 1, one.bytes.length, file.length]) {
      scan.feed(file.subarray(scan.offset, end), (record) => records.push(record));
    }
    expect(bodiesOf(records)).toEqual([1, 2]);
  });

  it('reports a flipped bit at every byte, or loses only its last record; nothing else', () => {
    const written = writeChain(['a', { b: 'long enough to be torn' }, [3], 'the last one'].map((body) => ({ body })));
    const file = Buffer.concat(written.map(({ bytes }) => bytes));
    const whole = written.map(({ record }) => record);
    const outcomes = { damaged: 0, lastLost: 0, harmless: 0 };
    for (let at = 0; at < file.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const flipped = Buffer.from(file);
        flipped[at] = (flipped[at] ?? 0) ^ (1 << bit);
        const records: ChainRecord[] = [];
        const scan = new ChainScan({ path: '/c', first: 1 });
        try {
          scan.feed(flipped, (record) => records.push(record));
          if (records.length === whole.length) outcomes.harmless += 1;
          else outcomes.lastLost += 1;
          expect(records.length).toBeGreaterThanOrEqual(whole.length - 1);
        } catch (error) {
          if (!(error instanceof ChainDamaged)) throw error;
          outcomes.damaged += 1;
        }
        expect(records).toEqual(whole.slice(0, records.length));
      }
    }
    console.log(`${file.length * 8} flips: ${JSON.stringify(outcomes)}`);
    // Only a flip that makes the last record look torn cannot be told from a torn record.
    expect(outcomes.harmless).toBe(0);
    expect(outcomes.damaged).toBeGreaterThan(file.length * 7);
  });

  it('refuses complete records beyond a missing one, naming file, byte, record and what to do', () => {
    const written = writeChain([{ body: 1 }, { body: 2 }, { body: 3 }]);
    const [first, , third] = written.map(({ bytes }) => bytes);
    if (!first || !third) throw new Error('three records');
    const error = damageOf(Buffer.concat([first, third]));
    expect(error.message).toBe(
      `the chain file /chain/1 is damaged at byte ${first.length + 1}: expected record 2 there, but the next whole record is 3`,
    );
    expect(error.hint).toContain(`truncate -s ${first.length + 1} /chain/1`);
    expect(error.code).toBe('CHAIN_DAMAGED');
  });

  it('refuses a record that has the right number but continues another record', () => {
    const [one] = writeChain([{ body: 1 }]);
    const foreign = encodeRecord({ seq: 2, prev: 'f'.repeat(64), by: 'x' }, { body: 2 });
    expect(damageOf(Buffer.concat([one?.bytes ?? Buffer.alloc(0), foreign.bytes])).message).toContain('continues ffff');
  });

  it('refuses records behind a seal, except those of a writer that had not seen it', () => {
    const [one, seal] = writeChain([{ body: 1 }, { seal: true }]);
    if (!one || !seal) throw new Error('two records');
    const late = encodeRecord({ seq: 2, prev: one.record.hash, by: 'late' }, { body: 2 });
    const sealed = Buffer.concat([one.bytes, seal.bytes, late.bytes]);
    expect(scanBytes(sealed).scan.isSealed).toBe(true);
    expect(scanBytes(sealed).records).toHaveLength(2);
    const behind = encodeRecord({ seq: 3, prev: seal.record.hash, by: 'x' }, { body: 3 });
    expect(damageOf(Buffer.concat([sealed, behind.bytes])).message).toContain('behind the seal');
  });

  it('refuses a later segment that does not begin with an opening record, and a second opening record', () => {
    const start = { path: '/chain/5', first: 5, prev: 'a'.repeat(64) };
    const opening = encodeRecord({ seq: 5, prev: start.prev, by: 'x' }, { carried: { sum: 1 } });
    const body = encodeRecord({ seq: 5, prev: start.prev, by: 'y' }, { body: 1 });
    const again = encodeRecord({ seq: 6, prev: opening.record.hash, by: 'x' }, { carried: {} });
    const wrong = encodeRecord({ seq: 5, prev: 'b'.repeat(64), by: 'x' }, { carried: {} });
    const feed = (...bytes: Buffer[]) => new ChainScan(start).feed(Buffer.concat(bytes), () => {});
    expect(() => feed(opening.bytes, body.bytes)).not.toThrow();
    expect(() => feed(body.bytes)).toThrow('does not open the segment');
    expect(() => feed(opening.bytes, again.bytes)).toThrow('an opening record is there');
    expect(() => feed(wrong.bytes)).toThrow('continues bbbb');
    expect(() => new ChainScan({ path: '/c', first: 5 }).feed(wrong.bytes, () => {})).not.toThrow();
  });

  it('skips whole lines that are not records, and blocks of zeros at its end', () => {
    const [one, two] = writeChain([{ body: 1 }, { body: 2 }]);
    if (!one || !two) throw new Error('two records');
    const lines = Buffer.from('\nhello\n{"seq":9}x\n"{}"\n');
    expect(bodiesOf(scanBytes(Buffer.concat([one.bytes, lines, two.bytes, Buffer.alloc(4096)])).records)).toEqual([
      1, 2,
    ]);
  });

  it('refuses an endless line instead of reading it for ever', () => {
    expect(damageOf(Buffer.alloc(RECORD_BYTES_MAX + 1)).message).toContain('longer than');
  });

  it('gives a record again if applying it failed', () => {
    const file = Buffer.concat(writeChain([{ body: 1 }, { body: 2 }]).map(({ bytes }) => bytes));
    const scan = new ChainScan({ path: '/c', first: 1 });
    const seen: number[] = [];
    const take = (record: ChainRecord): void => {
      seen.push(record.seq);
      if (seen.length === 2) throw new RangeError('not now');
    };
    expect(() => scan.feed(file, take)).toThrow('not now');
    scan.feed(file.subarray(scan.offset), take);
    expect(seen).toEqual([1, 2, 2]);
  });
});

describe('a record', () => {
  it('is refused if it is not JSON or too long', () => {
    const head = { seq: 1, prev: GENESIS, by: 'w' };
    expect(() => encodeRecord(head, { body: undefined })).toThrow(InvalidInput);
    expect(() => encodeRecord(head, { body: 'x'.repeat(RECORD_BYTES_MAX) })).toThrow(InvalidInput);
  });
});

function damageOf(bytes: Buffer): ChainDamaged {
  try {
    scanBytes(bytes);
  } catch (error) {
    if (error instanceof ChainDamaged) return error;
    throw error;
  }
  throw new Error('no damage was found');
}
