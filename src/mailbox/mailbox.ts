import type { Host } from '../host/host.ts';
import type { SharedSync } from '../host/shared-sync.ts';
import type { MailboxLayout } from '../message/layout.ts';
import type { Message, Refusal } from '../message/message.ts';
import type { MessageOpener } from '../signing/seal.ts';

/**
 * One actor's mailbox. Where a message lies is its status, and nothing else is:
 *
 * | lies in                          | means                                             |
 * |----------------------------------|---------------------------------------------------|
 * | `tmp/<random>`                   | being written; swept when old                     |
 * | `new/<name>`                     | delivered                                         |
 * | `cur/<name>,<attempt>,<until>`   | claimed until then; released when until is 0      |
 * | `done/<day>/<name>`              | acknowledged                                      |
 * | `dead/<name>`                    | verified and given up, the reason beside it       |
 * | `dead/refused/<uuid>`            | never believed, the reason beside it; counts as nothing |
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
  /** Told of what happens to messages without anybody having asked for it. Must not throw. */
  readonly observe: (event: MailboxEvent) => void;
  /** What this process remembers of the mailbox between calls. */
  readonly memory: MailboxMemory;
}

/** What a mailbox asks of the room that it is in. */
export interface MailboxRoom {
  /** Throws unless the room that was opened still lies at its path. One system call. */
  assertSame(): void;
  /**
   * Reads again what a verdict on mail of this sender rests on: limits and keys, which are remembered otherwise. Throws where
   * that cannot be read now, and unless the room is the same: then nothing may be refused.
   */
  readAnew(sender: string): void;
}

export interface MailboxLimits {
  /** How far ahead of the reader's clock the time in an id may be, in ms; what is further ahead waits for its time. */
  readonly clockSkewMsMax: number;
  /** Messages that may lie in `new`; a sender is told that it is full once as many of its own wait there as are free. */
  readonly newMessagesMax: number;
  /** Times a message may be claimed before it is given up. */
  readonly attemptsMax: number;
  /** A lease that ends further ahead than this, in ms, is not believed. */
  readonly leaseMsMax: number;
  /** Age in ms at which a file in `tmp` is taken for abandoned. */
  readonly tmpAgeMsMax: number;
  /** Days that `done` is kept. */
  readonly doneDaysKept: number;
}

export type Durability = 'power' | 'process';

export type MailboxEvent =
  | { readonly kind: 'dead'; readonly message: Message; readonly reason: Refusal }
  | { readonly kind: 'refused'; readonly name: string; readonly reason: Refusal }
  | { readonly kind: 'unmovable'; readonly name: string; readonly reason: Refusal }
  | { readonly kind: 'duplicate'; readonly message: Message };

/** How full `new` was at a look, and what was delivered to it since. */
export interface Fullness {
  count: number;
  /** By what the names say of the sender. */
  readonly bySender: Map<string, number>;
}

export interface MailboxMemory {
  /** How full `new` was when last counted, and what was delivered to it since. */
  fullness: ({ readonly countedAtMs: number } & Fullness) | undefined;
  /** What `purged-through` said, and which file said it. */
  purged: { readonly ino: number; readonly mtimeMs: number; readonly day: string | undefined } | undefined;
  /** The directories in `done` known to exist, by their paths. */
  readonly doneDays: Set<string>;
  /** Names that cannot even be moved away: told once, then skipped. */
  readonly unmovable: Set<string>;
}

export function createMailbox(parts: Omit<Mailbox, 'memory'>): Mailbox {
  return { ...parts, memory: { fullness: undefined, purged: undefined, doneDays: new Set(), unmovable: new Set() } };
}
