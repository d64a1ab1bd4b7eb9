import type { Holding } from './holding.ts';
import type { MemberTerms } from './terms.ts';

/** A member at work, for what deals with one message. */
export interface Member {
  readonly terms: MemberTerms;
  readonly holding: Holding;
  /** What is its own: records and checkouts. */
  readonly home: string;
  readonly say: (text: string) => void;
}
