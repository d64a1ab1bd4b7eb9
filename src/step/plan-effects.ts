import type { AnyStateMachine } from 'xstate';
import { InvalidInput } from '../errors.ts';
import { withFields } from '../host/with-fields.ts';
import { EVERYONE } from '../message/address.ts';
import { durableWorkOf } from '../workflow/activity.ts';
import type { Ask } from '../workflow/ask.ts';
import { START } from '../workflow/control.ts';
import type { Outgoing } from '../workflow/send.ts';
import type { Cause } from './cause.ts';
import { childAddress } from './child-address.ts';
import type { Delayed, Effect, EventTarget } from './effect.ts';
import { stopMail } from './ending.ts';
import { eventMail } from './event-mail.ts';
import { checkedDraft, type AddressedDraft, type PlannedMessage } from './outgoing.ts';
import type { PlainEvent, Timer, WorkflowCall, WorkflowState } from './workflow-state.ts';

export interface PlannedAction {
  readonly effectId: string;
  readonly type: string;
  readonly params?: unknown;
}

export interface PlannedLog {
  readonly label?: string;
  readonly value: unknown;
}

/** The timers and calls after the effects of a step, and the mail, actions, logs and events that the effects ask for. */
export interface PlannedEffects {
  readonly timers: Record<string, Timer>;
  readonly calls: Record<string, WorkflowCall>;
  readonly mail: PlannedMessage[];
  readonly actions: PlannedAction[];
  readonly logs: PlannedLog[];
  readonly emitted: PlainEvent[];
}

interface PlanOptions {
  readonly machine: AnyStateMachine;
  readonly address: string;
  readonly state: WorkflowState;
  readonly cause: Cause;
  readonly at: number;
  readonly nextId: () => string;
}

/** Plans the effects of a step, in order. Throws InvalidInput if one of them is impossible; then the step has no effect at all. */
export function planEffects(effects: readonly Effect[], options: PlanOptions): PlannedEffects {
  const { state } = options;
  const planned: PlannedEffects = {
    timers: { ...state.timers },
    calls: { ...state.calls },
    mail: [],
    actions: [],
    logs: [],
    emitted: [],
  };
  const early: { readonly childId: string; readonly effect: Effect; readonly effectId: string }[] = [];
  for (const [index, effect] of effects.entries()) {
    const effectId = `${state.incarnation}.${state.steps}.${index}`;
    const childId = startedLater(effect, planned, () => effects.slice(index + 1));
    if (childId === undefined) planEffect(effect, withFields(options, { planned, effectId }));
    else early.push({ childId, effect, effectId });
    if (effect.kind !== 'start') continue;
    for (const one of early.filter((waiting) => waiting.childId === effect.childId)) {
      early.splice(early.indexOf(one), 1);
      planEffect(one.effect, withFields(options, { planned, effectId: one.effectId }));
    }
  }
  return planned;
}

/**
 * The child that gets an event and is started later in the same step. XState runs the entry actions of a state before it starts
 * the state's invokes, and still delivers what those actions send to them.
 */
function startedLater(effect: Effect, planned: PlannedEffects, later: () => readonly Effect[]): string | undefined {
  if (effect.kind !== 'event' || !hasEnded(effect.to, planned)) return undefined;
  const { childId } = effect.to;
  return later().some((other) => other.kind === 'start' && other.childId === childId) ? childId : undefined;
}

interface EffectPlan extends PlanOptions {
  /** The plan so far, which this effect is added to. */
  readonly planned: PlannedEffects;
  readonly effectId: string;
}

function planEffect(effect: Effect, plan: EffectPlan): void {
  const { planned, effectId, at } = plan;
  switch (effect.kind) {
    case 'mail':
      return planMail(plan, effect, { to: effect.to, draft: checkedDraft(effect.message), isControl: false });
    case 'reply':
      return planMail(plan, effect, replyMail(effect.message, plan));
    case 'event':
      if (!hasEnded(effect.to, planned)) {
        return planMail(plan, effect, eventMail(effect.to, effect.event, { ...plan, calls: planned.calls }));
      }
      planned.logs.push({ label: 'not sent', value: `${effect.event.type} to ${effect.to.childId}, which has ended` });
      return;
    case 'raise':
      return arm(planned.timers, effect.sendId, { effectId, dueAt: at + effect.delayMs, event: effect.event });
    case 'cancel':
      delete planned.timers[effect.sendId];
      return;
    case 'start':
      return startCall(effect, plan);
    case 'stop':
      return endCall(effect.childId, plan);
    case 'action':
      planned.actions.push({ effectId, type: effect.type, params: effect.params });
      return;
    case 'log':
      planned.logs.push(
        effect.label === undefined ? { value: effect.value } : { label: effect.label, value: effect.value },
      );
      return;
    case 'emit':
      planned.emitted.push(effect.event);
  }
}

function planMail(plan: EffectPlan, { delayMs, sendId }: Delayed, mail: AddressedDraft): void {
  const { planned, effectId, at, nextId } = plan;
  if (mail.to.length === 0)
    planned.logs.push({ label: 'not sent', value: `${mail.draft.type}, because it has no recipient` });
  else if (delayMs === undefined) planned.mail.push(withFields(mail, { id: nextId(), effectId }));
  else arm(planned.timers, sendId, { effectId, dueAt: at + delayMs, mail });
}

/** Two timers with the same send id both fire, as in XState. */
function arm(timers: Record<string, Timer>, sendId: string | undefined, timer: Timer): void {
  if (sendId !== undefined) setAside(timers, sendId);
  timers[sendId ?? timer.effectId] = timer;
}

/** Keeps a timer under a name by which `cancel` no longer finds it. */
export function setAside(timers: Record<string, Timer>, sendId: string): void {
  const { [sendId]: timer } = timers;
  if (!timer) return;
  delete timers[sendId];
  timers[timer.effectId] = { ...timer, sendId };
}

function replyMail(message: Outgoing, { cause, machine }: EffectPlan): AddressedDraft {
  const mail = 'mail' in cause ? cause.mail : undefined;
  if (!mail || cause.kind === 'start') {
    throw new InvalidInput(`The machine ${machine.id} replies in a step that no message caused (${cause.kind}).`, {
      hint: 'Keep the sender and the message id in the context, and use tell(from, { …, replyTo }).',
    });
  }
  const draft = withFields(checkedDraft(message), { replyTo: mail.id, threadId: mail.threadId ?? mail.id });
  return { to: [mail.from], draft, isControl: false };
}

/** XState sends only to children that it has. An event to an ended child is lost in XState as well, and does not fail the step. */
function hasEnded(target: EventTarget, { calls }: PlannedEffects): target is { readonly childId: string } {
  return 'childId' in target && !(target.childId in calls);
}

function startCall(effect: Effect & { kind: 'start' }, plan: EffectPlan): void {
  const { planned, effectId, at, machine, address, state, nextId } = plan;
  const { childId, src, input, systemId } = effect;
  const work = durableWorkOf(machine.implementations.actors[src]);
  const call = { src, effectId, since: at };
  endCall(childId, plan);
  if (work?.kind === 'activity' || work?.kind === 'command') {
    planned.calls[childId] = { ...call, kind: work.kind, input };
  } else if (work?.kind === 'ask') {
    const mail = questionMail(work as Ask, { childId, input, effectId, machine });
    const questionId = nextId();
    planned.calls[childId] = { ...call, kind: 'ask', to: mail.to[0] ?? '', questionId };
    planned.mail.push({ ...mail, id: questionId, effectId });
  } else {
    const taken = new Set(Object.values(planned.calls).map((one) => (one.kind === 'machine' ? one.address : '')));
    const child = childAddress({ parent: address, childId, systemId, step: state.steps, taken });
    planned.calls[childId] = {
      ...call,
      kind: 'machine',
      address: child,
      ...(systemId === undefined ? {} : { systemId }),
    };
    const draft = { type: START, content: `${address} starts you.`, data: { incarnation: effectId, src, input } };
    planned.mail.push({ id: nextId(), effectId, to: [child], draft, isControl: true });
  }
}

/** Ends a call that the machine no longer waits for. A call that was started in this same step is dropped without a trace. */
function endCall(childId: string, { planned, state, nextId }: EffectPlan): void {
  const call = planned.calls[childId];
  if (!call) return;
  delete planned.calls[childId];
  const { effectId } = call;
  if (!effectId.startsWith(`${state.incarnation}.${state.steps}.`)) {
    planned.mail.push(...stopMail(call, nextId));
    return;
  }
  const others = planned.mail.filter((mail) => mail.effectId !== effectId && incarnationIn(mail) !== effectId);
  planned.mail.splice(0, planned.mail.length, ...others);
}

/** The incarnation that control mail is about; undefined for other mail. */
function incarnationIn({ isControl, draft }: PlannedMessage): unknown {
  return isControl ? (draft.data as { incarnation?: unknown } | undefined)?.incarnation : undefined;
}

/** The message that an ask sends. Throws InvalidInput if there is no single recipient or no message. */
function questionMail(
  { to, question }: Ask,
  {
    childId,
    input,
    effectId,
    machine,
  }: { childId: string; input: unknown; effectId: string; machine: AnyStateMachine },
): AddressedDraft {
  const recipient = typeof to === 'function' ? to(input) : to;
  if (typeof recipient !== 'string') {
    throw new InvalidInput(
      `The ask "${childId}" of the machine ${machine.id} has no address to ask: got ${typeof recipient}.`,
    );
  }
  if (recipient === EVERYONE) {
    throw new InvalidInput(
      `The ask "${childId}" of the machine ${machine.id} is addressed to everybody, but an ask takes one answer.`,
      {
        hint: 'Invoke one ask for each actor, or broadcast and accept the answers as mail.',
      },
    );
  }
  const draft = checkedDraft(question ? question(input) : (input as Outgoing));
  // The thread still marks an answer as one when it comes too late.
  return {
    to: [recipient],
    draft: { ...draft, threadId: draft.threadId ?? `ask:${effectId}` },
    isControl: false,
    ask: childId,
  };
}
