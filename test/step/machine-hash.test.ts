import { assign, setup, type AnyStateMachine } from 'xstate';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { ask } from '../../src/workflow/ask.ts';
import { machineHash } from '../../src/step/machine-hash.ts';
import { tell } from '../../src/workflow/send.ts';

interface Variation {
  readonly answer?: z.ZodType;
  readonly isDoubled?: boolean;
  readonly limitMs?: number;
  readonly said?: string;
}

function machineWith({
  answer = numberAnswer(),
  isDoubled = false,
  limitMs = 3,
  said = 'Hello',
}: Variation = {}): AnyStateMachine {
  return setup({
    types: { context: {} as { n: number } },
    actors: { question: ask('bob', { answer }) },
    actions: {
      increment: isDoubled
        ? assign({ n: ({ context }) => context.n + 2 })
        : assign({ n: ({ context }) => context.n + 1 }),
    },
    delays: { limit: limitMs },
  }).createMachine({
    id: 'hashed',
    context: { n: 0 },
    initial: 'a',
    states: {
      a: { entry: ['increment', tell('bob', { type: 'INFO', content: said })], after: { limit: 'b' } },
      b: { type: 'final' },
    },
  });
}

function numberAnswer(): z.ZodType {
  return z.object({ n: z.number().min(1), who: z.array(z.string()).optional() });
}

test('the same code has the same fingerprint, and any change gives another one', () => {
  const changed = [
    machineWith({ isDoubled: true }),
    machineWith({ limitMs: 4 }),
    machineWith({ said: 'Good morning' }),
    machineWith({ answer: z.object({ n: z.number().min(2), who: z.array(z.string()).optional() }) }),
    machineWith({ answer: z.object({ n: z.number().min(1), who: z.array(z.number()).optional() }) }),
    machineWith({ answer: numberAnswer().refine((answer) => answer !== 0) }),
  ].map(machineHash);
  expect(machineHash(machineWith())).toBe(machineHash(machineWith()));
  expect(new Set([machineHash(machineWith()), ...changed]).size).toBe(1 + changed.length);
});

test('using a machine and its schemas leaves its fingerprint as it was', () => {
  const answer = numberAnswer();
  const machine = machineWith({ answer });
  const before = machineHash(machine);
  expect(answer.safeParse({ n: 1, who: ['a'] }).success).toBe(true);
  expect(z.toJSONSchema(answer)).toMatchObject({ type: 'object' });
  expect(machineHash(machine)).toBe(before);
});
