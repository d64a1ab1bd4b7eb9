import type { Rounds } from './measure.ts';
import type { Bench } from './row.ts';

/** The figure for this run's size. */
export function bySize<T>({ size }: Pick<Bench, 'size'>, values: Readonly<Record<Bench['size'], T>>): T {
  return values[size];
}

const ROUNDS: Readonly<Record<Bench['size'], Rounds>> = {
  full: { counted: 41, warmUp: 9 },
  quick: { counted: 11, warmUp: 4 },
  smoke: { counted: 1, warmUp: 0 },
};

/** Rounds of short batches: enough of them that a median passes over what else the machine did. */
export function rounds(bench: Pick<Bench, 'size'>): Rounds {
  return ROUNDS[bench.size];
}
