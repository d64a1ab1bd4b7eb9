import type { Draft } from '../room/draft.ts';

/** What a machine says to others; its id, time and sender are added when the step is committed. */
export type Outgoing = Omit<Draft, 'id' | 'durability'>;
