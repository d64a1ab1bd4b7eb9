import { dirname, join } from 'node:path';
import type { HookProgram } from '../programs.ts';
import { readHookCommand } from './hook-command.ts';
import { userDirectory, type Places } from './hook-files.ts';
import { fieldsIn } from '../../host/json-file.ts';

/** Whether a program needs a person's approval to run a project's hooks, and whether its files show that approval. */
export interface Trust {
  readonly isNeeded: boolean;
  /** Undefined if no file shows it. */
  readonly isGiven: boolean | undefined;
}

/** The file in which a program records what its user trusts; undefined if there is none, or none is known. */
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
 * What a program's trust file, with this text, says about the hook file at `path`, whose text is `hooks`. Codex records a hash
 * of each hook, which only Codex can compute, so the file shows for certain only that a hook was never trusted.
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
 * config.toml has a heading such as `[hooks.state."/home/x/.codex/hooks.json:session_start:0:0"]` for each trusted hook: its
 * file, event, group, and index in the group.
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

/** The directory and all its parents. */
function upwards(directory: string): string[] {
  const parent = dirname(directory);
  return parent === directory ? [directory] : [directory, ...upwards(parent)];
}
