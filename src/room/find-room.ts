import { dirname, join, resolve } from 'node:path';
import { RoomNotFound, RoomRefused } from '../errors.ts';
import { errnoOf } from '../host/file-system.ts';
import { readText } from '../host/files.ts';
import type { Host } from '../host/host.ts';
import { ROOM_DIRECTORY, roomLayout } from '../message/layout.ts';
import { quote } from '../message/shell-word.ts';

const LEVELS_MAX = 100;
const WORKTREE_LINK = /^gitdir: (.+)[/\\]\.git[/\\]worktrees[/\\][^/\\]+\s*$/;

/**
 * The directory of the room: the one named (itself, or the one with a `.mailroom` in it), else found walking up from
 * `cwd`, else walking up from the main checkout when `cwd` is in a git worktree. Throws `RoomNotFound`; throws
 * `RoomRefused` for a room that belongs to another user.
 */
export function findRoom(host: Host, { named, cwd }: { named?: string | undefined; cwd: string }): string {
  const found = named === undefined ? findUpwards(host, cwd) : findNamed(host, resolve(cwd, named));
  const owner = host.files.lstat(roomLayout(found).config)?.uid;
  const self = host.processes.userId();
  if (owner !== undefined && self !== undefined && owner !== self) throw notYours(host, found, owner);
  return found;
}

function notYours({ processes }: Host, room: string, owner: number): RoomRefused {
  const text = `The room ${room} belongs to another user (uid ${owner}, you are ${processes.userId()}).`;
  return new RoomRefused(text, { hint: 'Make a room of your own with: mailroom init' });
}

function findNamed(host: Host, named: string): string {
  for (const candidate of [named, join(named, ROOM_DIRECTORY)]) {
    if (isRoom(host, candidate)) return candidate;
  }
  throw new RoomNotFound(`There is no room at ${named}: it has no room.json.`, {
    hint: `Make one with: mailroom init --room ${quote(named)}`,
  });
}

function findUpwards(host: Host, cwd: string): string {
  const start = resolve(cwd);
  const found = searchUp(host, start) ?? searchMainCheckout(host, start);
  if (found) return found;
  throw new RoomNotFound(`There is no room here: no ${ROOM_DIRECTORY} in ${start} or above it.`, {
    hint: 'Make one in this directory with: mailroom init',
  });
}

function searchUp(host: Host, start: string): string | undefined {
  let directory = start;
  for (let level = 0; level < LEVELS_MAX; level++) {
    const candidate = join(directory, ROOM_DIRECTORY);
    if (isRoom(host, candidate)) return candidate;
    const parent = dirname(directory);
    if (parent === directory) return undefined;
    directory = parent;
  }
  return undefined;
}

/** In a git worktree `.git` is a file that names the main checkout (gitrepository-layout(5)). */
function searchMainCheckout(host: Host, start: string): string | undefined {
  let directory = start;
  for (let level = 0; level < LEVELS_MAX; level++) {
    const git = join(directory, '.git');
    const facts = host.files.lstat(git);
    if (facts) {
      const main = facts.kind === 'file' ? WORKTREE_LINK.exec(readText(host.files, git) ?? '')?.[1] : undefined;
      return main === undefined ? undefined : searchUp(host, resolve(directory, main));
    }
    const parent = dirname(directory);
    if (parent === directory) return undefined;
    directory = parent;
  }
  return undefined;
}

function isRoom(host: Host, directory: string): boolean {
  try {
    return host.files.lstat(roomLayout(directory).config)?.kind === 'file';
  } catch (error) {
    // A room that may not even be looked into is somebody's: to go past it would be to use another one silently.
    const owner = errnoOf(error) === 'EACCES' ? host.files.lstat(directory)?.uid : undefined;
    if (owner === undefined) throw error;
    throw notYours(host, directory, owner);
  }
}
