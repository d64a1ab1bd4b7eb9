import { join, resolve } from 'node:path';
import { Conflict, RoomRefused } from '../errors.ts';
import { errnoOf } from '../host/file-system.ts';
import { ensureDirectory, publishFile, removeIfThere, stagedPath, syncDirectory } from '../host/files.ts';
import type { Host } from '../host/host.ts';
import { nodeHost } from '../host/node-host.ts';
import { quote } from '../host/shell-word.ts';
import { openLog } from '../log/event-log.ts';
import { ROOM_DIRECTORY, roomLayout, type RoomLayout } from '../message/layout.ts';
import type { Algorithm } from '../signing/keys.ts';
import { readConfig, writeConfig } from './config.ts';
import { assertNotDamaged, assertOwn } from './find-room.ts';
import { DEFAULT_LIMITS, readLimits, type RoomLimits } from './limits.ts';
import { toRoomError } from './system-errors.ts';

/** Where `initRoom` makes a room, and with which settings. */
export interface InitOptions {
  /** The room's directory, relative to `cwd`. Default: `.mailroom`. */
  readonly directory?: string | undefined;
  /** What `directory` is relative to. Default: the working directory of the process. */
  readonly cwd?: string | undefined;
  /** How messages are signed: `hmac-sha256` with one secret for all, or `ed25519` with a key per actor. Default: `hmac-sha256`. */
  readonly algorithm?: Algorithm | undefined;
  /** Limits that differ from `DEFAULT_LIMITS`; ignored if the room exists. */
  readonly limits?: Partial<RoomLimits> | undefined;
  /** The system that the room is made on; tests replace parts of it. Default: `nodeHost`. */
  readonly host?: Host | undefined;
}

/** What `initRoom` did. */
export interface InitResult {
  /** The absolute path of the room's directory. */
  readonly directory: string;
  /** False if the room existed; its settings were not changed. */
  readonly created: boolean;
}

/**
 * Makes a room: `room.json` is linked last, so a room that can be found is complete. Idempotent: a repetition completes
 * an interrupted `initRoom` and restores lost directories.
 *
 * @throws `Conflict` if the room exists with another algorithm; `InvalidInput` for a limit that is unknown or out of
 * range; `RoomRefused` where the file system cannot hold a room.
 *
 * @example
 * ```ts
 * import { initRoom, openRoom } from 'agent-mailroom';
 *
 * const { directory, created } = await initRoom({ cwd: '/work/project', limits: { rateLimit: 60 } });
 * console.log(created ? 'made' : 'found', directory);
 * await using room = await openRoom({ directory });
 * ```
 */
export async function initRoom(options: InitOptions = {}): Promise<InitResult> {
  const host = options.host ?? nodeHost;
  const directory = resolve(options.cwd ?? process.cwd(), options.directory ?? join(ROOM_DIRECTORY));
  const layout = roomLayout(directory);
  readLimits(options.limits, 'limits');
  try {
    assertNotDamaged(host, directory);
    const isThere = host.files.lstat(layout.config) !== undefined;
    if (isThere || !(await create(host, layout, options))) return await existing(host, layout, options);
  } catch (error) {
    throw explain({ host, layout }, error);
  }
  const log = openLog(host, { layout, limits: DEFAULT_LIMITS });
  log.append({ event: 'initialised', detail: directory });
  log.close();
  return { directory, created: true };
}

/** Makes what can be made again: the directories, and the file that keeps keys out of commits. */
async function completeRoom(host: Host, layout: RoomLayout): Promise<void> {
  for (const path of directoriesOf(layout)) ensureDirectory(host.files, path);
  if (!host.files.lstat(layout.gitignore)) await publishGitignore(host, layout);
}

/** Keys never get into a commit: git ignores everything in the room. */
export async function publishGitignore(host: Host, layout: RoomLayout): Promise<void> {
  await publish(host, layout, layout.gitignore, '*\n');
}

function directoriesOf({ directory, tmp, keys, publicKeys, actors, logDirectory }: RoomLayout): string[] {
  return [directory, tmp, keys, publicKeys, actors, logDirectory];
}

function publish(host: Host, layout: RoomLayout, path: string, text: string): Promise<boolean> {
  const staged = stagedPath(layout.tmp, host.randomBytes);
  return publishFile(host.files, { path, staged, bytes: Buffer.from(text), mode: 0o600, durable: true });
}

async function create(host: Host, layout: RoomLayout, options: InitOptions): Promise<boolean> {
  const { files, randomBytes } = host;
  await completeRoom(host, layout);
  const algorithm = options.algorithm ?? 'hmac-sha256';
  if (algorithm === 'hmac-sha256') await publish(host, layout, layout.roomKey, `${randomBytes(32).toString('hex')}\n`);
  const config = writeConfig({ roomId: randomBytes(8).toString('hex'), algorithm, limits: options.limits });
  // At this link the room exists.
  const created = await publish(host, layout, layout.config, config);
  await syncDirectory(files, join(layout.directory, '..'));
  if (created && algorithm !== 'hmac-sha256') removeIfThere(files, layout.roomKey);
  return created;
}

async function existing(host: Host, layout: RoomLayout, options: InitOptions): Promise<InitResult> {
  assertOwn(host, layout.directory, 'Make one of your own elsewhere: mailroom init --room <directory>');
  const config = readConfig(host.files, layout);
  if (options.algorithm !== undefined && options.algorithm !== config.algorithm) {
    throw new Conflict(
      `${layout.directory} is already a room, signed with ${config.algorithm} and not ${options.algorithm}.`,
      {
        hint: 'A room keeps its algorithm. Make another one elsewhere: mailroom init --room <directory>',
      },
    );
  }
  await completeRoom(host, layout);
  return { directory: layout.directory, created: false };
}

function explain(where: { host: Host; layout: RoomLayout }, error: unknown): unknown {
  const { directory } = where.layout;
  const undone = isMade(where)
    ? `The room ${directory} was created but not completed`
    : `No room could be made at ${directory}`;
  const refused = (what: string, hint: string): RoomRefused =>
    new RoomRefused(`${undone}: ${what}.`, { cause: error, hint });
  switch (errnoOf(error)) {
    case 'EPERM':
    case 'ENOTSUP':
    case 'EOPNOTSUPP':
    case 'ENOSYS':
      return refused(
        'this file system cannot make hard links',
        'Choose a directory on a local file system: mailroom init --room <directory>',
      );
    case 'EROFS':
      return refused(
        'the file system is read-only',
        'Choose a directory you can write to: mailroom init --room <directory>',
      );
    case 'EACCES':
      return refused('permission was denied', 'Choose a directory you can write to: mailroom init --room <directory>');
    case 'ENOSPC':
    case 'EDQUOT':
      return refused('the disk is full', 'Free some space and repeat the command; it resumes where it stopped.');
    case 'ENOENT':
    case 'ENOTDIR': {
      const inTheWay = directoriesOf(where.layout).find((path) => !isDirectoryOrNothing(where.host, path));
      if (inTheWay !== undefined) {
        const hint = `Move it away, then repeat the command: mv ${quote(inTheWay)} ${quote(`${inTheWay}.old`)}`;
        return refused(`${inTheWay} is not a directory`, hint);
      }
      return refused(
        'the directory it should be in does not exist',
        `Make it first: mkdir -p ${quote(join(directory, '..'))}`,
      );
    }
    default:
      return toRoomError(where, undone, error);
  }
}

function isDirectoryOrNothing({ files }: Host, path: string): boolean {
  const kind = files.lstat(path)?.kind;
  return kind === undefined || kind === 'directory';
}

/** Whether the error came after the link that made the room; false if that cannot be seen. */
function isMade({ host, layout }: { host: Host; layout: RoomLayout }): boolean {
  try {
    return host.files.lstat(layout.config) !== undefined;
  } catch {
    return false;
  }
}
