import type { Room } from '../../room/room.ts';

/** The result of one check. */
export interface DoctorFinding {
  readonly check: string;
  /** `wrong` needs repair; a `note` is worth knowing, but mail arrives all the same. */
  readonly level: 'ok' | 'note' | 'wrong';
  /** One sentence. */
  readonly text: string;
  /** The next command in full, or one sentence of advice. */
  readonly hint?: string;
}

/** Checks one aspect of a room; with `fix` it first repairs what it can, and reports the state after that. */
export type Check = (room: Room, options: { readonly fix: boolean }) => DoctorFinding[] | Promise<DoctorFinding[]>;
