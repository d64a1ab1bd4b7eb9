import { relative } from 'node:path';
import { isMailroomError } from '../../errors.ts';
import type { Calling } from '../../hooks/install/hook-command.ts';
import { HOOK_SCOPES, hookFile } from '../../hooks/install/hook-files.ts';
import { type HookChange, lookAtHooks } from '../../hooks/install/install-hooks.ts';
import { PROGRAM_FACTS } from '../../hooks/install/program-facts.ts';
import { sandboxGap, type SandboxGap } from '../../hooks/install/sandbox.ts';
import type { HookProgram } from '../../hooks/programs.ts';
import { quote } from '../../host/shell-word.ts';
import type { Call } from '../command.ts';
import { type HookLocation, readInstead } from './find-place.ts';

/** One program whose hooks are added or removed. */
export interface Target extends HookCalling {
  readonly program: HookProgram;
  readonly path: string;
  /** The room that its sandbox needs to write to. */
  readonly room: string | undefined;
  readonly isRoomWritable: boolean;
}

export interface TargetChange {
  readonly target: Target;
  readonly change: HookChange;
}

/** Says once for all programs where their hooks were put, if the scope was not given. */
export function scopeAdvice({ scope, places, isDefault }: HookLocation): string {
  if (!isDefault) return '';
  return scope === 'project'
    ? `For this project, ${places.project}. For all your projects, give --user instead.\n`
    : 'For all your projects, because there is no git checkout and no room here. For this directory, give --project.\n';
}

/** What a person still has to do or know after the hooks of a program were added, one line per item. */
export function adviceOnAdded(call: Call, place: HookLocation, { target, change }: TargetChange): string {
  const { program, path, calling, isShared, room, isRoomWritable } = target;
  const { title, isTried, next } = PROGRAM_FACTS[program];
  const lines: string[] = [];
  if (!isTried) lines.push('untried: written from its documentation, never tested.');
  if (change.state !== 'unchanged') lines.push(next);
  const main = readInstead(call.host, program, place);
  if (main !== undefined) {
    lines.push(
      `it does not run these hooks, because for a linked worktree it reads hooks from ${main}. Hooks for all your projects do run: mailroom hooks add codex --user`,
    );
  }
  if (isShared) {
    const file = relative(place.places.project, path);
    const exclude = `echo ${quote(`/${file}`)} >> "$(git rev-parse --git-path info/exclude)"`;
    lines.push(`git does not ignore ${file}, so it may be committed. To keep it to yourself: ${exclude}`);
  }
  if (isShared && !isFoundByName(call)) {
    lines.push('its hooks call the command "mailroom", which this shell does not find. Install Mailroom globally.');
  }
  if (calling.own?.program.includes('/_npx/') === true) {
    lines.push(`the hooks call a copy in the npx cache, which may disappear. Install Mailroom globally.`);
  }
  const twice = otherFile(call, place, program);
  if (twice) lines.push(`${twice.path} has hooks too, and both run: mailroom hooks remove ${program} --${twice.scope}`);
  const gap = sandboxGap(program, room, { places: place.places, path });
  if (gap && !isRoomWritable) lines.push(gapText(program, gap, call.args.options.has('sandbox-access')));
  return lines.map((line) => `${title}: ${line}\n`).join('');
}

/** Where the program still has hooks, after those of one place were removed. */
export function adviceOnRemoved(call: Call, place: HookLocation, { target: { program } }: TargetChange): string {
  const other = otherFile(call, place, program);
  if (!other) return '';
  const { title } = PROGRAM_FACTS[program];
  return `${title}: ${other.path} has hooks too: mailroom hooks remove ${program} --${other.scope}\n`;
}

/** The file of the other scope, if it has Mailroom's hooks. */
function otherFile({ host }: Call, { scope, places }: HookLocation, program: HookProgram) {
  const other = HOOK_SCOPES.find((one) => one !== scope);
  if (!other) return undefined;
  const path = hookFile(program, other, places);
  if (path === hookFile(program, scope, places)) return undefined;
  try {
    return lookAtHooks(host, { program, path }, {}).state === 'no' ? undefined : { scope: other, path };
  } catch (error) {
    // A file that cannot be read has no hooks that the program would run.
    if (isMailroomError(error)) return undefined;
    throw error;
  }
}

/** What a program's sandbox prevents, and the setting that allows it. */
export function gapText(
  program: HookProgram,
  { room, setting, file, lines, isWritten }: SandboxGap,
  isAsked: boolean,
): string {
  const what = `the room ${room} is outside the project, so commands in its sandbox cannot write there.`;
  if (isWritten) return `${what} To let them (${setting}): mailroom hooks add ${program} --sandbox-access`;
  const how = `${isAsked ? `add to ${file}` : `To let them, add to ${file}`} (if it has that table already, add the path to it):`;
  return `${what} ${how}\n${lines.replaceAll(/^/gm, '  ')}`;
}

const GIT_MS_MAX = 5_000;

export interface HookCalling {
  readonly calling: Calling;
  /** The file is in a git checkout that does not ignore it, so others may get it. */
  readonly isShared: boolean;
}

/**
 * How the hooks of a file call this command: by its name, unless a shell here does not find it, or finds another program by
 * that name. A file that others may get always has the name, because paths of this machine mean nothing to them.
 */
export async function callingFor(
  call: Call,
  { scope, places }: HookLocation,
  { program, as }: { program: HookProgram; as: string | undefined },
): Promise<HookCalling> {
  const path = hookFile(program, scope, places);
  const isShared = scope === 'project' && (await isShareable(call, places.project, path));
  const own = isShared || isFoundByName(call) ? undefined : { node: process.execPath, program: call.program };
  return { calling: { own, as }, isShared };
}

/** Whether a shell here finds this same program by the name `mailroom`. */
function isFoundByName({ pasteable }: Call): boolean {
  return pasteable('mailroom help') === 'mailroom help';
}

/** Whether git does not ignore the file. False also without git, or outside a checkout. */
async function isShareable({ host }: Call, project: string, path: string): Promise<boolean> {
  const words = ['-C', project, 'check-ignore', '--quiet', '--', relative(project, path)];
  const { exitCode } = await host.processes.run('git', words, { timeoutMs: GIT_MS_MAX });
  return exitCode === 1;
}
