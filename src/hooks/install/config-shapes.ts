import { HOOK_EVENTS, type HookProgram } from '../programs.ts';
import type { JsonDialect } from './json-text.ts';

/** The programs whose hooks stand in a file of JSON. */
export type ConfiguredProgram = Exclude<HookProgram, 'opencode'>;

/** How the configuration of one program is written. A fact that turns out otherwise is one line here. */
export interface ConfigShape {
  readonly dialect: JsonDialect;
  /** Properties that the file needs beside `hooks`. */
  readonly constants: Readonly<Record<string, unknown>>;
  /** Whether the commands of an event stand in groups, `{ "matcher"?, "hooks": [command …] }`, or by themselves. */
  readonly isGrouped: boolean;
  /** The name of the property that has the line of shell. */
  readonly commandKey: 'command' | 'bash';
  /** Around the command of each event that may be in `HOOK_EVENTS`; `under` is the event that it is configured as, if that is another. */
  readonly events: Readonly<Record<string, EventShape>>;
}

interface EventShape {
  readonly under?: string;
  readonly matcher?: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

const STRICT: JsonDialect = { comments: false, trailingCommas: false };
const COMMENTED: JsonDialect = { comments: true, trailingCommas: false };
/** For programs whose reader nobody has tried: what is there is kept, whatever it is. */
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

/** A value that stands as an element of the array at this path of properties. */
export interface Entry {
  readonly path: readonly string[];
  readonly value: unknown;
}

/** The entries of a program's hooks, in the order in which its session meets them. */
export function hookEntries(program: ConfiguredProgram, commandOf: (event: string) => string): Entry[] {
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
