import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { missingOf, PRESET_NAMES, type PresetName, presetOf } from 'agent-mailroom/agents';
import { childEnvironment } from 'agent-mailroom/workflow';
import { shellWord } from '../shared/shell-word.ts';
import { type AgentOption, NotStarted } from './options.ts';

/**
 * The words of `mailroom agent` for what stands behind an agent's name: a preset with words of its own, or a command. A
 * command's program may be a path from here. It runs in `directory`, that of the run, which the user trusts by naming the
 * repository of which everything in there is a copy. Throws NotStarted when the program is not on this machine, as far as
 * that can be known.
 */
export function thinkerWords({ address, by }: AgentOption, directory: string): string[] {
  const words = shellWordsOf(by);
  if (!words) throw new NotStarted(`--agents: ${address}: a quote in ${JSON.stringify(by)} is not closed.`);
  const [first = '', ...rest] = words;
  if (!isPreset(first)) return ['--exec', commandOf(by, { address, first })];
  if (!isProgram(first))
    throw new NotStarted(
      `--agents: ${address}=${first}: there is no program ${first} on the PATH. Install it, or give a command.`,
    );
  const trust = presetOf(first).trust === undefined ? [] : ['--trust-directory', directory];
  return ['--preset', first, ...trust, ...(rest.length === 0 ? [] : ['--', ...rest])];
}

/** The options without which what thinks for an agent may not edit a file; none where that is not known. */
export function missingEdits(by: string): readonly string[] {
  const [first = '', ...rest] = shellWordsOf(by) ?? [];
  const edits = isPreset(first) ? presetOf(first).edits : undefined;
  return edits === undefined ? [] : missingOf(edits, rest);
}

function isPreset(word: string): word is PresetName {
  return PRESET_NAMES.some((name) => name === word);
}

/** The command with its program's path made absolute: it runs in the directory of the run. */
function commandOf(by: string, { address, first }: { address: string; first: string }): string {
  const line = by.trim();
  // A word that the shell makes something of, such as `VAR=1` or `$HOME/agent`, or one in quotes, is left to it.
  if (!/^[\w@%+:,./-]+$/.test(first) || !line.startsWith(first)) return line;
  const program = first.includes('/') ? path.resolve(first) : first;
  if (!isProgram(program))
    throw new NotStarted(
      `--agents: ${address}: there is no program ${program}${first.includes('/') ? ' that may be run' : ' on the PATH'}. Expected one of ${PRESET_NAMES.join(', ')}, or a command.`,
    );
  return first.includes('/') ? `${shellWord(program)}${line.slice(first.length)}` : line;
}

/** Whether the shell finds it: a program, or a word of its own. */
function isProgram(name: string): boolean {
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
 * The words of a line as a shell would divide it: at spaces, with quotes and backslashes, and nothing else. Undefined when
 * a quote is not closed.
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
