import { dirname, join, resolve } from 'node:path';
import { RoomNotFound, RoomRefused } from '../errors.ts';
import { errnoOf } from '../host/file-system.ts';
import type { Host } from '../host/host.ts';
import { namesIn } from '../host/files.ts';
import { ROOM_DIRECTORY, roomLayout } from '../message/layout.ts';
import { quote } from '../host/shell-word.ts';
import { elsewhereOf } from './git-worktree.ts';

const LEVELS_MAX = 100;

/**
 * Finds the directory of the room. If `named` is given: that directory, or the `.mailroom` in it. Otherwise the search
 * walks up from `cwd`; then, if `cwd` is in a git worktree, it walks up from the main checkout, or looks in the
 * worktrees of the same bare repository. Throws `RoomNotFound`, and `RoomRefused` for a room that belongs to another
 * user or has lost its room.json.
 */
export function findRoom(host: Host, { named, cwd }: { named?: string | undefined; cwd: string }): string {
  const found = named === undefined ? findUpwards(host, cwd) : findNamed(host, resolve(cwd, named));
  assertOwn(host, found, 'Make a room of your own with: mailroom init');
  return found;
}

/** Throws `RoomRefused`, with this hint, for a room that belongs to another user. */
export function assertOwn(host: Host, directory: string, hint: string): void {
  const owner = host.files.lstat(roomLayout(directory).config)?.uid;
  const self = host.processes.userId();
  if (owner !== undefined && self !== undefined && owner !== self) throw notYours(host, directory, { owner, hint });
}

function notYours({ processes }: Host, room: string, { owner, hint }: { owner: number; hint: string }): RoomRefused {
  const text = `The room ${room} belongs to another user (uid ${owner}, you are ${processes.userId()}).`;
  return new RoomRefused(text, { hint });
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
  const found = searchUp(host, start) ?? searchElsewhere(host, start);
  if (found) return found;
  throw new RoomNotFound(`There is no room here: no ${ROOM_DIRECTORY} in ${start} or above it.`, {
    hint: 'Make one in this directory with: mailroom init',
  });
}

function searchUp(host: Host, start: string): string | undefined {
  for (const directory of upwards(start)) {
    const candidate = join(directory, ROOM_DIRECTORY);
    if (isRoom(host, candidate)) return candidate;
  }
  return undefined;
}

/** In a git worktree the room may be where the repository is, or in another worktree of it. */
function searchElsewhere(host: Host, start: string): string | undefined {
  const checkout = [...upwards(start)].find((directory) => host.files.lstat(join(directory, '.git')));
  const elsewhere = checkout === undefined ? undefined : elsewhereOf(host, checkout);
  if (!elsewhere) return undefined;
  const rooms = elsewhere.siblings
    .map((directory) => join(directory, ROOM_DIRECTORY))
    .filter((candidate) => isRoom(host, candidate));
  if (rooms.length > 1) {
    throw new RoomNotFound(`${rooms.length} worktrees of this repository have a room: ${rooms.join(', ')}.`, {
      hint: `Choose one with --room or MAILROOM_DIR, such as: export MAILROOM_DIR=${quote(rooms[0] ?? '')}`,
    });
  }
  return rooms[0] ?? searchUp(host, elsewhere.main);
}

function* upwards(start: string): Generator<string, void, void> {
  let directory = start;
  for (let level = 0; level < LEVELS_MAX; level++) {
    yield directory;
    const parent = dirname(directory);
    if (parent === directory) return;
    directory = parent;
  }
}

function isRoom(host: Host, directory: string): boolean {
  try {
    if (host.files.lstat(roomLayout(directory).config)?.kind === 'file') return true;
  } catch (error) {
    // A room that may not even be looked into belongs to someone: to go past it would be to use another one silently.
    const owner = errnoOf(error) === 'EACCES' ? host.files.lstat(directory)?.uid : undefined;
    if (owner === undefined) throw error;
    throw notYours(host, directory, { owner, hint: 'Make a room of your own with: mailroom init' });
  }
  assertNotDamaged(host, directory);
  return false;
}

/**
 * Throws `RoomRefused` for a directory that has actors but no room.json. Going past it would mean using another room
 * silently, and a new room.json in it, with another id, would make all its mail invalid.
 */
export function assertNotDamaged({ files }: Pick<Host, 'files'>, directory: string): void {
  const { actors, config } = roomLayout(directory);
  if (files.lstat(actors)?.kind !== 'directory' || namesIn(files, actors).length === 0) return;
  const kind = files.lstat(config)?.kind;
  if (kind === 'file') return;
  const what = kind === undefined ? 'is missing' : `is not a regular file (${kind})`;
  throw new RoomRefused(`The room ${directory} is damaged: it has actors, and ${config} ${what}.`, {
    hint:
      'Restore it from a backup: nothing in the room can be verified without it. ' +
      `To start over instead: mv ${quote(directory)} ${quote(`${directory}.old`)} && mailroom init --room ${quote(directory)}`,
  });
}
