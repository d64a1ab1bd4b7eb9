import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Timer } from '../../src/step/workflow-state.ts';
import { afterFiring, afterStep, NO_TIMERS, type TimerOrder } from '../../src/testing/explore/clock.ts';
import { checkProperty } from '../message/property.ts';

const DELAY_MS_MAX = 5;

/** What a workflow sets: with each message, and when one of these timers fires. Names are numbers of timers. */
interface Plan {
  /** By message, the timers that are set, by their delays in ms. */
  readonly messages: readonly (readonly number[])[];
  /** What the timers of a message set in turn when they fire; by message. */
  readonly again: readonly (number | undefined)[];
}

const delays = fc.integer({ min: 1, max: DELAY_MS_MAX });
const plans: fc.Arbitrary<Plan> = fc.oneof(
  fc.record({
    messages: fc.array(fc.array(delays, { minLength: 1, maxLength: 2 }), { minLength: 1, maxLength: 2 }),
    again: fc.array(fc.option(delays, { nil: undefined }), { minLength: 2, maxLength: 2 }),
  }),
  fc.record({
    messages: fc.array(fc.tuple(delays), { minLength: 3, maxLength: 3 }),
    again: fc.constant([]),
  }),
);

interface Armed {
  readonly id: string;
  readonly of: number;
  readonly isFirst: boolean;
  readonly dueAt: number;
}

describe('the order of timers', () => {
  it('allows what some clock of whole ms allows, and nothing else', () => {
    let ways = 0;
    const property = fc.property(plans, (plan) => {
      const byOrder = waysByOrder(plan);
      ways += byOrder.length;
      expect(byOrder).toEqual(waysByClock(plan));
    });
    checkProperty('order of timers', property, { runs: 300 });
    console.log(`order of timers: ${ways} ways`);
  });

  it('knows nothing of a timer that is not set', () => {
    expect(afterFiring(NO_TIMERS, 'r.1.0')).toBeUndefined();
  });
});

/** Every way to take the messages and to fire the timers, by a clock that is tried ms by ms. */
function waysByClock({ messages, again }: Plan): string[] {
  const known = new Map<string, readonly string[]>();
  /** `dueAt` counts from now on. Timers stand in the order in which they were set. */
  const waysFrom = (taken: number, armed: readonly Armed[]): readonly string[] => {
    if (taken === messages.length && armed.length === 0) return [''];
    const key = JSON.stringify([taken, armed]);
    const before = known.get(key);
    if (before) return before;
    const found = new Set<string>();
    const add = (word: string, ways: readonly string[]): void => ways.forEach((way) => found.add(word + way));
    // To wait changes something as long as something is still to be due.
    if (armed.some(({ dueAt }) => dueAt > 0))
      add(
        '',
        waysFrom(
          taken,
          armed.map((one) => ({ ...one, dueAt: one.dueAt - 1 })),
        ),
      );
    const message = messages[taken];
    if (message) {
      const more = message.map((dueAt, at): Armed => ({ id: `${taken}${at}`, of: taken, isFirst: true, dueAt }));
      add(` m${taken}`, waysFrom(taken + 1, [...armed, ...more]));
    }
    const next = armed.toSorted((a, b) => a.dueAt - b.dueAt)[0];
    if (next && next.dueAt <= 0) {
      const dueAt = next.isFirst ? again[next.of] : undefined;
      const more = dueAt === undefined ? [] : [{ id: `${next.id}'`, of: next.of, isFirst: false, dueAt }];
      add(` ${next.id}`, waysFrom(taken, [...armed.filter((one) => one !== next), ...more]));
    }
    known.set(key, [...found]);
    return [...found];
  };
  return [...waysFrom(0, [])].sort();
}

function waysByOrder({ messages, again }: Plan): string[] {
  const found = new Set<string>();
  const visit = (
    order: TimerOrder,
    step: number,
    taken: number,
    armed: Readonly<Record<string, Armed>>,
    way: string,
  ): void => {
    if (taken === messages.length && Object.keys(armed).length === 0) return void found.add(way);
    const message = messages[taken];
    if (message) {
      const more = message.map((dueAt, at): [string, Armed] => [
        `r.${step}.${at}`,
        { id: `${taken}${at}`, of: taken, isFirst: true, dueAt },
      ]);
      const next = { ...armed, ...Object.fromEntries(more) };
      visit(afterStep(order, timersOf(next)), step + 1, taken + 1, next, `${way} m${taken}`);
    }
    for (const [effectId, one] of Object.entries(armed)) {
      const fired = afterFiring(order, effectId);
      if (!fired) continue;
      const { [effectId]: _gone, ...left } = armed;
      const delay = one.isFirst ? again[one.of] : undefined;
      const more =
        delay === undefined ? {} : { [`r.${step}.0`]: { id: `${one.id}'`, of: one.of, isFirst: false, dueAt: delay } };
      const next = { ...left, ...more };
      visit(afterStep(fired, timersOf(next)), step + 1, taken, next, `${way} ${one.id}`);
    }
  };
  visit(NO_TIMERS, 1, 0, {}, '');
  return [...found].sort();
}

function timersOf(armed: Readonly<Record<string, Armed>>): Readonly<Record<string, Timer>> {
  return Object.fromEntries(
    Object.entries(armed).map(([effectId, { dueAt }]) => [effectId, { effectId, dueAt, event: { type: 'X' } }]),
  );
}
