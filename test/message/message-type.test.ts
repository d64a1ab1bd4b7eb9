import { expect, test } from 'vitest';
import { InvalidInput } from '../../src/errors.ts';
import { assertDeclaredType, isCommonType, isMessageType, MessageType } from '../../src/message/message-type.ts';

test('the seven common types need no declaration', () => {
  expect(Object.values(MessageType)).toEqual([
    'QUESTION',
    'REVIEW-REQUEST',
    'BLOCKED',
    'COMPLETED',
    'CHALLENGE',
    'INFO',
    'ACK',
  ]);
  for (const type of Object.values(MessageType)) {
    expect(isMessageType(type) && isCommonType(type)).toBe(true);
    expect(() => assertDeclaredType(type, new Set())).not.toThrow();
  }
});

test.each(['CLAIM', 'V2', 'A-1-B', 'A'.repeat(64)])('%j has the form of a type', (type) => {
  expect(isMessageType(type)).toBe(true);
});

test.each(['', 'claim', 'Claim', '-A', 'A-', 'A--B', '1A', 'A_B', 'A B', 'A\n', 'Ä', '__proto__', 'A'.repeat(65)])(
  '%j has not',
  (type) => {
    expect(isMessageType(type)).toBe(false);
    expect(() => assertDeclaredType(type, new Set([type]))).toThrow(InvalidInput);
  },
);

test('a type that nobody declared is refused with the nearest one, a declared one is not', () => {
  expect(() => assertDeclaredType('CLAIM', new Set(['CLAIM']))).not.toThrow();
  expect(() => assertDeclaredType('CLAIMS', new Set(['CLAIM']))).toThrow(
    expect.objectContaining({ code: 'INVALID_INPUT', hint: 'Did you mean CLAIM?' }),
  );
  expect(() => assertDeclaredType('INFOS', new Set())).toThrow(expect.objectContaining({ hint: 'Did you mean INFO?' }));
  expect(() => assertDeclaredType('constructor', new Set())).toThrow(InvalidInput);
});
