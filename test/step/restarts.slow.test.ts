import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AnyStateMachine } from 'xstate';
import { stepWorkflow, type StepResult } from '../../src/step/step.ts';
import type { Cause } from '../../src/step/cause.ts';
import { checkMachine } from '../../src/step/check-machine.ts';
import type { Effect } from '../../src/step/effect.ts';
import { step } from '../../src/step/xstate-step.ts';
import type { PlainEvent, WorkflowState } from '../../src/step/workflow-state.ts';
import { LiveReference, type Outcome } from './live-reference.ts';
import { drawFrom, EVENTS, makeMachine, type Draw } from './made-machines.ts';
import { ADDRESS, messageOf, RUN } from './mail.ts';
import { amount } from '../run/amount.ts';

const MACHINES = amount(60, { long: 300 });
const EVENTS_PER_MACHINE = 20;

describe('restarting after every single event', () => {
  it('ends in the same state as without restarts, on generated machines', () => {
    const seed = Number(process.env['MAILROOM_SEED'] ?? fc.sample(fc.nat(), 1)[0]);
    const counts = {
      machines: 0,
      events: 0,
      stepped: 0,
      unhandled: 0,
      failed: 0,
      effects: 0,
      ended: 0,
      brokenLive: 0,
      otherOrder: 0,
    };
    const property = fc.property(fc.gen(), (gen) => {
      const draw = drawFrom(gen);
      const machine = makeMachine(draw);
      checkMachine(machine);
      counts.machines += 1;
      playAll(machine, draw, counts);
    });
    fc.assert(property, { seed, numRuns: MACHINES, endOnFailure: true });
    console.log(`restarts: MAILROOM_SEED=${seed}, ${JSON.stringify(counts)}`);
    expect(counts.machines).toBeGreaterThanOrEqual(MACHINES);
    for (const met of [counts.stepped, counts.unhandled, counts.failed, counts.ended])
      expect(met).toBeGreaterThan(amount(5, { long: 50 }));
    expect(counts.brokenLive + counts.otherOrder).toBeLessThan(MACHINES / 10);
  });
});

function playAll(machine: AnyStateMachine, draw: Draw, counts: Counts): void {
  const live = new LiveReference(machine);
  let restarted: StepResult | undefined;
  let resident: StepResult | undefined;
  for (let at = 0; at <= EVENTS_PER_MACHINE; at++) {
    const before = restarted?.state;
    const cause: Cause = before ? nextCause(before, draw) : { kind: 'start', incarnation: RUN, input: null };
    const standing = before ? live.standing : 'same';
    if (standing === 'broken') return void (counts.brokenLive += 1);
    const expected = 'event' in cause && cause.event ? live.take(cause.event) : live.begin(null);
    const reread = before && (JSON.parse(JSON.stringify(before)) as WorkflowState);
    restarted = take(machine, reread, cause);
    resident = take(machine, resident?.state, cause);
    // Never because of XState itself: it is the same with and without a restart.
    expect(JSON.stringify(restarted)).toBe(JSON.stringify(resident));
    const actual = outcomeOf(restarted, restarted.verdict === 'failed' ? [] : stepEffects(machine, reread, cause));
    const isSame = JSON.stringify(actual) === JSON.stringify(plain(expected));
    if (!isSame && standing === 'reordered') return void (counts.otherOrder += 1);
    expect(actual).toEqual(plain(expected));
    count(counts, expected);
    if (restarted.state.status !== 'active') return;
  }
}

interface Counts extends Record<string, number> {
  brokenLive: number;
  otherOrder: number;
}

function count(counts: Counts, { verdict, effects, status }: Outcome): void {
  const add = (name: string, by = 1): void => void (counts[name] = (counts[name] ?? 0) + by);
  add('events');
  add(verdict);
  add('effects', effects.length);
  if (status !== 'active') add('ended');
}

function take(machine: AnyStateMachine, state: WorkflowState | undefined, cause: Cause): StepResult {
  let made = 0;
  const nextId = (): string => `${state?.steps ?? 0}-${++made}`;
  return stepWorkflow({ machine, address: ADDRESS, state, cause, at: 0, nextId });
}

/** Mail, one of its timers, or the result of pending work. */
function nextCause({ timers, calls }: WorkflowState, draw: Draw): Cause {
  const due = Object.entries(timers).flatMap(([timer, one]) => ('event' in one ? [{ timer, ...one }] : []));
  const waiting = Object.entries(calls);
  const kind = draw(4);
  const timer = due[draw(Math.max(due.length, 1))];
  if (kind === 0 && timer) return { kind: 'timer', timer: timer.timer, dueAt: timer.dueAt, event: timer.event };
  const [call, { src, effectId }] = waiting[draw(Math.max(waiting.length, 1))] ?? ['', { src: '', effectId: '' }];
  if (kind === 1 && call !== '') {
    const ended: PlainEvent =
      draw(4) === 0
        ? { type: `xstate.error.actor.${call}`, error: { name: 'Error', message: 'no' }, actorId: call }
        : { type: `xstate.done.actor.${call}`, output: { v: draw(3) }, actorId: call };
    return { kind: 'result', call, src, effectId, event: ended };
  }
  const { id, from } = messageOf({});
  const type = EVENTS[draw(EVENTS.length)] ?? 'E0';
  return { kind: 'message', mail: { id, from, type }, event: { type, v: draw(3) } };
}

function stepEffects(machine: AnyStateMachine, before: WorkflowState | undefined, cause: Cause): readonly Effect[] {
  if (!before || cause.kind === 'start')
    return step(machine, { address: ADDRESS, before: undefined, input: null }).effects;
  const event = 'event' in cause ? cause.event : undefined;
  return event ? step(machine, { address: ADDRESS, before: before.snapshot, event }).effects : [];
}

function outcomeOf({ state, verdict }: StepResult, effects: readonly Effect[]): unknown {
  const snapshot = (state.snapshot ?? {}) as {
    value: unknown;
    context: unknown;
    children: Record<string, unknown>;
    historyValue: Record<string, readonly { id: string }[]>;
  };
  const { value, context, children, historyValue } = snapshot;
  return plain({
    verdict,
    status: state.status,
    value,
    context,
    output: state.output,
    children: Object.keys(children ?? {}).sort(),
    history: Object.fromEntries(
      Object.entries(historyValue ?? {}).map(([key, nodes]) => [key, nodes.map(({ id }) => id).sort()]),
    ),
    effects: effects.map(wordsOf),
  });
}

/** An effect in the words of the reference. */
function wordsOf(effect: Effect): unknown {
  switch (effect.kind) {
    case 'mail':
      return ['send', effect.to.join(), effect.message, effect.delayMs, effect.sendId];
    case 'event':
      return [
        'send',
        'childId' in effect.to ? effect.to.childId : effect.to,
        effect.event,
        effect.delayMs,
        effect.sendId,
      ];
    case 'raise':
      return ['raise', effect.event, effect.delayMs, effect.sendId];
    case 'cancel':
      return ['cancel', effect.sendId];
    case 'start':
      return ['start', effect.childId, effect.src, effect.input, effect.systemId];
    case 'stop':
      return ['stop', effect.childId];
    case 'action':
      return ['action', effect.type, effect.params];
    case 'log':
      return ['log', effect.label, effect.value];
    case 'emit':
      return ['emit', effect.event];
    default:
      return effect;
  }
}

function plain(outcome: unknown): unknown {
  return JSON.parse(JSON.stringify(outcome));
}
