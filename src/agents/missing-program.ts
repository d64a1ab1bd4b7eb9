import { resolve } from 'node:path';
import type { Host } from '../host/host.ts';
import type { AgentSettings } from './agent-command.ts';
import { presetOf } from './presets.ts';

const LOOK_MS_MAX = 5_000;
/** A word that a shell takes as it is: no variable, no quote, no redirection. */
const PLAIN_WORD = /^\s*([\w@%+:,./-]+)(?=\s|$)/;

/**
 * The program that a command begins with, when there is none of that name; undefined when there is, or only a shell can tell.
 * Whatever the shell would find counts: a file in PATH, and a word of its own.
 */
export async function missingProgram(
  host: Host,
  { command, cwd }: Pick<AgentSettings, 'command' | 'cwd'>,
): Promise<string | undefined> {
  const name = command.kind === 'preset' ? presetOf(command.preset).file : PLAIN_WORD.exec(command.line)?.[1];
  if (name === undefined) return undefined;
  const program = name.includes('/') ? resolve(cwd, name) : name;
  const look = ['-c', 'command -v -- "$1" >/dev/null || exit 99', 'sh', program];
  const { exitCode } = await host.processes.run('sh', look, { timeoutMs: LOOK_MS_MAX });
  return exitCode === 99 ? program : undefined;
}
