import { InvalidInput } from '../errors.ts';
import { HOOK_EVENTS, HOOK_PROGRAMS, type HookKind, type HookProgram } from './programs.ts';

/** One call of a hook, in Mailroom's own words. */
export interface HookEvent {
  readonly program: HookProgram;
  /** As the program names it. */
  readonly name: string;
  readonly kind: HookKind;
  /** The program's own id of the session; with the program's name before it, the name of a directory. */
  readonly sessionId: string;
  /** Where the session works; undefined where the program does not say. */
  readonly cwd: string | undefined;
  /** The program's own id of the turn, which a prompt that is typed while it runs shares; undefined where it has none. */
  readonly turnId: string | undefined;
  /** The hook ran for a model that works for the session's own model, and whose turns are none of the session's. */
  readonly isSubagent: boolean;
  /** The turn that ends here went on only because a hook asked for it. */
  readonly isContinued: boolean;
  /** The turn ended before the model said anything, because a person interrupted it. Gemini CLI takes all of it back (0.61). */
  readonly isInterrupted: boolean;
  /**
   * What a session that starts is told may not reach its model, or only behind its first request (Gemini CLI 0.61, with a prompt on
   * the command line): it is told at its first prompt.
   */
  readonly isUnheard: boolean;
  /** The prompt is a person's, and not one that the program makes of a wake-up. */
  readonly isByPerson: boolean;
}

/** The directory of a session, whatever characters the program's id has: on Windows no name has a `*`, or ends in a dot. */
export function sessionKey({ program, sessionId }: Pick<HookEvent, 'program' | 'sessionId'>): string {
  const encoded = encodeURIComponent(sessionId).replaceAll('*', '%2A').replace(/\.$/, '%2E');
  return `${program}-${encoded}`;
}

type Fields = Readonly<Record<string, unknown>>;

/** How Claude Code begins the prompts that it makes itself, of a hook that woke it or a background shell that ended (2.1.332). */
const OWN_PROMPT = '<task-notification>';
/** What Gemini CLI gives at the end of a turn in which its model has not said anything (0.61). */
const GEMINI_NO_RESPONSE = '[no response text]';
/** What wakes a session that can be given nothing but a prompt. The mail is shown beside it, by the hook of the prompt. */
export const WAKE_PROMPT = 'Mailroom: new mail came for this session.';
const KEY_CHARS_MAX = 200;
/** What each program calls the id of its session. */
const SESSION_FIELDS = ['session_id', 'sessionId', 'conversation_id'];
/** What Claude Code 2.1.332 and Codex 0.171 call the id of a turn. */
const TURN_FIELDS = ['prompt_id', 'turn_id'];
/** Fields that only a subagent's hooks have, with a text in them. */
const SUBAGENT_FIELDS = ['agent_id', 'agentId', 'parent_session_id'];

/** Throws `InvalidInput` for a program or an event that Mailroom does not know. */
export function kindOfHook(program: string, name: string): { program: HookProgram; kind: HookKind } {
  const known = HOOK_PROGRAMS.find((one) => one === program);
  if (!known) {
    throw new InvalidInput(`Mailroom knows no hooks of ${JSON.stringify(program)}.`, {
      hint: `Known are ${HOOK_PROGRAMS.join(', ')}.`,
    });
  }
  const events = HOOK_EVENTS[known];
  const kind = Object.hasOwn(events, name) ? events[name] : undefined;
  if (kind) return { program: known, kind };
  throw new InvalidInput(`${known} has no hook ${JSON.stringify(name)} that Mailroom knows.`, {
    hint: `Known are ${Object.keys(events).join(', ')}. To write them anew: mailroom hooks add ${known}`,
  });
}

/**
 * What a program wrote to its hook's standard input. Fields that Mailroom does not know are passed over, because programs add
 * some with each version. Throws `InvalidInput` for what is no JSON object or names no session.
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

function fieldsIn(input: string, hook: string): Fields {
  let value: unknown;
  try {
    value = JSON.parse(input);
  } catch (cause) {
    throw new InvalidInput(`The input of the hook ${hook} is no JSON.`, { cause });
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  throw new InvalidInput(`The input of the hook ${hook} is no JSON object.`);
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
