import type { HookEvent } from './hook-event.ts';

/**
 * The answer to a hook, in the form that its program reads on stdout: the text for the model, or nothing, which every program
 * accepts. At the end of a turn, and after it, the text starts another turn. The address is included for programs that set it
 * in their shells from the answer.
 */
export function hookAnswer(
  { program, name, kind }: Pick<HookEvent, 'program' | 'name' | 'kind'>,
  { text, address }: { text: string; address?: string },
): string {
  if (text === '') return '';
  const isEnd = kind === 'turn-end' || kind === 'wake';
  const answer = isEnd ? continueTurn(program, text) : context(program, name, text);
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

function continueTurn(program: HookEvent['program'], text: string): object {
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
