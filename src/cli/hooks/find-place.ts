import { dirname, join } from 'node:path';
import { InvalidInput, isMailroomError } from '../../errors.ts';
import { findProgram } from '../../host/find-program.ts';
import type { Host } from '../../host/host.ts';
import { type HookScope, type Places, signsOf } from '../../hooks/install/hook-files.ts';
import { PROGRAM_FACTS } from '../../hooks/install/program-facts.ts';
import { HOOK_PROGRAMS, type HookProgram } from '../../hooks/programs.ts';
import { ROOM_DIRECTORY, roomLayout } from '../../message/layout.ts';
import { findRoom } from '../../room/find-room.ts';
import { elsewhereOf } from '../../room/git-worktree.ts';
import { textOption } from '../arguments.ts';
import type { Call } from '../command.ts';

const LEVELS_MAX = 100;

/** Where the hooks of this command line belong. */
export interface HookLocation {
  readonly scope: HookScope;
  readonly places: Places;
  /** Neither --user nor --project was given. */
  readonly isDefault: boolean;
}

/**
 * The given scope; by default the project, if the command runs in one: its root is the nearest directory, here or above,
 * that is a git checkout or has a room. Throws `InvalidInput` for both scopes at once, and if HOME is not set.
 */
export function placeOf({ args, cwd, env, host }: Call): HookLocation {
  const [isUser, isProject] = [args.options.has('user'), args.options.has('project')];
  if (isUser && isProject)
    throw new InvalidInput('--user and --project exclude each other.', { hint: 'Give one of them.' });
  const home = env['HOME'];
  if (!home) throw new InvalidInput('HOME is not set, so the settings of programs cannot be found.');
  const root = projectRoot(host, cwd);
  const scope = isUser || (!isProject && root === undefined) ? 'user' : 'project';
  return { scope, places: { project: root ?? cwd, home, env }, isDefault: !isUser && !isProject };
}

/**
 * The main checkout, if the program reads hooks there instead of in the linked worktree that is the project: Codex 0.171
 * does so if the worktree has a .codex of its own. Undefined for other programs, and in a worktree of a bare repository,
 * which has no main checkout.
 */
export function readInstead(host: Host, program: HookProgram, { scope, places }: HookLocation): string | undefined {
  if (program !== 'codex' || scope !== 'project') return undefined;
  const elsewhere = elsewhereOf(host, places.project);
  return elsewhere?.siblings.length === 0 ? elsewhere.main : undefined;
}

function projectRoot({ files }: Host, cwd: string): string | undefined {
  let directory = cwd;
  for (let level = 0; level < LEVELS_MAX; level++) {
    if (files.lstat(join(directory, '.git')) || files.lstat(roomLayout(join(directory, ROOM_DIRECTORY)).config)) {
      return directory;
    }
    const parent = dirname(directory);
    if (parent === directory) return undefined;
    directory = parent;
  }
  return undefined;
}

/** The directory of the room that a session here would find; undefined if there is none. Throws for a room that is refused. */
export function roomHere({ args, cwd, env, host }: Call): string | undefined {
  try {
    return findRoom(host, { named: textOption(args, 'room') ?? (env['MAILROOM_DIR'] || undefined), cwd });
  } catch (error) {
    if (isMailroomError(error) && error.code === 'ROOM_NOT_FOUND') return undefined;
    throw error;
  }
}

/** The programs that have files in the project, or that a shell here finds. */
export function programsHere(
  { files }: Pick<Host, 'files'>,
  { project, cwd, env }: { project: string; cwd: string; env: Readonly<Record<string, string | undefined>> },
): HookProgram[] {
  return HOOK_PROGRAMS.filter(
    (program) =>
      signsOf(program).some((sign) => files.lstat(join(project, sign))) ||
      findProgram(PROGRAM_FACTS[program].command, { path: env['PATH'] ?? '', cwd }) !== undefined,
  );
}
