import { isRoomLost, MailroomError, RoomNotFound, RoomRefused, RoomReplaced } from '../errors.ts';
import { errnoOf } from '../host/file-system.ts';
import type { Host } from '../host/host.ts';
import type { RoomLayout } from '../message/layout.ts';
import type { Standing } from './standing.ts';

interface RoomAccess {
  readonly host: Pick<Host, 'files'>;
  readonly layout: RoomLayout;
  /** Of a room that was opened. */
  readonly standing?: Pick<Standing, 'assertSame'>;
}

/**
 * Runs `work` and turns system errors (a full disk, a missing room) into errors of Mailroom that say what was not done,
 * as in "Joining as bob was not completed", why, and what to do next. The system's error is their cause.
 */
export function withRoomErrors<T>(room: RoomAccess, undone: string, work: () => T): T {
  try {
    const result = work();
    if (!(result instanceof Promise)) return result;
    return result.catch((error: unknown) => {
      throw toRoomError(room, undone, error);
    }) as T;
  } catch (error) {
    throw toRoomError(room, undone, error);
  }
}

/**
 * The error to throw instead of this one: the error itself, unless it is a system error or a consequence of the room
 * having been replaced, in which nobody is found and everything is missing.
 */
export function toRoomError({ host, layout, standing }: RoomAccess, undone: string, error: unknown): unknown {
  const errno = errnoOf(error);
  const isOwn = error instanceof MailroomError;
  if (!isOwn && (errno === undefined || !SYSTEM_ERROR.test(errno))) return error;
  const lost = lossOf(standing);
  if (lost instanceof RoomReplaced) return lost;
  if (lost instanceof RoomNotFound || ((errno === 'ENOENT' || errno === 'ENOTDIR') && isGone(host, layout))) {
    const hint = 'Restore it, or make a new one with: mailroom init';
    return new RoomNotFound(`${undone}: the room ${layout.directory} is gone.`, { cause: error, hint });
  }
  if (isOwn) return error;
  const { why, hint } = (isLink(error) ? NO_LINKS[errno ?? ''] : undefined) ?? REASONS[errno ?? ''] ?? OTHER;
  const said = error instanceof Error ? error.message : errno;
  return new RoomRefused(`${undone}: ${why} (${layout.directory}, ${said}).`, { cause: error, hint });
}

/** The error that says the room is gone or replaced; undefined if it is neither. */
function lossOf(standing: RoomAccess['standing']): unknown {
  try {
    standing?.assertSame();
    return undefined;
  } catch (error) {
    return isRoomLost(error) ? error : undefined;
  }
}

function isLink(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'syscall' in error && error.syscall === 'link';
}

const SYSTEM_ERROR = /^E[A-Z0-9]+$/;

function isGone(host: RoomAccess['host'], layout: RoomLayout): boolean {
  try {
    return host.files.lstat(layout.config) === undefined;
  } catch {
    return false;
  }
}

interface Reason {
  readonly why: string;
  readonly hint: string;
}

const FULL: Reason = { why: 'the disk is full', hint: 'Free some space, then repeat it.' };
const FORBIDDEN: Reason = {
  why: 'permission was denied',
  hint: 'See who owns the room and what is wrong with it: mailroom doctor',
};
const TOO_MANY: Reason = {
  why: 'too many files are open',
  hint: 'Close some programs or raise the limit (ulimit -n), then repeat it.',
};
const MISSING: Reason = { why: 'a part of the room is missing', hint: 'Complete the room with: mailroom doctor --fix' };

const LINKLESS: Reason = {
  why: 'this file system cannot make hard links',
  hint: 'Move the room to a local file system.',
};

/** Errors of link(2) on a file system without hard links. */
const NO_LINKS: Readonly<Record<string, Reason>> = {
  EPERM: LINKLESS,
  ENOTSUP: LINKLESS,
  EOPNOTSUPP: LINKLESS,
  ENOSYS: LINKLESS,
};

const OTHER: Reason = { why: 'the system refused', hint: 'See what is wrong: mailroom doctor' };

const REASONS: Readonly<Record<string, Reason>> = {
  ENOSPC: FULL,
  EDQUOT: FULL,
  EROFS: {
    why: 'the file system is read-only',
    hint: 'Make it writable, or use a room elsewhere: mailroom init --room <directory>',
  },
  EACCES: FORBIDDEN,
  EPERM: FORBIDDEN,
  EMFILE: TOO_MANY,
  ENFILE: TOO_MANY,
  ENOENT: MISSING,
  ENOTDIR: MISSING,
};
