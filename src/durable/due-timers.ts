import type { Cause } from '../machine/cause.ts';
import type { WorkflowState } from '../machine/workflow-state.ts';

/**
 * The timers that are due at `now` (ms since the epoch), by the time they are due, then in the order in which they were set. None
 * fires while the workflow is FAILED.
 */
export function dueTimers(state: WorkflowState | undefined, now: number): (Cause & { kind: 'timer' })[] {
  if (state?.failed) return [];
  return Object.entries(state?.timers ?? {})
    .filter(([, timer]) => timer.dueAt <= now)
    .sort(([, a], [, b]) => a.dueAt - b.dueAt || compareEffectIds(a.effectId, b.effectId))
    .map(([timer, one]) => ({
      kind: 'timer',
      timer,
      dueAt: one.dueAt,
      ...('event' in one ? { event: one.event } : {}),
    }));
}

/** `<incarnation>.<step>.<effect>`: by the numbers at their end. */
function compareEffectIds(a: string, b: string): number {
  const [stepA = 0, effectA = 0] = a.split('.').slice(-2).map(Number);
  const [stepB = 0, effectB = 0] = b.split('.').slice(-2).map(Number);
  return stepA - stepB || effectA - effectB;
}
