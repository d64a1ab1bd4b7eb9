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
import type { ChildEnding } from './ending.ts';
import type { ParentRef, PlainEvent, WorkflowCall, WorkflowState } from './workflow-state.ts';

/** How a workflow classifies a verified message: a cause to process, or the reason to ignore it. */
export type Reception =
  | { readonly cause: Cause }
  /** The message becomes a dead letter. */
  | { readonly refusal: { readonly reason: RefusalReason; readonly detail: string } }
  /** The message comes too late: it is acknowledged and changes nothing. */
  | { readonly late: string }
  /** The message stays in the mailbox until the workflow is started, or resumes if it is FAILED. */
  | { readonly waits: true };

/** Which parent may start a child, and as which incarnation. */
export interface ExpectedStart {
  readonly parent: ParentRef;
  readonly incarnation: string;
}

export interface ReceiveOptions {
  readonly machine: AnyStateMachine;
  readonly address: string;
  /** Undefined until a child is started. */
  readonly state: WorkflowState | undefined;
  /** Undefined for a workflow that was started by hand: no START is accepted for it. */
  readonly expected?: ExpectedStart | undefined;
}

/**
 * Whether a message stays in the mailbox for now. No user code decides this, so it can be asked before an attempt is counted,
 * which guards against a message that kills its host.
 */
export function mustWait({ type }: Pick<Message, 'type'>, state: WorkflowState | undefined): boolean {
  return state ? state.failed !== undefined && type !== STOP : type !== START;
}

/**
 * Classifies a message by its verified sender and its own fields, never by what its data claims about the sender: who answers an
 * ask, who may end, start or stop which workflow, and whether the machine declares the type and the data. Pure.
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
    return { late: 'its question is no longer pending' };
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
    return refuse('bad-data', `the data of ${type} does not match what ${address} declares: ${parsed.fault}`);
  return { cause: { kind: 'message', mail, event: mailEventOf(message, parsed.data) } };
}

function receiveAnswer(
  message: Message,
  mail: MailFacts,
  { call, ask, machine }: { call: string; ask: WorkflowCall; machine: AnyStateMachine },
): Reception {
  if (ask.kind !== 'ask') throw new TypeError(`${call} is not an ask`);
  if (message.from !== ask.to) {
    return refuse('not-believed', `it answers a question to ${ask.to}, but is from ${message.from}`);
  }
  const { answer } = (durableWorkOf(machine.implementations.actors[ask.src]) ?? {}) as Partial<Ask>;
  const parsed = parseExact(answer, message);
  if ('fault' in parsed) {
    return refuse('bad-data', `the answer's data does not match the schema of the ask: ${parsed.fault}`);
  }
  return { cause: { kind: 'answer', mail, call, event: doneEvent(call, mailEventOf(message, parsed.data)) } };
}

/** The data as the schema returns it. A workflow acts on its stored data, so a number that JavaScript would round is refused. */
function parseExact(schema: MailSchema | undefined, message: Message): ReturnType<typeof parseData> {
  const exact = exactDataOf(message);
  if (exact) {
    return {
      fault: `JavaScript cannot represent its number ${echo(findInexactNumber(exact.text) ?? '', 40)} exactly; send it as a string`,
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
    refuse('not-believed', `${type} for ${address} is accepted only from ${expectation}, but this one is from ${from}`);
  const { incarnation } = data;
  if (type === START) {
    if (!expected) return doubt('the parent of a child that waits to be started');
    // A start that the parent has given up since is taken too; the STOP behind it ends the child.
    const isFormer = typeof incarnation === 'string' && isStartedBefore(incarnation, expected.incarnation);
    if (from !== expected.parent.address || (incarnation !== expected.incarnation && !isFormer))
      return doubt(`its parent ${expected.parent.address}`);
    if (state?.incarnation === incarnation) return { late: 'the child was already started' };
    if (isFormer && ((state && isStartedBefore(incarnation, state.incarnation)) || data['src'] !== expected.parent.src))
      return { late: 'the child was given up before it started' };
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
    if (from === state.parent?.address && isForFormer) return { late: 'it stops an earlier start, which has ended' };
    if (!isParent && !isOwner)
      return doubt(state.parent ? `its parent ${state.parent.address} or the room` : 'the room');
    if (state.status !== 'active') return { late: 'the workflow has already ended' };
    return { cause: { kind: 'stop', mail, event: { type: 'xstate.stop' } } };
  }
  if (isOfFormerChild(incarnation, state)) return { late: 'the workflow no longer waits for the child that sent it' };
  if (state.status !== 'active') return refuse('ended', `${address} has ended: ${state.status}`);
  const child = Object.entries(state.calls).find(
    ([, call]) => call.kind === 'machine' && call.address === from && call.effectId === incarnation,
  );
  if (type === END) {
    if (child) return { cause: { kind: 'ended', mail, call: child[0], event: endEvent(child[0], from, data) } };
    return refuse('not-believed', `END for ${address} is accepted only from a running child, and ${from} is not one`);
  }
  if (type === EVENT && (isParent || child) && isPlainEvent(data['event'])) {
    const { event, to } = data;
    if (child && typeof to === 'string' && to !== address)
      return { cause: { kind: 'relay', mail, to, relayed: event } };
    return { cause: { kind: 'message', mail, event } };
  }
  return doubt('its parent and its children');
}

/** A stopped or orphaned child may still send END or events; they are ignored, whoever sends them. */
function isOfFormerChild(incarnation: unknown, { incarnation: own, calls }: WorkflowState): boolean {
  if (typeof incarnation !== 'string' || !incarnation.startsWith(`${own}.`)) return false;
  return Object.values(calls).every(({ effectId }) => effectId !== incarnation);
}

function endEvent(childId: string, from: string, data: Readonly<Record<string, unknown>>): PlainEvent {
  const { status, output, error } = data as Partial<ChildEnding>;
  if (status === 'done') return doneEvent(childId, output);
  return errorEvent(childId, error ?? { name: 'WorkflowStopped', message: `${from} was stopped` });
}

/** Events whose type starts with `xstate.` or `mailroom.` are internal and never accepted from a message. */
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
