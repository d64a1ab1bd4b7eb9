import type { RoomContext } from '../../room/context.ts';

/** One place where a durable file lies or belongs. */
export interface Place {
  readonly path: string;
  /** Whose it is; undefined for what is the room's. */
  readonly address?: string;
}

/** A file or directory that a room keeps, how it is checked, and what `doctor --fix` does for it. */
export interface DurableFile {
  /** As in the tree of docs/protocol.md. */
  readonly name: string;
  readonly kind: 'file' | 'directory';
  /** What its owner has to be allowed, as in its mode: reading, unless it says more. */
  readonly mode?: number;
  /** Where it is and where it belongs. */
  readonly places: (context: RoomContext) => readonly Place[];
  /** Whether it has to be there. Default: no. */
  readonly isNeeded?: (context: RoomContext, place: Place) => boolean;
  /** Reads it as whoever uses it does. Throws when that one would not believe it. */
  readonly read?: (context: RoomContext, place: Place) => unknown;
  /** What is wrong with what it holds. */
  readonly fault?: (context: RoomContext, place: Place) => string | undefined;
  /** Makes it where it is missing. Only for what holds nothing that could not be made again. */
  readonly make?: (context: RoomContext, place: Place) => void | Promise<void>;
  /** Whether what lies in its place, or makes no sense, may be set aside, because nothing but that is lost by it. */
  readonly isReplaceable?: (context: RoomContext, place: Place) => boolean;
  /** What to do where it cannot be mended, unless the error of its reader says so. The command, if there is one, comes last. */
  readonly hint: (context: RoomContext, place: Place) => string;
}

export const ALL_OF_OWNER = 0o700;
export const WRITABLE = 0o600;
export const READABLE = 0o400;

export const restore = (_context: RoomContext, { path }: Place): string =>
  `It cannot be made again: put ${path} back from a backup.`;
export const always = (): boolean => true;
