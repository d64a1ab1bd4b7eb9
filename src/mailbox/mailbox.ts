import type { Host } from '../host/host.ts';
import type { SharedSync } from '../host/shared-sync.ts';
import type { MailboxLayout } from '../message/layout.ts';
import type { Message, Refusal } from '../message/message.ts';
import type { MessageOpener } from '../signing/seal.ts';

/**
 * One actor's mailbox. The status of a message is where it is, and nothing else:
 *
 * | in                               | means                                                     |
 * |----------------------------------|-----------------------------------------------------------|
 * | `tmp/<random>`                   | being written; swept when old                             |
 * | `new/<name>`                     | delivered                                                 |
 * | `cur/<name>,<attempt>,<until>`   | claimed until then; released if `until` is 0              |
 * | `done/<day>/<name>`              | acknowledged                                              |
 * | `dead/<name>`                    | verified and given up, the reason beside it               |
 * | `dead/refused/<uuid>`            | never valid, the reason beside it; has no effect          |
 *
 * Nothing is ever renamed back into `new`.
 */
export interface Mailbox {
  readonly address: string;
  readonly layout: MailboxLayout;
  readonly host: Host;
  readonly opener: MessageOpener;
  readonly limits: MailboxLimits;
  readonly sharedSync: SharedSync;
  readonly room: MailboxRoom;
  /** Called for what happens to messages without a caller having asked for it. Must not throw. */
  readonly observe: (event: MailboxEvent) => void;
  /** What this process remembers of the mailbox between calls. */
  readonly memory: MailboxMemory;
}

/** What a mailbox needs from its room. */
export interface MailboxRoom {
  /** Throws unless the room that was opened is still at its path. One system call. */
  assertSame(): void;
  /**
   * Reads again what a verdict on mail of this sender rests on: limits and keys, which are otherwise cached. Throws if
   * they cannot be read now or the room is not the same: then nothing may be refused.
   */
  reread(sender: string): void;
}

export interface MailboxLimits {
  /** How far ahead of the reader's clock the time in an id may be, in ms; mail further ahead waits for its time. Default: 24 hours. */
  readonly clockSkewMsMax: number;
  /** Unread messages that a mailbox holds. One sender can fill half of it, and each further one half of what is left. Default: 10,000. */
  readonly newMessagesMax: number;
  /** Times that a message is claimed before it becomes a dead letter. Default: 5. */
  readonly attemptsMax: number;
  /** The longest lease in ms; a claim that ends later is ignored. Default: 24 hours. */
  readonly leaseMsMax: number;
  /** Age in ms at which a file in `tmp` counts as abandoned. Default: 1 hour. */
  readonly tmpAgeMsMax: number;
  /** How many days acknowledged messages are kept. Default: 30. */
  readonly doneDaysKept: number;
}

/** What a delivered message or a committed step survives: a loss of power, or only the end of the process. */
export type Durability = 'power' | 'process';

export type MailboxEvent =
  | { readonly kind: 'dead'; readonly message: Message; readonly reason: Refusal }
  | { readonly kind: 'refused'; readonly name: string; readonly reason: Refusal }
  | { readonly kind: 'unmovable'; readonly name: string; readonly reason: Refusal }
  | { readonly kind: 'duplicate'; readonly message: Message };

/** How full `new` was when last counted, plus what was delivered to it since. */
export interface Fullness {
  count: number;
  /** By the sender in the file names. */
  readonly bySender: Map<string, number>;
}

export interface MailboxMemory {
  /** How full `new` was when last counted, and when. */
  fullness: ({ readonly countedAtMs: number } & Fullness) | undefined;
  /** Content of `purged-through`, and the file it was read from. */
  purged: { readonly ino: number; readonly mtimeMs: number; readonly day: string | undefined } | undefined;
  /** The directories in `done` known to exist, by path. */
  readonly doneDays: Set<string>;
  /** Names that cannot even be moved away: reported once, then skipped. */
  readonly unmovable: Set<string>;
}

export function createMailbox(parts: Omit<Mailbox, 'memory'>): Mailbox {
  return { ...parts, memory: { fullness: undefined, purged: undefined, doneDays: new Set(), unmovable: new Set() } };
}
