import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isMailroomError } from '../../src/errors.ts';
import { parseHookEvent, sessionKey } from '../../src/hooks/hook-event.ts';
import { HOOK_EVENTS } from '../../src/hooks/programs.ts';
import { anyCharacter, checkProperty } from '../message/property.ts';

const EVENTS = Object.entries(HOOK_EVENTS).flatMap(([program, names]) =>
  Object.keys(names).map((name) => ({ program, name })),
);
const FIELDS = [
  'session_id',
  'sessionId',
  'conversation_id',
  'cwd',
  'workspace_roots',
  'prompt',
  'prompt_id',
  'agent_id',
];
const MORE = ['stop_hook_active', 'loop_count', 'prompt_response', 'prompted_by', 'source', '__proto__', 'constructor'];

/** JSON with the fields that are read, each of any kind, and most often with a session. */
const asked = fc
  .tuple(
    fc.option(fc.string({ unit: anyCharacter, minLength: 1, maxLength: 30 }), { freq: 5 }),
    fc.dictionary(fc.constantFrom(...FIELDS, ...MORE), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 4 }),
  )
  .map(([id, more]) => JSON.stringify({ ...more, ...(id === null ? {} : { session_id: id }) }));

/** The directory of the session, or what the refusal says. */
function outcomeOf(text: string, event: (typeof EVENTS)[number]): string {
  try {
    return sessionKey(parseHookEvent(text, event));
  } catch (error) {
    return isMailroomError(error) ? error.message : `thrown: ${String(error)}`;
  }
}

const DIRECTORY = /^[a-z]+-[^/\0]{1,200}$/;
const REFUSAL = /^The input of the hook \S+ \S+ (?:is not (?:a )?JSON|names no session)/;

test('any input of any hook is an event of its session, or refused in one sentence', () => {
  let taken = 0;
  const input = fc.oneof(asked, fc.json(), fc.string({ unit: anyCharacter }));
  const property = fc.property(fc.constantFrom(...EVENTS), input, (event, text) => {
    const outcome = outcomeOf(text, event);
    if (DIRECTORY.test(outcome)) taken += 1;
    expect(outcome).toMatch(new RegExp(`${DIRECTORY.source}|${REFUSAL.source}`));
  });
  const tried = checkProperty('inputs of hooks', property, { runs: 1_000 });
  console.log(`${taken} of ${tried} inputs were taken, of ${EVENTS.length} hooks`);
  expect(taken).toBeGreaterThan(tried / 10);
});
