import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { hookAnswer } from '../../src/hooks/hook-answer.ts';
import { parseHookEvent } from '../../src/hooks/hook-event.ts';
import { HOOK_EVENTS } from '../../src/hooks/programs.ts';

const FIXTURES = path.join(import.meta.dirname, '../../fixtures/hooks');

interface Recorded {
  readonly stdin: { readonly hook_event_name: string; readonly session_id: string; readonly cwd: string };
  readonly answers: readonly { readonly stdout?: unknown; readonly model?: unknown }[];
}

/** What the real programs sent: program, event, and the situation in the file's name. */
const recorded = (['claude', 'codex', 'gemini'] as const).flatMap((program) =>
  fs.readdirSync(path.join(FIXTURES, program)).map((file) => {
    const [event = '', ...situation] = path.basename(file, '.json').split('-');
    const text = fs.readFileSync(path.join(FIXTURES, program, file), 'utf8');
    return { program, event, situation: situation.join('-'), recording: JSON.parse(text) as Recorded };
  }),
);
const hooked = recorded.filter(({ program, event }) => event in HOOK_EVENTS[program]);

test('there are recordings of every event of Claude Code, Codex and Gemini CLI that hooks are added for', () => {
  const missing = (['claude', 'codex', 'gemini'] as const).flatMap((program) =>
    Object.keys(HOOK_EVENTS[program])
      .filter((event) => !hooked.some((one) => one.program === program && one.event === event))
      .map((event) => `${program} ${event}`),
  );
  // `wake` of Codex is started by Mailroom itself.
  expect(missing).toEqual(['codex wake']);
});

test.each(hooked.map((one) => [`${one.program} ${one.event} ${one.situation}`, one] as const))('%s', (_, one) => {
  const { program, event: name, situation, recording } = one;
  const { stdin } = recording;
  const event = parseHookEvent(JSON.stringify(stdin), { program, name });
  expect(event).toMatchObject({
    kind: (HOOK_EVENTS[program] as Record<string, string>)[name],
    sessionId: stdin.session_id,
    cwd: stdin.cwd,
    // Gemini's hooks say nothing of it.
    isSubagent: situation === 'subagent' && program !== 'gemini',
    isContinued: situation === 'active',
    isInterrupted: situation === 'cancelled',
    isByPerson: situation !== 'wake' && situation !== 'subagent-ended',
  });
});

/** The answers of ours have the form of one that reached the program's model. */
test.each(
  hooked.filter(
    ({ event, recording }) => event !== 'wake' && recording.answers.some(({ model }) => model !== undefined),
  ),
)('$program $event: what hooks answer is what the program gave its model', ({ program, event: name, recording }) => {
  const { kind } = parseHookEvent(JSON.stringify(recording.stdin), { program, name });
  const answers = recording.answers.flatMap(({ stdout, model }) => (model === undefined ? [] : [shapeOf(stdout)]));
  expect(answers).toContainEqual(shapeOf(JSON.parse(hookAnswer({ program, name, kind }, { text: 'text' }))));
});

/** Keys, and the values that are no text for the model. */
function shapeOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      key === 'additionalContext' || key === 'reason' ? 'text' : shapeOf(inner),
    ]),
  );
}
