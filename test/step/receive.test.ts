import { assign, setup } from 'xstate';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { receive, type Reception } from '../../src/step/receive.ts';
import type { WorkflowState } from '../../src/step/workflow-state.ts';
import { parseEnvelope } from '../../src/message/envelope.ts';
import type { Message } from '../../src/message/message.ts';
import { accepts, ask } from '../../src/workflow.ts';
import { ADDRESS, messageOf, Played, RUN } from './mail.ts';

const child = setup({}).createMachine({ id: 'child' });
const mail = accepts({ VOTE: z.object({ option: z.string() }), NEWS: z.unknown() });
const machine = setup({
  schemas: mail,
  types: { context: {} as { seen: unknown }, events: mail.events },
  actors: {
    child,
    review: ask('alice', {
      question: (content: string) => ({ type: 'QUESTION', content }),
      answer: z.object({ ok: z.boolean() }),
    }),
  },
}).createMachine({
  id: 'ship',
  context: { seen: null },
  initial: 'asking',
  states: {
    asking: {
      invoke: [
        { src: 'child', id: 'c' },
        { src: 'review', id: 'r', input: 'well?', onDone: { actions: assign({ seen: ({ event }) => event.output }) } },
      ],
      on: { VOTE: 'over' },
    },
    over: {},
  },
});

const played = new Played(machine);
const { state } = played;
const CHILD = 'ship.c-1';
const CHILD_RUN = `${RUN}.1.0`;
const question = played.last.mail.find(({ ask: asked }) => asked === 'r');
if (!question) throw new Error('no question was asked');
const { id: QUESTION, draft } = question;
const over = new Played(machine);
over.event('VOTE');

type ExpectedStart = NonNullable<Parameters<typeof receive>[1]['expected']>;

function receiveAs(
  fields: Partial<Message>,
  more: { state?: WorkflowState | undefined; expected?: ExpectedStart } = {},
): Reception {
  return receive(messageOf(fields), { machine, address: ADDRESS, state, ...more });
}

/** The reason of the dead letter; undefined for anything else. */
function reasonOf(reception: Reception): string | undefined {
  return 'refusal' in reception ? reception.refusal.reason : undefined;
}

describe('a schema of the author', () => {
  const schemas = {
    'throws in a transform': z.string().transform((text): unknown => JSON.parse(text)),
    'throws in a refine': z.any().refine((value: { list: unknown[] }) => value.list.length > 0),
    'is asynchronous': z.any().refine(async () => true),
    'returns what JSON cannot represent': z.any().transform(() => ({ amount: 1n })),
  };
  it.each(Object.entries(schemas))('makes only the message a dead letter when it %s', (_what, schema) => {
    const asks = setup({
      schemas: accepts({ GO: schema }),
      actors: { q: ask('alice', { answer: schema }) },
    }).createMachine({
      invoke: { src: 'q', id: 'q', input: { type: 'QUESTION', content: '' } },
    });
    const asking = new Played(asks);
    const { calls } = asking.state;
    const replyTo = calls['q']?.kind === 'ask' ? calls['q'].questionId : undefined;
    for (const fields of [{ type: 'GO' }, { type: 'INFO', from: 'alice', replyTo }]) {
      const message = messageOf({ data: 'no JSON', ...(fields as Partial<Message>) });
      const { refusal } = receive(message, { machine: asks, address: ADDRESS, state: asking.state }) as {
        refusal: { reason: string; detail: string };
      };
      expect(refusal.reason).toBe('bad-data');
      expect(refusal.detail).toMatch(/its schema (?:threw|returned) .+/);
    }
  });
});

describe('a message', () => {
  it('becomes an event with the verified sender and what the schema returned, and nothing of its data is spread', () => {
    const data = { option: 'a', from: 'mallory', type: 'xstate.done.actor.c', messageId: 'x', content: 'y', extra: 1 };
    expect(receiveAs({ type: 'VOTE', data, threadId: 't' })).toEqual({
      cause: {
        kind: 'message',
        mail: { id: messageOf({}).id, from: 'bob', type: 'VOTE', content: 'words', threadId: 't' },
        event: { type: 'VOTE', from: 'bob', content: 'words', messageId: messageOf({}).id, data: { option: 'a' } },
      },
    });
  });

  it('keeps its data nested even if the schema accepts everything', () => {
    const data = { from: 'mallory', type: 'STOP' };
    expect(receiveAs({ type: 'NEWS', data })).toMatchObject({ cause: { event: { type: 'NEWS', from: 'bob', data } } });
  });

  it('becomes a dead letter if its type or shape is not declared, with the nearest name', () => {
    const undeclared = receiveAs({ type: 'VOTES' });
    expect(reasonOf(undeclared)).toBe('undeclared-type');
    expect(undeclared).toMatchObject({
      refusal: { detail: 'ship does not accept VOTES: it accepts VOTE, NEWS; did you mean VOTE?' },
    });
    const badData = receiveAs({ type: 'VOTE', data: { option: 1 } });
    expect(reasonOf(badData)).toBe('bad-data');
    expect(badData).toMatchObject({ refusal: { detail: expect.stringContaining('data.option') as string } });
  });

  it('becomes a dead letter if JavaScript would round a number in its data, even if the schema accepts everything', () => {
    const answer = { from: 'alice', replyTo: QUESTION, threadId: draft.threadId ?? '' };
    for (const fields of [{ type: 'NEWS' }, answer]) {
      const data = '"data":{"ok":true,"id":12345678901234567890}';
      const text = JSON.stringify({ v: 1, ...messageOf(fields), data: 0 }).replace('"data":0', data);
      const parsed = parseEnvelope(Buffer.from(text)) as { message: Message };
      const reception = receive(parsed.message, { machine, address: ADDRESS, state });
      expect(reception).toMatchObject({
        refusal: { reason: 'bad-data', detail: expect.stringContaining('12345678901234567890') as string },
      });
    }
  });

  it('can never be an event of XState or of Mailroom', () => {
    for (const type of ['xstate.done.actor.c', 'xstate.stop', 'mailroom.delivery-failed', 'mailroom.mail', '*']) {
      expect(reasonOf(receiveAs({ type, data: {} }))).toBe('undeclared-type');
    }
  });

  it('waits for a workflow that is not started, and becomes a dead letter for one that has ended', () => {
    expect(receiveAs({ type: 'VOTE' }, { state: undefined })).toEqual({ waits: true });
    const ended = receiveAs({ type: 'VOTE', data: { option: 'a' } }, { state: { ...state, status: 'done' } });
    expect(reasonOf(ended)).toBe('ended');
  });
});

describe('an answer', () => {
  const answer = { from: 'alice', replyTo: QUESTION, threadId: draft.threadId ?? '', data: { ok: true } };

  it('completes the ask when the asked actor answers that question, whatever the type', () => {
    const event = {
      type: 'xstate.done.actor.r',
      output: { type: 'INFO', from: 'alice', content: 'words', messageId: messageOf({}).id, data: { ok: true } },
      actorId: 'r',
    };
    expect(receiveAs(answer)).toMatchObject({ cause: { kind: 'answer', call: 'r', event } });
    expect(receiveAs({ ...answer, type: 'VOTE' })).toMatchObject({ cause: { kind: 'answer', call: 'r' } });
  });

  it('is refused from any other actor, whatever the data claims', () => {
    const forged = { ...answer, from: 'mallory', data: { ok: true, from: 'alice' } };
    expect(reasonOf(receiveAs(forged))).toBe('not-believed');
    expect(reasonOf(receiveAs({ ...forged, type: 'VOTE' }))).toBe('not-believed');
  });

  it('becomes a dead letter if its data does not fit the ask, and the ask keeps waiting', () => {
    expect(reasonOf(receiveAs({ ...answer, data: { ok: 'yes' } }))).toBe('bad-data');
  });

  it('is late once its question is no longer pending, also after the end', () => {
    const late = { late: 'its question is no longer pending' };
    expect(receiveAs(answer, { state: over.state })).toEqual(late);
    expect(receiveAs(answer, { state: { ...over.state, status: 'done' } })).toEqual(late);
  });

  it('to another question is ordinary mail', () => {
    const other = messageOf({}).id.replace('1', '9');
    expect(receiveAs({ ...answer, replyTo: other, threadId: 'mine', type: 'NEWS' })).toMatchObject({
      cause: { kind: 'message' },
    });
  });
});

describe('START', () => {
  const expected: ExpectedStart = { parent: { address: 'top', childId: 'me', src: 'x' }, incarnation: 'ff00.1.0' };
  const start = { type: 'START', from: 'top', data: { incarnation: 'ff00.1.0', input: { a: 1 } } };

  it('from its parent, with the incarnation that the parent waits for, starts a child', () => {
    const reception = receiveAs(start, { state: undefined, expected });
    expect(reception).toMatchObject({
      cause: { kind: 'start', incarnation: 'ff00.1.0', input: { a: 1 }, parent: expected.parent },
    });
    const again = { ...state, incarnation: 'ff00.1.0' };
    expect(receiveAs(start, { state: again, expected })).toEqual({ late: 'the child was already started' });
  });

  it('of a child that was given up since is taken in order, and never after a later start', () => {
    const now = { ...expected, incarnation: 'ff00.10.0' };
    const former = { ...start, data: { incarnation: 'ff00.9.3', src: 'x' } };
    const late = { late: 'the child was given up before it started' };
    for (const before of [undefined, { ...state, incarnation: 'ff00.9.2' }])
      expect(receiveAs(former, { state: before, expected: now })).toMatchObject({ cause: { incarnation: 'ff00.9.3' } });
    for (const after of ['ff00.9.4', 'ff00.10.0'])
      expect(receiveAs(former, { state: { ...state, incarnation: after }, expected: now })).toEqual(late);
    const ofOther = { ...start, data: { incarnation: 'ff00.9.3', src: 'y' } };
    expect(receiveAs(ofOther, { state: undefined, expected: now })).toEqual(late);
    const ofOtherRun = { ...start, data: { incarnation: 'ee00.9.3', src: 'x' } };
    expect(reasonOf(receiveAs(ofOtherRun, { state: undefined, expected: now }))).toBe('not-believed');
    expect(reasonOf(receiveAs({ ...former, from: 'mallory' }, { state: undefined, expected: now }))).toBe(
      'not-believed',
    );
  });

  const forgeries: [string, Partial<Message>, ExpectedStart | undefined][] = [
    ['another sender', { ...start, from: 'mallory' }, expected],
    ['the child itself', { ...start, from: ADDRESS }, expected],
    ['the room', { ...start, from: 'system' }, expected],
    ['another incarnation', { ...start, data: { incarnation: 'ff00.2.0' } }, expected],
    ['no data', { ...start, data: undefined }, expected],
    ['data that is no object', { ...start, data: 'ff00.1.0' }, expected],
    ['its parent, to a workflow that was started by hand', start, undefined],
  ];
  it.each(forgeries)('is refused from %s', (_, fields, who) => {
    for (const now of [undefined, state]) {
      expect(reasonOf(receiveAs(fields, { state: now, ...(who ? { expected: who } : {}) }))).toBe('not-believed');
    }
  });
});

describe('STOP', () => {
  const parent = { address: 'top', childId: 'me', src: 'x' };
  const ofParent: WorkflowState = { ...state, parent };
  const stop = { type: 'STOP', from: 'top', data: { incarnation: RUN } };

  it('is accepted from the parent, the room and the workflow itself', () => {
    const stopped = { cause: { kind: 'stop', event: { type: 'xstate.stop' } } };
    expect(receiveAs(stop, { state: ofParent })).toMatchObject(stopped);
    for (const from of ['system', ADDRESS]) expect(receiveAs({ type: 'STOP', from })).toMatchObject(stopped);
    expect(receiveAs(stop, { state: { ...ofParent, status: 'done' } })).toEqual({
      late: 'the workflow has already ended',
    });
  });

  it('for an earlier start of a child is late, and is refused from another sender', () => {
    const ofLater = { ...ofParent, incarnation: 'ff00.10.0' };
    const former = { ...stop, data: { incarnation: 'ff00.9.0' } };
    expect(receiveAs(former, { state: ofLater })).toEqual({ late: 'it stops an earlier start, which has ended' });
    expect(reasonOf(receiveAs({ ...former, from: 'mallory' }, { state: ofLater }))).toBe('not-believed');
  });

  it.each<[string, Partial<Message>]>([
    ['another sender', { ...stop, from: 'mallory' }],
    ['its parent about another incarnation', { ...stop, data: { incarnation: 'ff' } }],
    ['its parent without an incarnation', { ...stop, data: undefined }],
    ['its child', { ...stop, from: CHILD }],
  ])('is refused from %s', (_, fields) => {
    expect(reasonOf(receiveAs(fields, { state: ofParent }))).toBe('not-believed');
  });
});

describe('END', () => {
  const end = { type: 'END', from: CHILD, data: { incarnation: CHILD_RUN, status: 'done', output: [1] } };

  it('of a child completes the call with its output or its error', () => {
    const output = { type: 'xstate.done.actor.c', output: [1], actorId: 'c' };
    expect(receiveAs(end)).toMatchObject({ cause: { kind: 'ended', call: 'c', event: output } });
    const error = { name: 'E', message: 'no' };
    const failed = receiveAs({ ...end, data: { incarnation: CHILD_RUN, status: 'error', error } });
    expect(failed).toMatchObject({ cause: { event: { type: 'xstate.error.actor.c', error, actorId: 'c' } } });
    const stopped = receiveAs({ ...end, data: { incarnation: CHILD_RUN, status: 'stopped' } });
    expect(stopped).toMatchObject({ cause: { event: { error: { name: 'WorkflowStopped' } } } });
  });

  it.each<[string, Partial<Message>]>([
    ['another sender', { ...end, from: 'mallory' }],
    ['the room', { ...end, from: 'system' }],
    ['the workflow itself', { ...end, from: ADDRESS }],
    ['its child in another incarnation', { ...end, data: { ...end.data, incarnation: 'ff.1.0' } }],
    ['its child without an incarnation', { ...end, data: { status: 'done' } }],
    ['whom it asks', { ...end, from: 'alice', data: { ...end.data, incarnation: state.calls['r']?.effectId } }],
  ])('is refused from %s', (_, fields) => {
    expect(reasonOf(receiveAs(fields))).toBe('not-believed');
  });

  it('of a stopped child is late, also after the end of its parent', () => {
    for (const status of ['active', 'done'] as const) {
      expect(receiveAs(end, { state: { ...over.state, status } })).toHaveProperty('late');
    }
  });
});

describe('EVENT', () => {
  const event = { type: 'progress', done: 3 };
  const news = { type: 'EVENT', from: CHILD, data: { incarnation: CHILD_RUN, event } };

  it('of a child or the parent reaches the machine unchanged', () => {
    expect(receiveAs(news)).toMatchObject({ cause: { kind: 'message', event } });
    const parent = { address: 'top', childId: 'me', src: 'x' };
    const fromParent = receiveAs(
      { ...news, from: 'top', data: { incarnation: RUN, event } },
      { state: { ...state, parent } },
    );
    expect(fromParent).toMatchObject({ cause: { kind: 'message', event } });
  });

  it.each<[string, unknown]>([
    ['an end of an actor', { type: 'xstate.done.actor.r', output: { data: { ok: true } }, actorId: 'r' }],
    ['an error of an actor', { type: 'xstate.error.actor.c', actorId: 'c' }],
    ['a timer', { type: 'xstate.after.patience.ship.asking' }],
    ['a stop', { type: 'xstate.stop' }],
    ['an event of Mailroom', { type: 'mailroom.delivery-failed' }],
    ['no type', { done: 3 }],
    ['a type that is no text', { type: 1 }],
    ['nothing', undefined],
    ['a text', 'progress'],
    ['a list', ['progress']],
  ])('is not believed with %s inside', (_, inside) => {
    expect(reasonOf(receiveAs({ ...news, data: { incarnation: CHILD_RUN, event: inside } }))).toBe('not-believed');
  });

  it.each<[string, Partial<Message>]>([
    ['another sender', { ...news, from: 'mallory' }],
    ['a child in another incarnation', { ...news, data: { incarnation: 'ff.1.0', event } }],
    ['a child that claims to be the workflow', { ...news, data: { incarnation: RUN, event } }],
    ['the room', { ...news, from: 'system', data: { incarnation: RUN, event } }],
  ])('is refused from %s', (_, fields) => {
    expect(reasonOf(receiveAs(fields))).toBe('not-believed');
  });
});
