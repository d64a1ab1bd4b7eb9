import type { AnyStateMachine } from 'xstate';
import { SYSTEM } from '../message/address.ts';
import { echo } from '../message/cut.ts';
import { exactDataOf, findInexactNumber } from '../message/exact-data.ts';
import type { Message, RefusalReason } from '../message/message.ts';
import { nearest } from '../message/nearest.ts';
import { acceptedBy, type MailSchema, parseData } from '../workflow/accepts.ts';
import type { Ask } from '../workflow/ask.ts';
import { type Cause, doneEvent, errorEvent, isStartedBefore, type MailFacts } from './cause.ts';
import { CONTROL_TYPES, END, EVENT, START, STOP } from '../workflow/control.ts';
import { durableWorkOf } from '../workflow/activity.ts';
import type { Ending } from './ending.ts';
import type { ParentRef, PlainEvent, WorkflowCall, WorkflowState } from './workflow-state.ts';

/** What a workflow makes of a verified message: something that happens to it, or a reason why it is no concern of its. */
export type Reception =
  | { readonly cause: Cause }
  /** It is kept as a dead letter. */
  | { readonly refusal: { readonly reason: RefusalReason; readonly detail: string } }
  /** It comes too late: acknowledged, and it changes nothing. */
  | { readonly late: string }
  /** It stays where it is until the workflow has been started, or, where that is FAILED, goes on. */
  | { readonly waits: true };

/** Who may start a child, and as which incarnation. */
export interface Expected {
  readonly parent: ParentRef;
  readonly incarnation: string;
}

export interface ReceiveOptions {
  readonly machine: AnyStateMachine;
  readonly address: string;
  /** Undefined as long as a child has not been started. */
  readonly state: WorkflowState | undefined;
  /** Nobody may start it where it was started by hand. */
  readonly expected?: Expected | undefined;
}

/**
 * Whether a message stays where it is for now. Nothing that a user wrote decides it, so it can be asked before it is counted
 * that the message may be what kills its host.
 */
export function mustWait({ type }: Pick<Message, 'type'>, state: WorkflowState | undefined): boolean {
  return state ? state.failed !== undefined && type !== STOP : type !== START;
}

/**
 * Decides by the verified sender and the message's own fields, never by what its data claims: who answers an ask, who may
 * end, start or stop whom, and whether the machine declares its type and shape. Pure.
 */
export function receive(message: Message, options: ReceiveOptions): Reception {
  const { state, address } = options;
  const { id, from, type, content, threadId } = message;
  const mail: MailFacts = { id, from, type, content, ...(threadId === undefined ? {} : { threadId }) };
  if (mustWait(message, state)) return { waits: true };
  if (CONTROL_TYPES.has(type)) return receiveControl(message, mail, options);
  if (!state) return { waits: true };
  const answered = Object.entries(state.calls).find(
    ([, call]) => call.kind === 'ask' && call.questionId === message.replyTo,
  );
  if (answered) return receiveAnswer(message, mail, { call: answered[0], ask: answered[1], machine: options.machine });
  if (message.replyTo !== undefined && threadId?.startsWith(`ask:${state.incarnation}.`)) {
    return { late: 'it answers a question that is no longer asked' };
  }
  if (state.status !== 'active') return refuse('ended', `${address} has ended: ${state.status}`);
  const { schemas } = acceptedBy(options.machine);
  const schema = schemas[type];
  if (!schema) {
    const declared = Object.keys(schemas);
    const near = nearest(type, declared);
    const known = declared.length === 0 ? 'it accepts no mail' : `it accepts ${declared.join(', ')}`;
    return refuse(
      'undeclared-type',
      `${address} does not accept ${type}: ${known}${near ? `; did you mean ${near}?` : ''}`,
    );
  }
  const parsed = parseExact(schema, message);
  if ('fault' in parsed)
    return refuse('bad-data', `the data of ${type} is not what ${address} declares: ${parsed.fault}`);
  return { cause: { kind: 'message', mail, event: mailEventOf(message, parsed.data) } };
}

function receiveAnswer(
  message: Message,
  mail: MailFacts,
  { call, ask, machine }: { call: string; ask: WorkflowCall; machine: AnyStateMachine },
): Reception {
  if (ask.kind !== 'ask') throw new TypeError(`${call} is no ask`);
  if (message.from !== ask.to) {
    return refuse('not-believed', `it answers a question that was put to ${ask.to}, and is from ${message.from}`);
  }
  const { answer } = (durableWorkOf(machine.implementations.actors[ask.src]) ?? {}) as Partial<Ask>;
  const parsed = parseExact(answer, message);
  if ('fault' in parsed) {
    return refuse('bad-data', `the answer's data is not what was asked for: ${parsed.fault}`);
  }
  return { cause: { kind: 'answer', mail, call, event: doneEvent(call, mailEventOf(message, parsed.data)) } };
}

/** The data as the schema returns it. A workflow acts on what it keeps, so it keeps no number that is not what was signed. */
function parseExact(schema: MailSchema | undefined, message: Message): ReturnType<typeof parseData> {
  const exact = exactDataOf(message);
  if (exact) {
    return {
      fault: `JavaScript cannot hold its number ${echo(findInexactNumber(exact.text) ?? '', 40)}; send it as a string`,
    };
  }
  return schema ? parseData(schema, message.data) : { data: message.data };
}

function receiveControl(message: Message, mail: MailFacts, options: ReceiveOptions): Reception {
  const { type, from } = message;
  const { state, address, expected } = options;
  const data =
    typeof message.data === 'object' && message.data !== null ? (message.data as Record<string, unknown>) : {};
  const doubt = (expectation: string): Reception =>
    refuse('not-believed', `${type} for ${address} is believed only from ${expectation}, and this one is from ${from}`);
  const { incarnation } = data;
  if (type === START) {
    if (!expected) return doubt('the parent of a child that waits to be started');
    // One that its parent has given up since is started too, and hears so by the STOP behind it.
    const isFormer = typeof incarnation === 'string' && isStartedBefore(incarnation, expected.incarnation);
    if (from !== expected.parent.address || (incarnation !== expected.incarnation && !isFormer))
      return doubt(`its parent ${expected.parent.address}`);
    if (state?.incarnation === incarnation) return { late: 'it was started already' };
    if (isFormer && ((state && isStartedBefore(incarnation, state.incarnation)) || data['src'] !== expected.parent.src))
      return { late: 'it was given up before it began' };
    return {
      cause: {
        kind: 'start',
        incarnation,
        input: data['input'],
        parent: expected.parent,
        mail,
      },
    };
  }
  if (!state) return { waits: true };
  const ofOwnRun = incarnation === state.incarnation;
  const isParent = from === state.parent?.address && ofOwnRun;
  if (type === STOP) {
    const isOwner = from === SYSTEM || from === address;
    const isForFormer = typeof incarnation === 'string' && isStartedBefore(incarnation, state.incarnation);
    if (from === state.parent?.address && isForFormer) return { late: 'it is for an earlier start, which is over' };
    if (!isParent && !isOwner)
      return doubt(state.parent ? `its parent ${state.parent.address} or the room` : 'the room');
    if (state.status !== 'active') return { late: 'it has ended already' };
    return { cause: { kind: 'stop', mail, event: { type: 'xstate.stop' } } };
  }
  if (isOfFormerChild(incarnation, state)) return { late: 'it is from a child that is no longer waited for' };
  if (state.status !== 'active') return refuse('ended', `${address} has ended: ${state.status}`);
  const child = Object.entries(state.calls).find(
    ([, call]) => call.kind === 'machine' && call.address === from && call.effectId === incarnation,
  );
  if (type === END) {
    if (child) return { cause: { kind: 'ended', mail, call: child[0], event: endEvent(child[0], from, data) } };
    return refuse('not-believed', `END is believed only from a child that runs, and ${from} is none of ${address}`);
  }
  if (type === EVENT && (isParent || child) && isPlainEvent(data['event'])) {
    const { event, to } = data;
    if (child && typeof to === 'string' && to !== address)
      return { cause: { kind: 'relay', mail, to, relayed: event } };
    return { cause: { kind: 'message', mail, event } };
  }
  return doubt('its parent and its children');
}

/** A child that was stopped, or outlives its parent, ends and speaks all the same; nothing comes of it, whoever sent it. */
function isOfFormerChild(incarnation: unknown, { incarnation: own, calls }: WorkflowState): boolean {
  if (typeof incarnation !== 'string' || !incarnation.startsWith(`${own}.`)) return false;
  return Object.values(calls).every(({ effectId }) => effectId !== incarnation);
}

function endEvent(childId: string, from: string, data: Readonly<Record<string, unknown>>): PlainEvent {
  const { status, output, error } = data as Partial<Ending>;
  if (status === 'done') return doneEvent(childId, output);
  return errorEvent(childId, error ?? { name: 'WorkflowStopped', message: `${from} was stopped` });
}

/** Events whose names begin with `xstate.` are XState's own and never come from outside. */
function isPlainEvent(value: unknown): value is PlainEvent {
  if (typeof value !== 'object' || value === null || !('type' in value)) return false;
  return typeof value.type === 'string' && !value.type.startsWith('xstate.') && !value.type.startsWith('mailroom.');
}

function mailEventOf(message: Message, data: unknown): PlainEvent {
  const { type, from, content, id } = message;
  return { type, from, content, messageId: id, ...(data === undefined ? {} : { data }) };
}

function refuse(reason: RefusalReason, detail: string): Reception {
  return { refusal: { reason, detail } };
}
