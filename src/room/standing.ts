import { isRoomLost, RoomNotFound, RoomRefused, RoomReplaced, UPDATE_HINT } from '../errors.ts';
import type { FileFacts } from '../host/file-system.ts';
import type { Host } from '../host/host.ts';
import type { RoomLayout } from '../message/layout.ts';
import { readConfig, type RoomConfig } from './config.ts';
import type { RoomLimits } from './limits.ts';

/** An editor that writes a file anew may leave a moment without it; a room without one for longer is none any more. */
const MISSING_MS_MAX = 5_000;

/**
 * Whether the room that was opened is still the one at its path. A process outlives a room: somebody may move it away, remove
 * it, or put another one there, whose mail the process could neither verify nor may touch.
 */
export interface Standing {
  /** What `room.json` says. Whoever holds it, or limits that it gave, sees them change when the file was written anew. */
  readonly config: RoomConfig;
  /**
   * Throws `RoomReplaced` when another room lies there and `RoomNotFound` when none does. One system call as long as
   * `room.json` is the file it was. What cannot be told at this moment, because somebody is writing that file, passes.
   */
  readonly assertSame: () => void;
  /** Reads `room.json` again. Throws as `assertSame`, and also what stands in the way of reading it at this moment. */
  readonly readAnew: () => void;
}

/** Opens the room's configuration. Throws as `readConfig`. */
export function openStanding(host: Pick<Host, 'files' | 'clock'>, layout: RoomLayout): Standing {
  const { files, clock } = host;
  // Looked at before it is read: what is written in between shows at the next look.
  let known = files.lstat(layout.config);
  const live = liveConfig(readConfig(files, layout));
  const { roomId, algorithm } = live.config;
  let missingSinceMs: number | undefined;

  /** The error for what cannot be read: for a moment one of the system, after that the one that says so. */
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
  const readAnew = (): void => {
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
    readAnew,
    assertSame: () => {
      const facts = files.lstat(layout.config);
      if (facts && known && isSameFile(facts, known)) return;
      try {
        readAnew();
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
  return new RoomReplaced(`The room ${directory} was replaced: what lies there now is another room (${roomId}).`, {
    hint: 'Nothing of it was touched. To work in it, join it first: mailroom join <address>',
  });
}

/** It is not being written at this moment: it will stay what it is. */
function isNewerFormat(error: unknown): boolean {
  return error instanceof RoomRefused && error.hint === UPDATE_HINT;
}

function isSameFile(a: FileFacts, b: FileFacts): boolean {
  return a.ino === b.ino && a.mtimeMs === b.mtimeMs && a.size === b.size;
}

/** A configuration whose parts stay the same objects while their numbers change, because they are handed out far and wide. */
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
