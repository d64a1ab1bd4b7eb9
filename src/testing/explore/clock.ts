import type { Timer } from '../../step/workflow-state.ts';

/**
 * What is known about the timers of one workflow when nothing is known about how fast anything is. For each pair it says
 * by how much one is due later than the other at most; so a timer may fire at any time from its due time on, and never
 * before another one of the same workflow that is certain to be due earlier. (A difference bound matrix, as in Dill,
 * "Timing assumptions and verification of finite-state concurrent systems", 1989.)
 */
export interface TimerOrder {
  /** Effect ids, in the order in which the timers were armed. */
  readonly ids: readonly string[];
  /** `bounds[a][b]`: ms by which a is after b at most. 0 is now, n the timer `ids[n - 1]`. */
  readonly bounds: readonly (readonly number[])[];
}

export const NO_TIMERS: TimerOrder = { ids: [], bounds: [[0]] };

/** Of two timers that are due in the same ms the one that was armed first fires first. */
const STRICTLY_EARLIER_MS = -1;

type Timers = Readonly<Record<string, Timer>>;

/** The order when this timer is the next of its workflow that fires; undefined when another one is due before it for certain. */
export function afterFiring(order: TimerOrder, effectId: string): TimerOrder | undefined {
  const fired = order.ids.indexOf(effectId) + 1;
  if (fired === 0) return undefined;
  const bounds = order.bounds.map((row) => [...row]);
  tighten(bounds, fired, 0, 0);
  for (let other = 1; other < bounds.length; other++) {
    if (other !== fired) tighten(bounds, fired, other, other < fired ? STRICTLY_EARLIER_MS : 0);
  }
  if (!close(bounds)) return undefined;
  return without({ ids: order.ids, bounds }, effectId);
}

/** The order after a step that left these timers. One that was armed by it has its delay as `dueAt`. */
export function afterStep(order: TimerOrder, timers: Timers): TimerOrder {
  const left = new Map(Object.values(timers).map((timer) => [timer.effectId, timer.dueAt]));
  let next = order;
  for (const id of order.ids) if (!left.has(id)) next = without(next, id);
  const armed = [...left].filter(([id]) => !order.ids.includes(id)).sort(([a], [b]) => compareEffectIds(a, b));
  if (armed.length === 0) return next;
  // The step took place now or later, but not before anything that has fired.
  const delays = armed.map(([, delayMs]) => delayMs);
  const old = next.bounds.length;
  const bounds = [...next.bounds, ...armed.map(() => [])].map((row, a) =>
    [...Array(old + delays.length).keys()].map((b) => (a === b ? 0 : (row[b] ?? Infinity))),
  );
  for (const [index, delayMs] of delays.entries()) {
    tighten(bounds, old + index, 0, delayMs);
    tighten(bounds, 0, old + index, -delayMs);
  }
  close(bounds);
  // From here on time goes by: now is after nothing by any most.
  for (let other = 1; other < bounds.length; other++) {
    const row = bounds[0];
    if (row) row[other] = Infinity;
  }
  return { ids: [...next.ids, ...armed.map(([id]) => id)], bounds };
}

function without({ ids, bounds }: TimerOrder, effectId: string): TimerOrder {
  const gone = ids.indexOf(effectId) + 1;
  return {
    ids: ids.filter((id) => id !== effectId),
    bounds: bounds.filter((_, a) => a !== gone).map((row) => row.filter((_, b) => b !== gone)),
  };
}

function tighten(bounds: number[][], a: number, b: number, ms: number): void {
  const row = bounds[a];
  if (row) row[b] = Math.min(row[b] ?? Infinity, ms);
}

/** Draws every conclusion; false when they contradict each other. */
function close(bounds: number[][]): boolean {
  for (const [middle, through] of bounds.entries()) {
    for (const row of bounds) {
      const first = row[middle] ?? Infinity;
      if (first === Infinity) continue;
      for (const [b, second] of through.entries()) row[b] = Math.min(row[b] ?? Infinity, first + second);
    }
  }
  return bounds.every((row, a) => (row[a] ?? 0) >= 0);
}

/** By their numbers: `….2.9` was asked for before `….2.10`. */
export function compareEffectIds(a: string, b: string): number {
  const [stepOfA = 0, indexOfA = 0] = a.split('.').slice(-2).map(Number);
  const [stepOfB = 0, indexOfB = 0] = b.split('.').slice(-2).map(Number);
  return stepOfA - stepOfB || indexOfA - indexOfB;
}
