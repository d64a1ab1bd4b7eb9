import { isRoomLost, RoomNotFound, RoomRefused, RoomReplaced, UPDATE_HINT } from '../errors.ts';
import type { FileFacts } from '../host/file-system.ts';
import type { Host } from '../host/host.ts';
import type { RoomLayout } from '../message/layout.ts';
import { readConfig, type RoomConfig } from './config.ts';
import type { RoomLimits } from './limits.ts';

/** An editor that rewrites the file may leave a moment without it; a room without one for longer is gone. */
const MISSING_MS_MAX = 5_000;

/**
 * Whether the room that was opened is still the one at its path. A process outlives a room: someone may move it away,
 * remove it, or put another one there, whose mail the process can neither verify nor may touch.
 */
export interface Standing {
  /**
   * The content of `room.json`. The object and the limits it gave out are updated in place when the file is rewritten.
   */
  readonly config: RoomConfig;
  /**
   * Throws `RoomReplaced` if another room is there and `RoomNotFound` if none is. One system call as long as
   * `room.json` is the same file. Passes if that cannot be told right now because the file is being written.
   */
  readonly assertSame: () => void;
  /** Reads `room.json` again. Throws as `assertSame` does, and also what prevents reading it right now. */
  readonly reread: () => void;
}

/** Opens the room's configuration. Throws as `readConfig` does. */
export function openStanding(host: Pick<Host, 'files' | 'clock'>, layout: RoomLayout): Standing {
  const { files, clock } = host;
  // Looked at before it is read: a write in between shows at the next look.
  let known = files.lstat(layout.config);
  const live = liveConfig(readConfig(files, layout));
  const { roomId, algorithm } = live.config;
  let missingSinceMs: number | undefined;

  /** The error for a file that cannot be read: at first an ENOENT, later the error that says the room is gone. */
  const missing = (unreadable?: RoomNotFound): Error => {
    const now = clock.uptimeMs();
    missingSinceMs ??= now;
    if (!files.lstat(layout.directory)) return gone(layout);
    if (now - missingSinceMs > MISSING_MS_MAX) return unreadable ?? gone(layout);
    return Object.assign(new Error(`ENOENT: there is no ${layout.config} at this moment`), { code: 'ENOENT' });
  };
  const readFresh = (): RoomConfig => {
    try {
      return readConfig(files, layout);
    } catch (error) {
      if (error instanceof RoomNotFound) throw missing(error);
      missingSinceMs = undefined;
      throw error;
    }
  };
  const reread = (): void => {
    const facts = files.lstat(layout.config);
    if (!facts) throw missing();
    const fresh = readFresh();
    missingSinceMs = undefined;
    if (fresh.roomId !== roomId || fresh.algorithm !== algorithm) throw replaced(layout, fresh);
    known = facts;
    live.adopt(fresh);
  };
  return {
    config: live.config,
    reread,
    assertSame: () => {
      const facts = files.lstat(layout.config);
      if (facts && known && isSameFile(facts, known)) return;
      try {
        reread();
      } catch (error) {
        if (isRoomLost(error) || isNewerFormat(error)) throw error;
      }
    },
  };
}

function gone({ directory }: RoomLayout): RoomNotFound {
  return new RoomNotFound(`The room ${directory} is gone: it was moved away or removed.`, {
    hint: 'Put it back, or start again where it is now. To make a new one there: mailroom init',
  });
}

function replaced({ directory }: RoomLayout, { roomId }: RoomConfig): RoomReplaced {
  return new RoomReplaced(`The room ${directory} was replaced: another room (${roomId}) is there now.`, {
    hint: 'The new room was not touched. To use it, join it first: mailroom join <address>',
  });
}

/** A newer format is not a write in progress: it will stay. */
function isNewerFormat(error: unknown): boolean {
  return error instanceof RoomRefused && error.hint === UPDATE_HINT;
}

function isSameFile(a: FileFacts, b: FileFacts): boolean {
  return a.ino === b.ino && a.mtimeMs === b.mtimeMs && a.size === b.size;
}

/** A configuration whose objects stay the same while their numbers change, because many hold references to them. */
function liveConfig(first: RoomConfig): { readonly config: RoomConfig; adopt(fresh: RoomConfig): void } {
  let current = first;
  const limits = { ...first.limits };
  const handedOut = new Map<string, RoomLimits>();
  const limitsOf = (address: string): RoomLimits => {
    const known = handedOut.get(address);
    if (known) return known;
    const own = { ...current.limitsOf(address) };
    handedOut.set(address, own);
    return own;
  };
  return {
    config: { ...first, limits, limitsOf },
    adopt: (fresh) => {
      current = fresh;
      Object.assign(limits, fresh.limits);
      for (const [address, own] of handedOut) Object.assign(own, fresh.limitsOf(address));
    },
  };
}
