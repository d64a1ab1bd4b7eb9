import type { Host } from '../host/host.ts';
import { namesIn } from '../host/files.ts';
import type { SharedSync } from '../host/shared-sync.ts';
import type { EventLog } from '../log/event-log.ts';
import { isMailbox } from '../mailbox/create.ts';
import { createMailbox, type Durability, type Mailbox, type MailboxEvent } from '../mailbox/mailbox.ts';
import { isActorAddress } from '../message/address.ts';
import { actorLayout, type RoomLayout } from '../message/layout.ts';
import type { Keyring } from '../signing/keyring.ts';
import { createOpener } from '../signing/seal.ts';
import { type Card, knownCard, type KnownCard } from './card.ts';
import type { RoomConfig } from './config.ts';
import type { NudgeTurns } from './nudge-turns.ts';
import type { Standing } from './standing.ts';

/** What all operations on one open room share. */
export interface RoomContext {
  readonly host: Host;
  readonly layout: RoomLayout;
  readonly config: RoomConfig;
  readonly standing: Standing;
  readonly keyring: Keyring;
  readonly log: EventLog;
  readonly sharedSync: SharedSync;
  readonly durability: Durability;
  readonly nudges: NudgeTurns;
  readonly mailboxes: Map<string, Mailbox>;
  readonly knownCards: Map<string, KnownCard>;
}

/** The mailbox of an address; undefined if nobody ever joined under it. Cached once found. */
export function mailboxOf(context: RoomContext, address: string): Mailbox | undefined {
  const known = context.mailboxes.get(address);
  if (known) return known;
  const { host, layout, config, standing, keyring, sharedSync } = context;
  const { mailbox: mailboxLayout } = actorLayout(layout, address);
  if (!isMailbox(host, mailboxLayout)) return undefined;
  const limits = config.limitsOf(address);
  const mailbox = createMailbox({
    address,
    layout: mailboxLayout,
    host,
    limits,
    sharedSync,
    room: {
      assertSame: standing.assertSame,
      reread: (sender) => {
        standing.reread();
        keyring.reread(sender);
      },
    },
    opener: createOpener({ roomId: config.roomId, reader: address, keyring }),
    observe: (event) => logMailboxEvent(context, address, event),
  });
  context.mailboxes.set(address, mailbox);
  return mailbox;
}

/**
 * Every address with a directory in the room, sorted; directories with a name that no actor can have are left out.
 * Throws ENOENT if the room is gone.
 */
export function listAddresses({ host, layout }: Pick<RoomContext, 'host' | 'layout'>): string[] {
  const names = namesIn(host.files, layout.actors);
  // An empty listing means that nobody has joined, or that the room no longer exists.
  const isRoom = names.length > 0 || host.files.lstat(layout.config) !== undefined;
  return (isRoom ? names : host.files.readdir(layout.actors)).filter(isActorAddress).sort();
}

/** The cards of every actor that ever joined. */
export function listCards(context: RoomContext): Card[] {
  const cards = listAddresses(context).map((address) => knownCard(context, address));
  return cards.filter((card) => card !== undefined);
}

function logMailboxEvent({ log, nudges }: RoomContext, to: string, event: MailboxEvent): void {
  // The message may have left `new` without having been handed out.
  nudges.add(to, 'claimed');
  if (event.kind === 'duplicate') {
    const { id, from, type } = event.message;
    log.append({ event: 'duplicate', id, from, to, type });
  } else if (event.kind === 'dead') {
    const { id, from, type, content } = event.message;
    const { reason, detail } = event.reason;
    log.append({ event: 'dead', id, from, to, type, content, outcome: reason, detail });
  } else {
    const { reason, detail } = event.reason;
    log.append({ event: event.kind, to, outcome: reason, detail: `${event.name}: ${detail}` });
  }
}
