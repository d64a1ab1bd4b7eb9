import { encodeRecord, GENESIS, type ChainRecord, type RecordContent } from '../../src/chain/record.ts';
import { ChainScan } from '../../src/chain/scan.ts';

export interface Written {
  readonly record: ChainRecord;
  readonly bytes: Buffer;
}

/** The records of a chain in one segment, with these contents. */
export function writeChain(contents: readonly RecordContent[], { by = 'w', from = 1, prev = GENESIS } = {}): Written[] {
  const written: Written[] = [];
  for (const content of contents) {
    const last = written.at(-1)?.record;
    written.push(encodeRecord({ seq: from + written.length, prev: last?.hash ?? prev, by }, content));
  }
  return written;
}

/** The records that count in these bytes of a chain's first segment. Throws ChainDamaged. */
export function scanBytes(bytes: Buffer): { records: ChainRecord[]; scan: ChainScan } {
  const scan = new ChainScan({ path: '/chain/1', first: 1 });
  const records: ChainRecord[] = [];
  scan.feed(bytes, (record) => records.push(record));
  return { records, scan };
}

export function bodiesOf(records: readonly ChainRecord[]): unknown[] {
  return records.flatMap((record) => ('body' in record ? [record.body] : []));
}
