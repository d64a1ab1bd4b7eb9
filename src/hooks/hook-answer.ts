import type { HookEvent } from './hook-event.ts';

/**
 * The answer to a hook as its program reads it on stdout: with a text, that text for the model; without one, nothing at all,
 * which every program takes for an answer. At the end of a turn, and behind it, the text begins another turn. A session that starts
 * is told its address, for programs that give their shell what the answer says.
 */
export function hookAnswer(
  { program, name, kind }: Pick<HookEvent, 'program' | 'name' | 'kind'>,
  { text, address }: { text: string; address?: string },
): string {
  if (text === '') return '';
  const isEnd = kind === 'turn-end' || kind === 'wake';
  const answer = isEnd ? goingOn(program, text) : context(program, name, text);
  const env = program === 'opencode' && address !== undefined ? { env: { MAILROOM_AS: address } } : {};
  return `${JSON.stringify({ ...answer, ...env })}\n`;
}

function context(program: HookEvent['program'], name: string, text: string): object {
  switch (program) {
    case 'cursor':
      return { additional_context: text };
    case 'copilot':
      return { additionalContext: text };
    case 'opencode':
      return { context: text };
    default:
      return { hookSpecificOutput: { hookEventName: name, additionalContext: text } };
  }
}

function goingOn(program: HookEvent['program'], text: string): object {
  switch (program) {
    case 'cursor':
      return { followup_message: text };
    case 'opencode':
      return { continueWith: text };
    case 'gemini':
      return { decision: 'deny', reason: text };
    default:
      return { decision: 'block', reason: text };
  }
}
