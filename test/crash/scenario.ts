import type { Arguments, OperationName } from '../../fixtures/crash/operations.ts';
import type { State } from './look.ts';

/** Where a message lies in one mailbox. */
export type Where = State | 'nowhere';

/** One short program in a prepared room, and what it may do to the message that it is about, the subject. */
export interface Scenario {
  readonly title: string;
  readonly operation: OperationName;
  readonly args?: Arguments;
  /** Makes the room; it is then copied for every run. */
  readonly prepare: (directory: string) => Promise<void>;
  /** Where the subject lies before and, once the operation has reported success, after it. */
  readonly subject?: {
    readonly from: Where;
    readonly to: Where;
    /** Where else it may lie when the operation was cut off. */
    readonly between?: readonly Where[];
    /** Whose mailboxes; bob's unless said otherwise. */
    readonly recipients?: readonly string[];
    /** The operation makes a new message each time it is done. */
    readonly isNewEachTime?: boolean;
    /** There is a second copy of it before, and none after. */
    readonly hasCopy?: boolean;
  };
  /** Checks what is particular to it; throws when that does not hold. */
  readonly check?: (run: Checked) => Promise<void> | void;
}

export interface Checked {
  readonly directory: string;
  /** `cut off`: killed or failed. `repeated`: done again, by somebody to whom nothing happened. `drained`: all mail read. */
  readonly phase: 'cut off' | 'repeated' | 'drained';
  /** Whether the operation had reported success before it was cut off. */
  readonly hasSucceeded: boolean;
}
