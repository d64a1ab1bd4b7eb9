import type { Room } from '../../room/room.ts';

/** One thing that was looked at. */
export interface Finding {
  readonly check: string;
  /** `wrong` is to be mended; a `note` is worth knowing, and mail arrives all the same. */
  readonly level: 'ok' | 'note' | 'wrong';
  /** One sentence. */
  readonly text: string;
  /** The next command in full, or one sentence. */
  readonly hint?: string;
}

/** Looks at one aspect of a room; with `fix` it mends what it can and tells the state after that. */
export type Check = (room: Room, options: { readonly fix: boolean }) => Finding[] | Promise<Finding[]>;
