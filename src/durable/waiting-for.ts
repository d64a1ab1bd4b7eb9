import { EVENT } from '../machine/control.ts';
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
  const due = Object.values(timers)
    .map((timer): WaitingFor & { kind: 'timer' } => ({
      kind: 'timer',
      name: 'event' in timer ? timerName(timer.event.type) : delayedName(timer.mail.draft),
      dueAt: timer.dueAt,
    }))
    .sort((a, b) => a.dueAt - b.dueAt);
  return [...waiting, ...due];
}

/** XState's event of a delayed transition says the delay: `xstate.after.patience.ship.testing` → `after patience`. */
export function timerName(eventType: string): string {
  const after = /^xstate\.after\.([^.]+)\./.exec(eventType)?.[1];
  return after === undefined ? eventType : `after ${/^\d+$/.test(after) ? `${after} ms` : after}`;
}

/** What a message that goes out later is called: its type; of an event to the parent or a child, the event's. */
export function delayedName({ type, content }: { readonly type: string; readonly content: string }): string {
  return type === EVENT ? content : type;
}
