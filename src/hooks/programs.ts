/** The programs whose hooks call `mailroom hook <program> <event>`. */
export const HOOK_PROGRAMS = ['claude', 'codex', 'gemini', 'opencode', 'cursor', 'copilot'] as const;

export type HookProgram = (typeof HOOK_PROGRAMS)[number];

/**
 * What an event of a program means to Mailroom:
 * - `session-start`: a session starts, resumes, or has lost its context by compaction or clearing;
 * - `prompt`: a person's next prompt goes to the model;
 * - `batch`: all tool calls of one message of the model ended, and the model runs again in this turn;
 * - `tool`: one tool call ended, perhaps one of several of a message, whose hooks run at the same time;
 * - `subagent`: the model starts a subagent, whose hooks cannot be distinguished from its own until the turn ends;
 * - `turn-end`: the model has ended its turn;
 * - `wake`: waits for mail in the background after a turn, and wakes the session;
 * - `session-end`: the session has ended.
 */
export type HookKind = 'session-start' | 'prompt' | 'batch' | 'tool' | 'subagent' | 'turn-end' | 'wake' | 'session-end';

/** The events of each program, by their names in its configuration. */
export const HOOK_EVENTS: Readonly<Record<HookProgram, Readonly<Record<string, HookKind>>>> = {
  claude: {
    SessionStart: 'session-start',
    UserPromptSubmit: 'prompt',
    PostToolBatch: 'batch',
    Stop: 'turn-end',
    wake: 'wake',
    SessionEnd: 'session-end',
  },
  codex: {
    SessionStart: 'session-start',
    UserPromptSubmit: 'prompt',
    PostToolUse: 'tool',
    Stop: 'turn-end',
    wake: 'wake',
    SessionEnd: 'session-end',
  },
  gemini: {
    SessionStart: 'session-start',
    BeforeAgent: 'prompt',
    BeforeTool: 'subagent',
    AfterTool: 'tool',
    AfterAgent: 'turn-end',
    SessionEnd: 'session-end',
  },
  opencode: {
    'session.start': 'session-start',
    'chat.message': 'prompt',
    'tool.execute.after': 'tool',
    'session.idle': 'turn-end',
    wake: 'wake',
    'session.end': 'session-end',
  },
  cursor: { sessionStart: 'session-start', stop: 'turn-end', sessionEnd: 'session-end' },
  copilot: {
    sessionStart: 'session-start',
    userPromptSubmitted: 'prompt',
    postToolUse: 'tool',
    agentStop: 'turn-end',
    sessionEnd: 'session-end',
  },
};

/**
 * Programs whose sessions share one process that outlives them (Codex 0.171 has one daemon for all terminals of a user). A hook
 * there has the environment of the terminal that started the process, which may name another session's address.
 */
export const SHARED_PROCESS: ReadonlySet<HookProgram> = new Set(['codex', 'opencode']);

/** Programs that turn a continuation at the end of a turn into a prompt (Gemini CLI 0.61, opencode 1.18). */
export const PROMPTS_ITSELF: ReadonlySet<HookProgram> = new Set(['gemini', 'opencode']);

/** Programs that count the text of a hook in bytes of UTF-8; others count characters (Codex 0.171: 2,500 tokens of 4 bytes). */
export const COUNTS_BYTES: ReadonlySet<HookProgram> = new Set(['codex']);
