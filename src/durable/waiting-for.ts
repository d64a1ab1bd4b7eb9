import type { WorkflowState } from '../machine/workflow-state.ts';

/** Something that a workflow waits for; times in ms since the epoch. */
export type WaitingFor =
  | { readonly kind: 'timer'; readonly name: string; readonly dueAt: number }
  | { readonly kind: 'activity' | 'command'; readonly src: string; readonly since: number }
  | { readonly kind: 'answer'; readonly from: string; readonly questionId: string; readonly since: number }
  | { readonly kind: 'child'; readonly address: string; readonly since: number };

/** What the workflow waits for beside mail, soonest timer first. */
export function waitingFor({ timers, calls }: WorkflowState): WaitingFor[] {
  const waiting = Object.values(calls).map((call): WaitingFor => {
    const { since, src } = call;
    if (call.kind === 'ask') return { kind: 'answer', from: call.to, questionId: call.questionId, since };
    if (call.kind === 'machine') return { kind: 'child', address: call.address, since };
    return { kind: call.kind, src, since };
  });
  const due = Object.entries(timers)
    .map(([name, { dueAt }]): WaitingFor & { kind: 'timer' } => ({ kind: 'timer', name: timerName(name), dueAt }))
    .sort((a, b) => a.dueAt - b.dueAt);
  return [...waiting, ...due];
}

/** XState's name of a delayed transition says the delay: `xstate.after.patience.ship.testing` → `after patience`. */
export function timerName(name: string): string {
  const after = /^xstate\.after\.([^.]+)\./.exec(name)?.[1];
  return after === undefined ? name : `after ${/^\d+$/.test(after) ? `${after} ms` : after}`;
}
