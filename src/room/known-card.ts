import type { Host } from '../host/host.ts';
import { actorLayout, type RoomLayout } from '../message/layout.ts';
import { readCard, type Card } from './card.ts';

/** A card as it was last read, and the file that it was read from. */
export interface KnownCard {
  readonly path: string;
  readonly ino: number;
  readonly mtimeMs: number;
  readonly size: number;
  readonly card: Card;
}

interface Cards {
  readonly host: Host;
  readonly layout: RoomLayout;
  /** By address. */
  readonly knownCards: Map<string, KnownCard>;
}

/**
 * The actor's card. A card is never written in place, only replaced by another file, so it is read and parsed again only
 * when another file lies there: a broadcast looks at everybody's. Throws what the system refuses.
 */
export function knownCard({ host, layout, knownCards }: Cards, address: string): Card | undefined {
  const known = knownCards.get(address);
  const path = known?.path ?? actorLayout(layout, address).card;
  const facts = host.files.lstat(path);
  if (!facts) {
    // Gone, or being replaced at this instant.
    knownCards.delete(address);
    return readCard(host, layout, address);
  }
  const { ino, mtimeMs, size } = facts;
  if (known && known.ino === ino && known.mtimeMs === mtimeMs && known.size === size) return known.card;
  const card = readCard(host, layout, address);
  if (card) knownCards.set(address, { path, ino, mtimeMs, size, card });
  else knownCards.delete(address);
  return card;
}
