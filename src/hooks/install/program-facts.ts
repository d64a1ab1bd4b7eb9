import type { HookProgram } from '../programs.ts';

/** Facts about a program that joins by hooks, for people. */
export interface ProgramFacts {
  readonly title: string;
  /** The command that starts it. */
  readonly command: string;
  /** Whether its hooks were tested with the real program; if not, they are written from its documentation. */
  readonly isTried: boolean;
  /** What a person still has to do after its hooks were added. */
  readonly next: string;
  /** What brings mail to an idle session. */
  readonly wakes: string;
}

const RESTART = 'Restart sessions that already run.';
const WAITING = 'nothing by itself: run mailroom inbox --wait 10m in a background shell, or join from a tmux pane';

export const PROGRAM_FACTS: Readonly<Record<HookProgram, ProgramFacts>> = {
  claude: {
    title: 'Claude Code',
    command: 'claude',
    isTried: true,
    next: `Trust the folder when Claude Code asks. ${RESTART}`,
    wakes: 'its hook: a message wakes the idle session',
  },
  codex: {
    title: 'Codex',
    command: 'codex',
    isTried: true,
    next: `Trust each of its hooks once: Codex asks when it starts, and /hooks lists them. Until then Codex runs none of them. ${RESTART}`,
    wakes: 'its own command: a message has codex queue a prompt for the idle session',
  },
  gemini: {
    title: 'Gemini CLI',
    command: 'gemini',
    isTried: true,
    next: `Trust the folder when Gemini CLI asks. ${RESTART}`,
    wakes: WAITING,
  },
  opencode: {
    title: 'opencode',
    command: 'opencode',
    isTried: true,
    next: RESTART,
    wakes: 'its plugin: a message prompts the idle session',
  },
  cursor: { title: 'Cursor', command: 'cursor-agent', isTried: false, next: RESTART, wakes: WAITING },
  copilot: { title: 'Copilot CLI', command: 'copilot', isTried: false, next: RESTART, wakes: WAITING },
};
