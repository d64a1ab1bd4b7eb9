import { join, relative } from 'node:path';
import type { HookProgram } from '../programs.ts';
import { CLAUDE_WRITABLE } from './config-text.ts';
import { userDirectory, type Places } from './hook-files.ts';

/** A room that commands in a program's sandbox cannot write to, and the setting that would allow it. */
export interface SandboxGap {
  readonly room: string;
  /** The program's name of the setting. */
  readonly setting: string;
  /** The file with the setting. */
  readonly file: string;
  /** What to write there. */
  readonly lines: string;
  /** Whether `hooks add --sandbox-access` writes it. */
  readonly isWritten: boolean;
}

/**
 * The gap of a program whose sandbox may write only below its working directory, if the room is elsewhere, as in a linked
 * worktree of git. Undefined if there is no gap, or no sandbox of the program is known.
 */
export function sandboxGap(
  program: HookProgram,
  room: string | undefined,
  { places, path }: { places: Places; path: string },
): SandboxGap | undefined {
  if (room === undefined || isBelow(room, places.project)) return undefined;
  if (program === 'claude') {
    const lines = JSON.stringify(CLAUDE_WRITABLE.reduceRight<unknown>((inner, key) => ({ [key]: inner }), [room]));
    return { room, setting: CLAUDE_WRITABLE.join('.'), file: path, lines, isWritten: true };
  }
  if (program !== 'codex') return undefined;
  return {
    room,
    setting: 'sandbox_workspace_write.writable_roots',
    file: join(userDirectory('codex', places), 'config.toml'),
    lines: `[sandbox_workspace_write]\nwritable_roots = [${JSON.stringify(room)}]`,
    isWritten: false,
  };
}

/** Whether the setting names the room; `text` is the content of the gap's file. */
export function isGapClosed({ room, isWritten }: SandboxGap, text: string | undefined): boolean {
  if (text === undefined) return false;
  const list = (isWritten ? /"allowWrite"\s*:\s*\[([^\]]*)\]/ : /^\s*writable_roots\s*=\s*\[([^\]]*)\]/m).exec(
    text,
  )?.[1];
  return list?.includes(JSON.stringify(room)) === true || list?.includes(`'${room}'`) === true;
}

function isBelow(path: string, directory: string): boolean {
  const way = relative(directory, path);
  return way !== '' && way !== '..' && !way.startsWith('../');
}
