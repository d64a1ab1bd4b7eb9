import { HOOK_EVENTS, type HookProgram } from '../programs.ts';
import type { JsonDialect } from './json-text.ts';

/** The programs whose hooks are configured in a JSON file. */
export type ConfiguredProgram = Exclude<HookProgram, 'opencode'>;

/** The format of one program's configuration. A fact that turns out wrong is corrected in one line here. */
export interface ConfigShape {
  readonly dialect: JsonDialect;
  /** Properties that the file needs besides `hooks`. */
  readonly constants: Readonly<Record<string, unknown>>;
  /** Whether the commands of an event are in groups, `{ "matcher"?, "hooks": [command …] }`, or directly in the array. */
  readonly isGrouped: boolean;
  /** The property that holds the shell command. */
  readonly commandKey: 'command' | 'bash';
  /** What surrounds the command of each event of `HOOK_EVENTS`; `under` is the event under which it is configured, if another. */
  readonly events: Readonly<Record<string, EventShape>>;
}

interface EventShape {
  readonly under?: string;
  readonly matcher?: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

const STRICT: JsonDialect = { comments: false, trailingCommas: false };
const COMMENTED: JsonDialect = { comments: true, trailingCommas: false };
/** For programs whose parser is untested: everything that is there is kept. */
const LENIENT: JsonDialect = { comments: true, trailingCommas: true };

const DAY_S = 86_400;

export const CONFIG_SHAPES: Readonly<Record<ConfiguredProgram, ConfigShape>> = {
  // code.claude.com/docs/en/hooks; timeouts in seconds.
  claude: {
    dialect: STRICT,
    constants: {},
    isGrouped: true,
    commandKey: 'command',
    events: {
      SessionStart: { fields: { timeout: 10 } },
      UserPromptSubmit: { fields: { timeout: 5 } },
      PostToolUse: { matcher: '*', fields: { timeout: 5 } },
      PostToolBatch: { fields: { timeout: 5 } },
      Stop: { fields: { timeout: 5 } },
      wake: { under: 'Stop', fields: { asyncRewake: true, timeout: DAY_S } },
      SessionEnd: { fields: { timeout: 1 } },
    },
  },
  // developers.openai.com/codex/hooks; timeouts in seconds. No matcher: every start, every tool.
  codex: {
    dialect: STRICT,
    constants: {},
    isGrouped: true,
    commandKey: 'command',
    events: {
      SessionStart: { fields: { timeout: 10 } },
      UserPromptSubmit: { fields: { timeout: 5 } },
      PostToolUse: { fields: { timeout: 5 } },
      Stop: { fields: { timeout: 5 } },
      SessionEnd: { fields: { timeout: 1 } },
    },
  },
  // google-gemini/gemini-cli docs/hooks/reference.md; timeouts in milliseconds.
  gemini: {
    dialect: COMMENTED,
    constants: {},
    isGrouped: true,
    commandKey: 'command',
    events: {
      SessionStart: { fields: { name: 'mailroom', timeout: 10_000 } },
      BeforeAgent: { fields: { name: 'mailroom', timeout: 5_000 } },
      BeforeTool: { matcher: 'invoke_agent', fields: { name: 'mailroom', timeout: 5_000 } },
      AfterTool: { matcher: '*', fields: { name: 'mailroom', timeout: 5_000 } },
      AfterAgent: { fields: { name: 'mailroom', timeout: 5_000 } },
      SessionEnd: { fields: { name: 'mailroom', timeout: 1_000 } },
    },
  },
  // cursor.com/docs/hooks; untried.
  cursor: {
    dialect: LENIENT,
    constants: { version: 1 },
    isGrouped: false,
    commandKey: 'command',
    events: {
      sessionStart: { fields: {} },
      stop: { fields: { loop_limit: 10 } },
      sessionEnd: { fields: {} },
    },
  },
  // docs.github.com: hooks reference of Copilot CLI; timeouts in seconds; untried.
  copilot: {
    dialect: LENIENT,
    constants: { version: 1 },
    isGrouped: false,
    commandKey: 'bash',
    events: {
      sessionStart: { fields: { timeoutSec: 10 } },
      userPromptSubmitted: { fields: { timeoutSec: 5 } },
      postToolUse: { fields: { timeoutSec: 5 } },
      agentStop: { fields: { timeoutSec: 5 } },
      sessionEnd: { fields: { timeoutSec: 1 } },
    },
  },
};

/** A value, as an element of the array at this path of properties. */
export interface ConfigEntry {
  readonly path: readonly string[];
  readonly value: unknown;
}

/** The entries of a program's hooks, in the order of the events in a session. */
export function hookEntries(program: ConfiguredProgram, commandOf: (event: string) => string): ConfigEntry[] {
  const { events, isGrouped, commandKey } = CONFIG_SHAPES[program];
  const entries = new Map<string, { matcher: string | undefined; commands: unknown[] }>();
  for (const event of Object.keys(HOOK_EVENTS[program])) {
    const shape = events[event];
    if (!shape) continue;
    const type = program === 'cursor' ? {} : { type: 'command' };
    const command = { ...type, [commandKey]: commandOf(event), ...shape.fields };
    const under = shape.under ?? event;
    const entry = entries.get(under) ?? { matcher: shape.matcher, commands: [] };
    entries.set(under, { ...entry, commands: [...entry.commands, command] });
  }
  return [...entries].flatMap(([event, { matcher, commands }]) => {
    const path = ['hooks', event];
    if (!isGrouped) return commands.map((value) => ({ path, value }));
    return [{ path, value: { ...(matcher === undefined ? {} : { matcher }), hooks: commands } }];
  });
}
