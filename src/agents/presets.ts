/**
 * How the model command lines that are known are started, read and resumed: facts about programs of others, in one table
 * of data. Where each fact comes from is written in docs/agents.md; a line here without a source there is a mistake.
 */
export interface Preset {
  /** The program, found in PATH. */
  readonly file: string;
  /**
   * Its arguments. `{args}` stands for what the user adds, `{session}` for the session's id, `{prompt}` for a file with the
   * prompt and `{history}` for a file that belongs to the thread.
   */
  readonly begin: readonly string[];
  /** Its arguments when a session is resumed; none when it knows no sessions by id. */
  readonly resume?: readonly string[];
  /** Where it reads the prompt. */
  readonly prompt: 'stdin' | 'file';
  readonly output: OutputRules;
  /** How long it may write nothing, in ms. Only programs that tell what they do while they do it have a limit. */
  readonly idleMs?: number;
  /** A character which the program would act on in the middle of a prompt, and that a backslash before it makes plain. */
  readonly escape?: string;
}

/** How the reply, the session and a failure are found in what a program writes to stdout. */
export type OutputRules =
  | { readonly format: 'text' }
  | {
      /** One JSON object a line. */
      readonly format: 'jsonl';
      readonly session: readonly Find[];
      /** The first rule that fits an event counts for it. */
      readonly events: readonly EventRule[];
      /** The events of which one must have come; none when the exit code alone says it. */
      readonly completes: readonly When[];
    };

/** Values that an event must have, by path: `{ 'item.type': 'agent_message' }`. */
export type When = Readonly<Record<string, string | boolean>>;

export interface Find {
  readonly when: When;
  /** Of a text in the event; of several paths the first that leads to one. */
  readonly at: readonly string[];
}

export interface EventRule extends Find {
  /**
   * `reply`: it replaces an earlier one. `part`: it is put behind the parts before it. `divider`: what is said before it
   * was said on the way, not in the end. `failure`: the run has failed. `trouble`: why, if it does not complete.
   */
  readonly kind: 'reply' | 'part' | 'divider' | 'failure' | 'trouble';
}

const IDLE_MS = 15 * 60_000;

export const PRESETS = {
  claude: {
    file: 'claude',
    begin: ['-p', '--output-format', 'stream-json', '--verbose', '{args}'],
    resume: ['-p', '--output-format', 'stream-json', '--verbose', '--resume', '{session}', '{args}'],
    prompt: 'stdin',
    idleMs: IDLE_MS,
    output: {
      format: 'jsonl',
      session: [{ when: { type: 'result' }, at: ['session_id'] }],
      events: [
        { kind: 'failure', when: { type: 'result', is_error: true }, at: ['result', 'errors.0', 'subtype'] },
        { kind: 'reply', when: { type: 'result', subtype: 'success' }, at: ['result'] },
        { kind: 'failure', when: { type: 'result' }, at: ['errors.0', 'subtype'] },
      ],
      completes: [{ type: 'result' }],
    },
  },
  codex: {
    file: 'codex',
    begin: ['exec', '--json', '{args}', '-'],
    resume: ['exec', '--json', '{args}', 'resume', '{session}', '-'],
    prompt: 'stdin',
    idleMs: IDLE_MS,
    output: {
      format: 'jsonl',
      session: [{ when: { type: 'thread.started' }, at: ['thread_id'] }],
      events: [
        { kind: 'reply', when: { type: 'item.completed', 'item.type': 'agent_message' }, at: ['item.text'] },
        { kind: 'failure', when: { type: 'turn.failed' }, at: ['error.message'] },
        { kind: 'trouble', when: { type: 'error' }, at: ['message'] },
      ],
      completes: [{ type: 'turn.completed' }],
    },
  },
  gemini: {
    file: 'gemini',
    begin: ['-p', 'Answer the message that the standard input holds.', '--output-format', 'stream-json', '{args}'],
    resume: [
      '-p',
      'Answer the message that the standard input holds.',
      '--output-format',
      'stream-json',
      '--resume',
      '{session}',
      '{args}',
    ],
    prompt: 'stdin',
    idleMs: IDLE_MS,
    escape: '@',
    output: {
      format: 'jsonl',
      session: [{ when: { type: 'init' }, at: ['session_id'] }],
      events: [
        { kind: 'part', when: { type: 'message', role: 'assistant' }, at: ['content'] },
        { kind: 'divider', when: { type: 'tool_use' }, at: [] },
        { kind: 'failure', when: { type: 'result', status: 'error' }, at: ['error.message'] },
        { kind: 'trouble', when: { type: 'error' }, at: ['message'] },
      ],
      completes: [{ type: 'result', status: 'success' }],
    },
  },
  opencode: {
    file: 'opencode',
    begin: ['run', '--format', 'json', '{args}'],
    resume: ['run', '--format', 'json', '--session', '{session}', '{args}'],
    prompt: 'stdin',
    idleMs: IDLE_MS,
    output: {
      format: 'jsonl',
      session: [{ when: {}, at: ['sessionID'] }],
      events: [
        { kind: 'part', when: { type: 'text' }, at: ['part.text'] },
        { kind: 'divider', when: { type: 'tool_use' }, at: [] },
        { kind: 'failure', when: { type: 'error' }, at: ['error.data.message', 'error.message', 'error.name'] },
      ],
      completes: [],
    },
  },
  aider: {
    file: 'aider',
    begin: [
      '--message-file',
      '{prompt}',
      '--chat-history-file',
      '{history}',
      '--restore-chat-history',
      '--yes-always',
      '--no-pretty',
      '--no-stream',
      '--no-check-update',
      '--no-detect-urls',
      '--no-suggest-shell-commands',
      '{args}',
    ],
    prompt: 'file',
    output: { format: 'text' },
  },
} as const satisfies Readonly<Record<string, Preset>>;

export type PresetName = keyof typeof PRESETS;

export const PRESET_NAMES = Object.keys(PRESETS) as PresetName[];

export function presetOf(name: PresetName): Preset {
  return PRESETS[name];
}
