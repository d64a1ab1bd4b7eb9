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
import { checked, type OutgoingMail, type PlannedMail } from './outgoing.ts';
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

/** What the effects of a step make of the timers and calls, and what is to be done. */
export interface Applied {
  readonly timers: Record<string, Timer>;
  readonly calls: Record<string, WorkflowCall>;
  readonly mail: PlannedMail[];
  readonly actions: PlannedAction[];
  readonly logs: PlannedLog[];
  readonly emitted: PlainEvent[];
}

interface Around {
  readonly machine: AnyStateMachine;
  readonly address: string;
  readonly state: WorkflowState;
  readonly cause: Cause;
  readonly at: number;
  readonly nextId: () => string;
}

/** Throws InvalidInput for an effect that cannot be; then none of them is applied. */
export function applyEffects(effects: readonly Effect[], around: Around): Applied {
  const { state } = around;
  const applied: Applied = {
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
    const childId = startedLater(effect, applied, () => effects.slice(index + 1));
    if (childId === undefined) applyEffect(effect, withFields(around, { applied, effectId }));
    else early.push({ childId, effect, effectId });
    if (effect.kind !== 'start') continue;
    for (const one of early.filter((waiting) => waiting.childId === effect.childId)) {
      early.splice(early.indexOf(one), 1);
      applyEffect(one.effect, withFields(around, { applied, effectId: one.effectId }));
    }
  }
  return applied;
}

/**
 * The child that an event is for and that is started further on in this step: XState runs the entry actions of a state before
 * it starts what the state invokes, and what they send to it arrives all the same.
 */
function startedLater(effect: Effect, applied: Applied, later: () => readonly Effect[]): string | undefined {
  if (effect.kind !== 'event' || !hasEnded(effect.to, applied)) return undefined;
  const { childId } = effect.to;
  return later().some((other) => other.kind === 'start' && other.childId === childId) ? childId : undefined;
}

interface Applying extends Around {
  readonly applied: Applied;
  readonly effectId: string;
}

function applyEffect(effect: Effect, applying: Applying): void {
  const { applied, effectId, at } = applying;
  switch (effect.kind) {
    case 'mail':
      return post(applying, effect, { to: effect.to, draft: checked(effect.message), isControl: false });
    case 'reply':
      return post(applying, effect, replyMail(effect.message, applying));
    case 'event':
      if (!hasEnded(effect.to, applied)) {
        return post(applying, effect, eventMail(effect.to, effect.event, { ...applying, calls: applied.calls }));
      }
      applied.logs.push({ label: 'not sent', value: `${effect.event.type} to ${effect.to.childId}, which has ended` });
      return;
    case 'raise':
      return arm(applied.timers, effect.sendId, { effectId, dueAt: at + effect.delayMs, event: effect.event });
    case 'cancel':
      delete applied.timers[effect.sendId];
      return;
    case 'start':
      return start(effect, applying);
    case 'stop':
      return end(effect.childId, applying);
    case 'action':
      applied.actions.push({ effectId, type: effect.type, params: effect.params });
      return;
    case 'log':
      applied.logs.push(
        effect.label === undefined ? { value: effect.value } : { label: effect.label, value: effect.value },
      );
      return;
    case 'emit':
      applied.emitted.push(effect.event);
  }
}

function post({ applied, effectId, at, nextId }: Applying, { delayMs, sendId }: Delayed, mail: OutgoingMail): void {
  if (mail.to.length === 0)
    applied.logs.push({ label: 'not sent', value: `${mail.draft.type}, because it is for nobody` });
  else if (delayMs === undefined) applied.mail.push(withFields(mail, { id: nextId(), effectId }));
  else arm(applied.timers, sendId, { effectId, dueAt: at + delayMs, mail });
}

/** Two with the same send id both fire, as in XState. */
function arm(timers: Record<string, Timer>, sendId: string | undefined, timer: Timer): void {
  if (sendId !== undefined) setAside(timers, sendId);
  timers[sendId ?? timer.effectId] = timer;
}

/** Keeps a timer where `cancel` does not find it any more. */
export function setAside(timers: Record<string, Timer>, sendId: string): void {
  const { [sendId]: timer } = timers;
  if (!timer) return;
  delete timers[sendId];
  timers[timer.effectId] = { ...timer, sendId };
}

function replyMail(message: Outgoing, { cause, machine }: Applying): OutgoingMail {
  const mail = 'mail' in cause ? cause.mail : undefined;
  if (!mail || cause.kind === 'start') {
    throw new InvalidInput(`The machine ${machine.id} replies in a step that no message caused (${cause.kind}).`, {
      hint: 'Keep the sender and the message id in the context, and use tell(from, { …, replyTo }).',
    });
  }
  const draft = withFields(checked(message), { replyTo: mail.id, threadId: mail.threadId ?? mail.id });
  return { to: [mail.from], draft, isControl: false };
}

/** XState only sends to children that it has. What was sent to one that has ended is lost there as well, and no step fails of it. */
function hasEnded(target: EventTarget, { calls }: Applied): target is { readonly childId: string } {
  return 'childId' in target && !(target.childId in calls);
}

function start(effect: Effect & { kind: 'start' }, applying: Applying): void {
  const { applied, effectId, at, machine, address, state, nextId } = applying;
  const { childId, src, input, systemId } = effect;
  const work = durableWorkOf(machine.implementations.actors[src]);
  const call = { src, effectId, since: at };
  end(childId, applying);
  if (work?.kind === 'activity' || work?.kind === 'command') {
    applied.calls[childId] = { ...call, kind: work.kind, input };
  } else if (work?.kind === 'ask') {
    const mail = questionMail(work as Ask, { childId, input, effectId, machine });
    const questionId = nextId();
    applied.calls[childId] = { ...call, kind: 'ask', to: mail.to[0] ?? '', questionId };
    applied.mail.push({ ...mail, id: questionId, effectId });
  } else {
    const taken = new Set(Object.values(applied.calls).map((one) => (one.kind === 'machine' ? one.address : '')));
    const child = childAddress({ parent: address, childId, systemId, step: state.steps, taken });
    applied.calls[childId] = {
      ...call,
      kind: 'machine',
      address: child,
      ...(systemId === undefined ? {} : { systemId }),
    };
    const draft = { type: START, content: `${address} starts you.`, data: { incarnation: effectId, src, input } };
    applied.mail.push({ id: nextId(), effectId, to: [child], draft, isControl: true });
  }
}

/** Nobody waits any more for what was started. Of what was started in this very step nobody is ever to hear. */
function end(childId: string, { applied, state, nextId }: Applying): void {
  const call = applied.calls[childId];
  if (!call) return;
  delete applied.calls[childId];
  const { effectId } = call;
  if (!effectId.startsWith(`${state.incarnation}.${state.steps}.`)) {
    applied.mail.push(...stopMail(call, nextId));
    return;
  }
  const others = applied.mail.filter((mail) => mail.effectId !== effectId && incarnationIn(mail) !== effectId);
  applied.mail.splice(0, applied.mail.length, ...others);
}

/** Of the workflow that control mail is for. */
function incarnationIn({ isControl, draft }: PlannedMail): unknown {
  return isControl ? (draft.data as { incarnation?: unknown } | undefined)?.incarnation : undefined;
}

/** The message that an ask sends. Throws InvalidInput where there is nobody to ask, or nothing to say. */
function questionMail(
  { to, question }: Ask,
  {
    childId,
    input,
    effectId,
    machine,
  }: { childId: string; input: unknown; effectId: string; machine: AnyStateMachine },
): OutgoingMail {
  const recipient = typeof to === 'function' ? to(input) : to;
  if (typeof recipient !== 'string') {
    throw new InvalidInput(
      `The ask "${childId}" of the machine ${machine.id} has no address to ask: got ${typeof recipient}.`,
    );
  }
  if (recipient === EVERYONE) {
    throw new InvalidInput(
      `The ask "${childId}" of the machine ${machine.id} is put to all, and one is to answer it.`,
      {
        hint: 'Ask each by an invoke of its own, or broadcast, and accept what comes back as mail.',
      },
    );
  }
  const draft = checked(question ? question(input) : (input as Outgoing));
  // By its thread an answer that comes too late is still known to be one.
  return {
    to: [recipient],
    draft: { ...draft, threadId: draft.threadId ?? `ask:${effectId}` },
    isControl: false,
    ask: childId,
  };
}
