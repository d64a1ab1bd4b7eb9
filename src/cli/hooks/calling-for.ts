import { relative } from 'node:path';
import type { Calling } from '../../hooks/install/hook-command.ts';
import { hookFile } from '../../hooks/install/hook-files.ts';
import type { HookProgram } from '../../hooks/programs.ts';
import type { Call } from '../command.ts';
import type { Place } from './find-place.ts';

const GIT_MS_MAX = 5_000;

export interface HookCalling {
  readonly calling: Calling;
  /** The file is in a git checkout that does not ignore it, so that others may get it. */
  readonly isShared: boolean;
}

/**
 * How the hooks of a file call this command: by its name, unless a shell here finds none or another one by that. A file that
 * others may get has the name all the same: the paths of this machine say nothing to them.
 */
export async function callingFor(
  call: Call,
  { scope, places }: Place,
  { program, as }: { program: HookProgram; as: string | undefined },
): Promise<HookCalling> {
  const path = hookFile(program, scope, places);
  const isShared = scope === 'project' && (await isShareable(call, places.project, path));
  const own = isShared || isFoundByName(call) ? undefined : { node: process.execPath, program: call.program };
  return { calling: { own, as }, isShared };
}

/** Whether a shell here finds this very command as `mailroom`. */
export function isFoundByName({ pasteable }: Call): boolean {
  return pasteable('mailroom help') === 'mailroom help';
}

/** False also where there is no git, or no checkout of it. */
async function isShareable({ host }: Call, project: string, path: string): Promise<boolean> {
  const words = ['-C', project, 'check-ignore', '--quiet', '--', relative(project, path)];
  const { exitCode } = await host.processes.run('git', words, { timeoutMs: GIT_MS_MAX });
  return exitCode === 1;
}
