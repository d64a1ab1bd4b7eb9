import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { missingOf, PRESET_NAMES, type PresetName, presetOf } from 'agent-mailroom/agents';
import { childEnvironment } from 'agent-mailroom/workflow';
import { minutesText } from '../shared/duration.ts';
import { shellWord } from '../shared/shell-word.ts';
import { type AgentOption, NotStarted } from './options.ts';
import type { AgentLimits } from './run-directory.ts';

/**
 * The arguments of `mailroom agent` for the value of an `--agents` entry: a preset with arguments of its own, or a command. The
 * program of a command may be a path relative to the current directory. It runs in `directory`, that of the run, which the
 * user trusts by naming the repository of which everything in there is a copy. Throws NotStarted if the program is not on this
 * machine, as far as that can be known.
 */
export function thinkerWords(
  { address, by }: AgentOption,
  directory: string,
  limits: AgentLimits = { agentMinutes: null, tries: null },
): string[] {
  const words = shellWordsOf(by);
  if (!words) throw new NotStarted(`--agents: ${address}: a quote in ${JSON.stringify(by)} is not closed.`);
  const [first = '', ...rest] = words;
  const own = [
    ...(limits.agentMinutes === null ? [] : ['--timeout', minutesText(limits.agentMinutes)]),
    ...(limits.tries === null ? [] : ['--tries', String(limits.tries)]),
  ];
  if (!isPreset(first)) return ['--exec', commandOf(by, { address, first }), ...own];
  if (!isProgram(first))
    throw new NotStarted(
      `--agents: ${address}=${first}: there is no program ${first} on the PATH. Install it, or give a command.`,
    );
  const trust = presetOf(first).trust === undefined ? [] : ['--trust-directory', directory];
  return ['--preset', first, ...trust, ...own, ...(rest.length === 0 ? [] : ['--', ...rest])];
}

/** The options that an agent's program lacks in order to edit files; none if that is not known. */
export function missingEdits(by: string): readonly string[] {
  const [first = '', ...rest] = shellWordsOf(by) ?? [];
  const edits = isPreset(first) ? presetOf(first).edits : undefined;
  return edits === undefined ? [] : missingOf(edits, rest);
}

function isPreset(word: string): word is PresetName {
  return PRESET_NAMES.some((name) => name === word);
}

/** The command with the path of its program made absolute, because it runs in the directory of the run. */
function commandOf(by: string, { address, first }: { address: string; first: string }): string {
  const line = by.trim();
  // A first word that the shell interprets, such as `VAR=1`, `$HOME/agent` or a quoted one, is left to the shell.
  if (!/^[\w@%+:,./-]+$/.test(first) || !line.startsWith(first)) return line;
  const program = first.includes('/') ? path.resolve(first) : first;
  if (!isProgram(program))
    throw new NotStarted(
      `--agents: ${address}: there is no program ${program}${first.includes('/') ? ' that can be executed' : ' on the PATH'}. Expected one of ${PRESET_NAMES.join(', ')}, or a command.`,
    );
  return first.includes('/') ? `${shellWord(program)}${line.slice(first.length)}` : line;
}

/** Whether the shell finds it: a program, or a builtin. */
export function isProgram(name: string): boolean {
  try {
    execFileSync('sh', ['-c', 'command -v -- "$1"', 'sh', name], {
      env: childEnvironment(),
      stdio: 'ignore',
    });
    return true;
  } catch {
    return false;
  }
}

/**
 * The words of a line as a shell splits it: at spaces, with quotes and backslashes, and nothing else. Undefined if a quote is
 * not closed.
 */
export function shellWordsOf(line: string): string[] | undefined {
  const words: string[] = [];
  const TOKEN = /\s+|'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)|([^\s'"\\]+)|(.)/gsu;
  let word: string | undefined;
  for (const [token, single, double, escaped, plain, unclosed] of line.matchAll(TOKEN)) {
    if (unclosed !== undefined) return undefined;
    const part = single ?? double?.replaceAll(/\\([\\"$`])/g, '$1') ?? escaped ?? plain;
    if (part === undefined) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? '') + part;
    if (token === '') return undefined;
  }
  if (word !== undefined) words.push(word);
  return words;
}
