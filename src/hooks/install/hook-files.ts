import { join } from 'node:path';
import type { HookProgram } from '../programs.ts';

/** Where hooks are written: for one project, or for all projects of this user. */
export type HookScope = 'project' | 'user';

export const HOOK_SCOPES: readonly HookScope[] = ['project', 'user'];

type Environment = Readonly<Record<string, string | undefined>>;

export interface Places {
  /** The root of the project. */
  readonly project: string;
  readonly home: string;
  readonly env: Environment;
}

/** The file of each program, relative to a project: the file that is not committed, if the program has one. */
const IN_PROJECT: Readonly<Record<HookProgram, string>> = {
  claude: '.claude/settings.local.json',
  codex: '.codex/hooks.json',
  gemini: '.gemini/settings.json',
  opencode: '.opencode/plugins/mailroom.js',
  cursor: '.cursor/hooks.json',
  copilot: '.github/hooks/mailroom.json',
};

interface UserFile {
  /** The directory of the program's configuration, below the home directory. */
  readonly directory: string;
  /** The variable that names that directory instead. */
  readonly variable?: string;
  readonly file: string;
}

const OF_USER: Readonly<Record<HookProgram, UserFile>> = {
  claude: { directory: '.claude', variable: 'CLAUDE_CONFIG_DIR', file: 'settings.json' },
  codex: { directory: '.codex', variable: 'CODEX_HOME', file: 'hooks.json' },
  gemini: { directory: '.gemini', file: 'settings.json' },
  opencode: { directory: '.config/opencode', file: 'plugins/mailroom.js' },
  cursor: { directory: '.cursor', file: 'hooks.json' },
  copilot: { directory: '.copilot', variable: 'COPILOT_HOME', file: 'hooks/mailroom.json' },
};

/** The file with a program's hooks. */
export function hookFile(program: HookProgram, scope: HookScope, places: Places): string {
  if (scope === 'project') return join(places.project, IN_PROJECT[program]);
  return join(userDirectory(program, places), OF_USER[program].file);
}

/** The directory of a program's configuration for this user. */
export function userDirectory(program: HookProgram, { home, env }: Omit<Places, 'project'>): string {
  const { directory, variable } = OF_USER[program];
  const named = variable === undefined ? undefined : env[variable];
  if (named) return named;
  const config = env['XDG_CONFIG_HOME'];
  if (program === 'opencode' && config) return join(config, 'opencode');
  // GEMINI_CLI_HOME replaces the home directory, not the directory in it.
  return join((program === 'gemini' && env['GEMINI_CLI_HOME']) || home, directory);
}

/** The files by which a program is recognized in a project. */
const SIGNS: Readonly<Record<HookProgram, readonly string[]>> = {
  claude: ['.claude', 'CLAUDE.md'],
  codex: ['.codex', 'AGENTS.md'],
  gemini: ['.gemini', 'GEMINI.md'],
  opencode: ['.opencode', 'opencode.json', 'opencode.jsonc'],
  cursor: ['.cursor'],
  copilot: ['.github/copilot-instructions.md'],
};

export function signsOf(program: HookProgram): readonly string[] {
  return SIGNS[program];
}
