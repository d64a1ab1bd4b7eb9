import v8 from 'node:v8';
import vm from 'node:vm';

/** One way to do the work: prepares what it needs, then resolves with the ns that one operation took on average. */
export type Side = (round: number) => Promise<number> | number;

/** What the rounds of one side measured, in µs per operation, in order. */
export type Samples = readonly number[];

export interface Rounds {
  /** Rounds that count, at least 5. */
  readonly counted: number;
  /** Rounds before those, for compilers and caches. */
  readonly warmUp: number;
}

/** Runs the sides in turn (A B C A B C …), so that what else the machine does falls on all of them alike. */
export async function interleave<Name extends string>(
  sides: Readonly<Record<Name, Side>>,
  { counted, warmUp }: Rounds,
): Promise<Record<Name, Samples>> {
  const names = Object.keys(sides) as Name[];
  const samples = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>;
  for (let round = 0; round < warmUp + counted; round++) {
    for (const name of names) {
      collectGarbage();
      const ns = await sides[name](round);
      if (round >= warmUp) samples[name].push(ns / 1_000);
    }
  }
  return samples;
}

/** So that no side pays for what another has left behind. */
function collectGarbage(): void {
  v8.setFlagsFromString('--expose-gc');
  collect ??= vm.runInNewContext('gc') as (options: { type: 'minor' }) => void;
  collect({ type: 'minor' });
}

let collect: ((options: { type: 'minor' }) => void) | undefined;

/** The ns that each of `count` operations took on average. */
export async function timeEach(count: number, work: (index: number) => Promise<unknown>): Promise<number> {
  const start = process.hrtime.bigint();
  for (let index = 0; index < count; index++) await work(index);
  return Number(process.hrtime.bigint() - start) / count;
}

/** The same for work that waits for nothing, which must not pay for a promise. */
export function timeEachSync(count: number, work: (index: number) => void): number {
  const start = process.hrtime.bigint();
  for (let index = 0; index < count; index++) work(index);
  return Number(process.hrtime.bigint() - start) / count;
}

/** The value below which `share` (0 to 1) of the samples lie. */
export function quantile(samples: Samples, share: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const below = sorted[Math.floor(at)] ?? Number.NaN;
  const above = sorted[Math.ceil(at)] ?? Number.NaN;
  return below + (above - below) * (at - Math.floor(at));
}

export function median(samples: Samples): number {
  return quantile(samples, 0.5);
}

/** How many times as long the first side took, round by round: neighbours had the same machine. */
export function ratios(samples: Samples, floor: Samples): Samples {
  return samples.map((value, index) => value / (floor[index] ?? Number.NaN));
}
