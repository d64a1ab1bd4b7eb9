import { dirname, join } from 'node:path';
import type { HookProgram } from '../programs.ts';
import { readHookCommand } from './hook-command.ts';
import { userDirectory, type Places } from './hook-files.ts';
import { fieldsIn } from '../../host/json-file.ts';

/** Whether a program runs the hooks of a project that nobody has approved in it, and what its files say of the approval. */
export interface Trust {
  readonly isNeeded: boolean;
  /** Undefined where no file tells. */
  readonly isGiven: boolean | undefined;
}

/** A file in which a program keeps what its user trusts; undefined for one that keeps none, or none that is known. */
export function trustFile(program: HookProgram, places: Places): string | undefined {
  switch (program) {
    case 'claude':
      return join(places.env['CLAUDE_CONFIG_DIR'] || places.home, '.claude.json');
    case 'codex':
      return join(userDirectory('codex', places), 'config.toml');
    case 'gemini':
      return join(userDirectory('gemini', places), 'trustedFolders.json');
    default:
      return undefined;
  }
}

/**
 * What the text of a program's trust file says of the file `path` of hooks, whose text is `hooks`. Codex remembers a hash of each hook, which it alone can
 * compute: what it says for certain is that a hook was never trusted.
 */
export function trustIn(
  program: HookProgram,
  text: string | undefined,
  { project, path, hooks }: { project: string; path: string; hooks: string | undefined },
): Trust {
  switch (program) {
    case 'claude':
      return { isNeeded: true, isGiven: text === undefined ? undefined : isClaudeTrusting(text, project) };
    case 'gemini':
      return { isNeeded: true, isGiven: text === undefined ? undefined : isGeminiTrusting(text, project) };
    case 'codex':
      return { isNeeded: true, isGiven: isCodexTrusting(text ?? '', path, hooks ?? '') };
    case 'opencode':
      return { isNeeded: false, isGiven: undefined };
    default:
      return { isNeeded: true, isGiven: undefined };
  }
}

/**
 * config.toml has a heading such as `[hooks.state."/home/x/.codex/hooks.json:session_start:0:0"]` for each hook that was
 * trusted: its file, event, group, and place in that.
 */
function isCodexTrusting(toml: string, path: string, hooks: string): false | undefined {
  const events = fieldsIn(hooks)?.['hooks'];
  const keys = Object.entries(isRecord(events) ? events : {}).flatMap(([event, groups]) =>
    listOf(groups).flatMap((group, at) =>
      listOf(isRecord(group) ? group['hooks'] : undefined).flatMap((one, index) => {
        const isOurs = isRecord(one) && readHookCommand('codex', one['command']);
        return isOurs ? `${path}:${inSnakeCase(event)}:${at}:${index}` : [];
      }),
    ),
  );
  const isNamed = (key: string): boolean =>
    [JSON.stringify(key), `'${key}'`].some((quoted) => toml.includes(`[hooks.state.${quoted}]`));
  return keys.every(isNamed) ? undefined : false;
}

function inSnakeCase(event: string): string {
  return event.replaceAll(/(?<=[a-z])(?=[A-Z])/g, '_').toLowerCase();
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isClaudeTrusting(text: string, project: string): boolean | undefined {
  const projects = fieldsIn(text)?.['projects'];
  if (!isRecord(projects)) return undefined;
  return upwards(project).some((directory) => {
    const facts = projects[directory];
    return isRecord(facts) && facts['hasTrustDialogAccepted'] === true;
  });
}

function isGeminiTrusting(text: string, project: string): boolean | undefined {
  const folders = fieldsIn(text);
  if (!folders) return undefined;
  if (folders[project] === 'DO_NOT_TRUST') return false;
  const above = upwards(project);
  return Object.entries(folders).some(([folder, level]) => {
    if (level === 'TRUST_FOLDER') return above.includes(folder);
    return level === 'TRUST_PARENT' && above.includes(dirname(folder));
  });
}

/** The directory and all above it. */
function upwards(directory: string): string[] {
  const parent = dirname(directory);
  return parent === directory ? [directory] : [directory, ...upwards(parent)];
}
