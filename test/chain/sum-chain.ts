import { ChainFile, type ChainOptions } from '../../src/chain/chain-file.ts';
import type { ChainRecord } from '../../src/chain/record.ts';
import { nodeHost } from '../../src/host/node-host.ts';

export interface SumChain {
  readonly chain: ChainFile;
  readonly records: ChainRecord[];
  /** The sum of all appended numbers: what a chain's user folds from its records. */
  readonly sum: () => number;
}

export type SumOptions = Partial<ChainOptions> & { readonly directory: string };

/** A chain of numbers, whose state is their sum. */
export function openSum(options: SumOptions): SumChain {
  let sum = 0;
  const records: ChainRecord[] = [];
  const chain = new ChainFile({
    host: nodeHost,
    naming: { prefix: '', suffix: '.jsonl' },
    segmentBytesMax: 1_000_000,
    durable: false,
    carry: () => ({ sum }),
    ...options,
    onRecord: (record) => {
      records.push(record);
      if ('carried' in record) sum = (record.carried as { sum: number }).sum;
      if ('body' in record) sum += Number(record.body);
    },
  });
  return { chain, records, sum: () => sum };
}

/** Appends until it wins; a fenced writer of this chain just retries. Returns the number of attempts. */
export async function add(open: SumChain, value: number): Promise<number> {
  for (let tries = 1; tries <= 50; tries++) if ((await open.chain.append(value)).won) return tries;
  throw new Error('fenced 50 times');
}
