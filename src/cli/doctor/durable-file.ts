import type { RoomContext } from '../../room/context.ts';

/** A place where a durable file is, or belongs. */
export interface Place {
  readonly path: string;
  /** The actor that owns it; undefined for a file of the room. */
  readonly address?: string;
}

/** A file or directory that a room keeps, how it is checked, and what `doctor --fix` does for it. */
export interface DurableFile {
  /** As in the tree of docs/protocol.md. */
  readonly name: string;
  readonly kind: 'file' | 'directory';
  /** The mode bits that its owner needs. Default: read. */
  readonly mode?: number;
  /** Where such files are, and where they belong. */
  readonly places: (context: RoomContext) => readonly Place[];
  /** Whether it must exist. Default: no. */
  readonly isNeeded?: (context: RoomContext, place: Place) => boolean;
  /** Reads it as its normal reader does. Throws if that reader would reject it. */
  readonly read?: (context: RoomContext, place: Place) => unknown;
  /** What is wrong with its content; undefined if nothing is. */
  readonly fault?: (context: RoomContext, place: Place) => string | undefined;
  /** Creates it if it is missing. Only for files that hold nothing irreplaceable. */
  readonly make?: (context: RoomContext, place: Place) => void | Promise<void>;
  /** Whether something of another kind, or with invalid content, may be set aside because nothing else is lost with it. */
  readonly isReplaceable?: (context: RoomContext, place: Place) => boolean;
  /** What to do if it cannot be repaired and its reader's error has no hint. A command, if there is one, comes last. */
  readonly hint: (context: RoomContext, place: Place) => string;
}

export const ALL_OF_OWNER = 0o700;
export const WRITABLE = 0o600;
export const READABLE = 0o400;

export const restore = (_context: RoomContext, { path }: Place): string =>
  `It cannot be created again: restore ${path} from a backup.`;
export const always = (): boolean => true;
