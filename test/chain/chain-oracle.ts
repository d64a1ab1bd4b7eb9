import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

export interface OracleRecord {
  readonly seq: number;
  readonly prev: string;
  readonly by: string;
  readonly hash: string;
  readonly body?: unknown;
  readonly seal?: boolean;
  readonly carried?: unknown;
}

/**
 * Reads a chain of `<number>.jsonl` segments by the written rule alone, sharing no code with the code under test.
 * Throws if the segments do not make one chain.
 */
export function readWholeChain(directory: string): OracleRecord[] {
  const numbers = fs
    .readdirSync(directory)
    .flatMap((name) => /^(\d+)\.jsonl$/.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
  const chain: OracleRecord[] = [];
  for (const number of numbers) {
    const last = chain.at(-1);
    if (number !== (last?.seq ?? 0) + 1 || (last && !last.seal)) throw new Error(`segment ${number} continues nothing`);
    for (const record of wholeRecords(path.join(directory, `${number}.jsonl`))) {
      const before = chain.at(-1);
      if (record.seq <= (before?.seq ?? 0)) continue;
      if (record.seq !== (before?.seq ?? 0) + 1) throw new Error(`record ${record.seq} after ${before?.seq}`);
      if (record.prev !== (before?.hash ?? '0'.repeat(64))) throw new Error(`record ${record.seq} has another prev`);
      if (before?.seal === true && record.carried === undefined) throw new Error(`record ${record.seq} after a seal`);
      chain.push(record);
    }
  }
  return chain;
}

function wholeRecords(file: string): OracleRecord[] {
  const lines = fs.readFileSync(file, 'utf8').split('\n');
  return lines.flatMap((line) => {
    const hash = line.slice(0, 64);
    const json = line.slice(65);
    if (createHash('sha256').update(json).digest('hex') !== hash) return [];
    return [{ ...(JSON.parse(json) as Omit<OracleRecord, 'hash'>), hash }];
  });
}
