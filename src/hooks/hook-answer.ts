import type { HookEvent } from './hook-event.ts';

/**
 * The answer to a hook as its program reads it on stdout: with a text, that text for the model; without one, nothing at all,
 * which every program takes for an answer. At the end of a turn the text also keeps the session going for another one.
 */
export function hookAnswer(
  { program, name, kind }: Pick<HookEvent, 'program' | 'name' | 'kind'>,
  text: string,
): string {
  if (text === '') return '';
  return `${JSON.stringify(kind === 'turn-end' ? goingOn(program, text) : context(program, name, text))}\n`;
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
