import { InvalidInput } from '../errors.ts';
import { HOOK_EVENTS, HOOK_PROGRAMS, type HookKind, type HookProgram } from './programs.ts';

/** One call of a hook, in Mailroom's own terms. */
export interface HookEvent {
  readonly program: HookProgram;
  /** The program's name of the event. */
  readonly name: string;
  readonly kind: HookKind;
  /** The program's own id of the session. */
  readonly sessionId: string;
  /** The directory of the session; undefined if the program does not say. */
  readonly cwd: string | undefined;
  /** The program's own id of the turn, shared by prompts typed while it runs; undefined if the program has none. */
  readonly turnId: string | undefined;
  /** The hook ran for a subagent, whose turns are not those of the session. */
  readonly isSubagent: boolean;
  /** The ending turn was continued only because a hook asked for it. */
  readonly isContinued: boolean;
  /** A person interrupted the turn before the model said anything. Gemini CLI takes the whole turn back (0.61). */
  readonly isInterrupted: boolean;
  /**
   * The introduction of a starting session may not reach its model, or only after its first request (Gemini CLI 0.61, with a
   * prompt on the command line), so the session is introduced at its first prompt.
   */
  readonly isUnheard: boolean;
  /** A person typed the prompt; it is not one that the program made of a wake-up. */
  readonly isByPerson: boolean;
}

/** The name of a session's directory, safe for any id: on Windows no file name contains a `*` or ends in a dot. */
export function sessionKey({ program, sessionId }: Pick<HookEvent, 'program' | 'sessionId'>): string {
  const encoded = encodeURIComponent(sessionId).replaceAll('*', '%2A').replace(/\.$/, '%2E');
  return `${program}-${encoded}`;
}

type HookFields = Readonly<Record<string, unknown>>;

/** The start of prompts that Claude Code makes itself, of a hook that woke it or a background shell that ended (2.1.332). */
const OWN_PROMPT = '<task-notification>';
/** The response that Gemini CLI reports for a turn in which its model said nothing (0.61). */
const GEMINI_NO_RESPONSE = '[no response text]';
/** The prompt that wakes a session which can only be woken by a prompt. The hook of this prompt shows the mail. */
export const WAKE_PROMPT = 'Mailroom: new mail came for this session.';
const KEY_CHARS_MAX = 200;
/** The fields in which programs give the id of the session. */
const SESSION_FIELDS = ['session_id', 'sessionId', 'conversation_id'];
/** The fields in which Claude Code 2.1.332 and Codex 0.171 give the id of a turn. */
const TURN_FIELDS = ['prompt_id', 'turn_id'];
/** Fields that hold a text only in a subagent's hooks. */
const SUBAGENT_FIELDS = ['agent_id', 'agentId', 'parent_session_id'];

/** Throws `InvalidInput` for a program or an event that Mailroom does not know. */
export function kindOfHook(program: string, name: string): { program: HookProgram; kind: HookKind } {
  const known = HOOK_PROGRAMS.find((one) => one === program);
  if (!known) {
    throw new InvalidInput(`Mailroom knows no hooks of ${JSON.stringify(program)}.`, {
      hint: `Known programs: ${HOOK_PROGRAMS.join(', ')}.`,
    });
  }
  const events = HOOK_EVENTS[known];
  const kind = Object.hasOwn(events, name) ? events[name] : undefined;
  if (kind) return { program: known, kind };
  throw new InvalidInput(`${known} has no hook ${JSON.stringify(name)} that Mailroom knows.`, {
    hint: `Known hooks: ${Object.keys(events).join(', ')}. To write them again: mailroom hooks add ${known}`,
  });
}

/**
 * Parses what a program wrote to its hook's stdin. Unknown fields are ignored, because programs add some with each version.
 * Throws `InvalidInput` for input that is not a JSON object, or names no session.
 */
export function parseHookEvent(input: string, { program, name }: { program: string; name: string }): HookEvent {
  const known = kindOfHook(program, name);
  const fields = fieldsIn(input, `${program} ${name}`);
  const sessionId = SESSION_FIELDS.map((field) => fields[field]).find(isText);
  if (sessionId === undefined || !isName(sessionId)) {
    throw new InvalidInput(
      `The input of the hook ${program} ${name} names no session: expected a session_id of at most ${KEY_CHARS_MAX} characters.`,
    );
  }
  const roots = fields['workspace_roots'];
  const cwd = [fields['cwd'], Array.isArray(roots) ? (roots as unknown[])[0] : undefined].find(isText);
  return {
    ...known,
    name,
    sessionId,
    cwd,
    turnId: TURN_FIELDS.map((field) => fields[field])
      .find(isText)
      ?.slice(0, KEY_CHARS_MAX),
    isSubagent: SUBAGENT_FIELDS.some((field) => isText(fields[field])),
    isByPerson: fields['prompted_by'] !== 'mailroom' && !(isText(fields['prompt']) && isOwnPrompt(fields['prompt'])),
    isInterrupted: fields['prompt_response'] === GEMINI_NO_RESPONSE,
    isUnheard: known.kind === 'session-start' && program === 'gemini',
    isContinued: fields['stop_hook_active'] === true || Number(fields['loop_count'] ?? 0) > 0,
  };
}

function fieldsIn(input: string, hook: string): HookFields {
  let value: unknown;
  try {
    value = JSON.parse(input);
  } catch (cause) {
    throw new InvalidInput(`The input of the hook ${hook} is not JSON.`, { cause });
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as HookFields;
  throw new InvalidInput(`The input of the hook ${hook} is not a JSON object.`);
}

function isOwnPrompt(prompt: string): boolean {
  return prompt.startsWith(OWN_PROMPT) || prompt.trim() === WAKE_PROMPT;
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function isName(id: string): boolean {
  try {
    return encodeURIComponent(id).length <= KEY_CHARS_MAX;
  } catch {
    // Half a surrogate pair.
    return false;
  }
}
