import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isQuestion, idOfKey, questionKey, replyId, replyTypeOf, threadKey } from '../../src/agents/question.ts';
import { isMessageId, timeOfId } from '../../src/message/message-id.ts';
import { isCommonType } from '../../src/message/message-type.ts';
import { createMessage } from './messages.ts';
import { amount } from '../run/amount.ts';

const COMMON = ['QUESTION', 'REVIEW-REQUEST', 'BLOCKED', 'COMPLETED', 'CHALLENGE', 'INFO', 'ACK'];
const anyType = fc.constantFrom(...COMMON, 'VOTE', 'nonsense', 'REVIEW-FEEDBACK');

describe('which mail is a question', () => {
  const asks = (type: string, more: { replyTo?: string; from?: string } = {}, types: string[] = []): boolean =>
    isQuestion(createMessage({ type, ...more }), { address: 'bob', types: new Set(types) });

  it('is by default a message whose type asks, even if it is a reply', () => {
    expect(COMMON.filter((type) => asks(type))).toEqual(['QUESTION', 'REVIEW-REQUEST']);
    expect(asks('QUESTION', { replyTo: createMessage({}).id })).toBe(true);
  });

  it('is a message of --types, unless it is a reply or from the agent itself', () => {
    expect(asks('INFO', {}, ['INFO'])).toBe(true);
    expect(asks('INFO', { replyTo: createMessage({}).id }, ['INFO'])).toBe(false);
    expect(asks('QUESTION', { from: 'bob' })).toBe(false);
  });

  it('is never a reply of another agent, whatever the question, its asker and the command want', () => {
    const types = fc.array(anyType);
    const property = fc.property(
      anyType,
      anyType,
      anyType,
      types,
      types,
      (type, wanted, replyType, accepted, other) => {
        const question = createMessage({ type, data: { replyType } });
        const understood = (one: string): boolean => isCommonType(one) || accepted.includes(one);
        const reply = createMessage({
          type: replyTypeOf(question, { wanted, understood }),
          from: 'bob',
          replyTo: question.id,
        });
        expect(isQuestion(reply, { address: 'alice', types: new Set(other) })).toBe(false);
      },
    );
    fc.assert(property, { numRuns: amount(400, { long: 2_000 }) });
  });
});

describe('the type of a reply', () => {
  const typeOf = (type: string, options: { wanted?: string; data?: unknown; accepts?: string[] } = {}): string =>
    replyTypeOf(createMessage({ type, data: options.data }), {
      wanted: options.wanted,
      understood: (one) => isCommonType(one) || (options.accepts ?? []).includes(one),
    });

  it('is wanted by the command, else by the asker, else fits the question, else is INFO', () => {
    const accepts = ['VOTE', 'REVIEW-FEEDBACK'];
    expect(typeOf('QUESTION')).toBe('INFO');
    expect(typeOf('QUESTION', { data: { replyType: 'VOTE' }, accepts })).toBe('VOTE');
    expect(typeOf('QUESTION', { data: { replyType: 'VOTE' }, accepts, wanted: 'COMPLETED' })).toBe('COMPLETED');
    expect(typeOf('REVIEW-REQUEST', { accepts })).toBe('REVIEW-FEEDBACK');
    expect(typeOf('REVIEW-REQUEST')).toBe('INFO');
  });

  it('is never one that the asker does not accept, or that asks again', () => {
    expect(typeOf('QUESTION', { data: { replyType: 'VOTE' } })).toBe('INFO');
    expect(typeOf('QUESTION', { wanted: 'QUESTION' })).toBe('INFO');
    expect(typeOf('QUESTION', { wanted: 'no type' })).toBe('INFO');
  });
});

describe('the key of a question', () => {
  it('differs for another agent, sender, room or id, and begins with the id', () => {
    const message = createMessage({});
    const keys = [
      questionKey('bob', message),
      questionKey('carol', message),
      questionKey('bob', { ...message, from: 'mallory' }),
      questionKey('bob', { ...message, room: 'another' }),
      questionKey('bob', { ...message, id: createMessage({}).id }),
    ];
    expect(new Set(keys).size).toBe(keys.length);
    expect(questionKey('bob', message)).toBe(keys[0]);
    expect(idOfKey(keys[0] ?? '')).toBe(message.id);
    expect(idOfKey('../../etc/passwd')).toBeUndefined();
  });

  it('of a thread is a file name for any thread id', () => {
    fc.assert(fc.property(fc.string(), (thread) => /^[0-9a-f]{32}$/.test(threadKey(thread))));
  });
});

it('derives a valid message id from a question and a time', () => {
  const time = fc.integer({ min: 0, max: 2 ** 47 });
  const property = fc.property(time, fc.uuid({ version: 7 }), (timeMs, id) => {
    const made = replyId('bob', createMessage({ id }), timeMs);
    expect(isMessageId(made)).toBe(true);
    expect(timeOfId(made)).toBe(timeMs);
    expect(replyId('bob', createMessage({ id }), timeMs)).toBe(made);
    expect(replyId('carol', createMessage({ id }), timeMs)).not.toBe(made);
  });
  fc.assert(property);
});
