import { Conflict } from '../errors.ts';
import { errnoOf } from '../host/file-system.ts';
import { namesIn, readText, removeQuietly, renameSettled } from '../host/files.ts';
import type { Host } from '../host/host.ts';
import { isSameProcess, type ProcessIdentity } from '../host/processes.ts';
import { actorLayout, type RoomLayout } from '../message/layout.ts';
import { isMessageType } from '../message/message-type.ts';
import { describeProcess, elsewhereHint, isThere, lastSeenMs } from './signs-of-life.ts';
import { fieldsIn, type Fields, isFields, replaceJson, publishJson } from '../host/json-file.ts';

/** Where an agent's program shows on a terminal: enough to know that it is still that one. */
export interface TmuxPane {
  /** Path of the server's socket. */
  readonly socket: string;
  readonly serverPid: number;
  /** Such as `%3`. */
  readonly pane: string;
  /** The pane's own process. */
  readonly process: ProcessIdentity;
}

/** What an actor says of itself when it joins: facts for others to read, no trust. */
export interface Card {
  readonly v: 1;
  readonly address: string;
  readonly kind: 'agent' | 'workflow';
  readonly program?: string;
  /** Of a workflow that another one has started: that one's address. */
  readonly parent?: string;
  readonly skills: readonly string[];
  /** Message types it understands beyond the common ones. */
  readonly accepts: readonly string[];
  /** Whether broadcasts are delivered to it. */
  readonly broadcasts: boolean;
  /** Who stays while the actor is there. */
  readonly process: ProcessIdentity;
  readonly tmux?: TmuxPane;
  /** ISO 8601. */
  readonly joinedAt: string;
  /** ISO 8601; set when it left. Its mail waits. */
  readonly leftAt?: string;
}

const REPLACE_TRIES_MAX = 20;

export function readCard(host: Host, room: RoomLayout, address: string): Card | undefined {
  const text = readText(host.files, actorLayout(room, address).card);
  return text === undefined ? readAside(host, room, address)?.card : parseCard(text, address);
}

/**
 * The card that was renamed away and has no successor yet: somebody is replacing it at this instant, or was killed then.
 * Until there is a new card, it is the one.
 */
function readAside({ files }: Host, room: RoomLayout, address: string): { card: Card; path: string } | undefined {
  const { directory, card: cardPath } = actorLayout(room, address);
  let last: { card: Card; path: string } | undefined;
  for (const name of namesIn(files, directory)) {
    const path = `${directory}/${name}`;
    const card = path.startsWith(`${cardPath}.`) ? parseCard(readText(files, path), address) : undefined;
    if (card && (!last || card.joinedAt > last.card.joinedAt)) last = { card, path };
  }
  return last;
}

function parseCard(text: string | undefined, address: string): Card | undefined {
  const card = fieldsIn(text);
  return card && isCard(card) && card.address === address ? card : undefined;
}

/** Others wrote it, so every field is looked at: a card that makes no sense is none, and upsets nobody who lists them all. */
function isCard(value: Fields): value is Fields & Card {
  if (value['v'] !== 1 || !isText(value['address'])) return false;
  const { kind, program, parent, skills, accepts, broadcasts, tmux, joinedAt, leftAt } = value;
  if (kind !== 'agent' && kind !== 'workflow') return false;
  if (!isTextList(skills) || !isTextList(accepts) || !accepts.every(isMessageType)) return false;
  if (![program ?? '', parent ?? '', joinedAt, leftAt ?? ''].every(isText) || typeof broadcasts !== 'boolean')
    return false;
  return isIdentity(value['process']) && (tmux === undefined || isPane(tmux));
}

function isPane(value: unknown): boolean {
  if (!isFields(value) || !isText(value['socket']) || !isText(value['pane'])) return false;
  // No path has a NUL, and a program cannot even be given one.
  if (value['socket'].includes('\0')) return false;
  return PANE.test(value['pane']) && Number.isSafeInteger(value['serverPid']) && isIdentity(value['process']);
}

function isIdentity(value: unknown): boolean {
  if (!isFields(value) || !Number.isSafeInteger(value['pid']) || !isText(value['pidNamespace'] ?? '')) return false;
  return isText(value['startTime']) && isText(value['bootId']);
}

const PANE = /^%\d+$/;
const isText = (value: unknown): value is string => typeof value === 'string';
const isTextList = (value: unknown): value is string[] => Array.isArray(value) && value.every(isText);

interface Where {
  readonly host: Host;
  readonly layout: RoomLayout;
}

/** Whether the actor has joined, not left, and its process is there. */
export function isLive(where: Where, { leftAt, process, kind, address }: Card): boolean {
  return leftAt === undefined && isThere(where.host, { process, kind, seenMs: () => lastSignMs(where, address) });
}

/** A card is put up before the actor is seen for the first time, which is a sign as well. */
function lastSignMs(where: Where, address: string): number | undefined {
  const cardMs = where.host.files.lstat(actorLayout(where.layout, address).card)?.mtimeMs ?? 0;
  return Math.max(cardMs, lastSeenMs(where, address) ?? 0);
}

/**
 * Puts up a card. Two processes that join under one address at once cannot both succeed: a card appears by a link, and
 * one that is replaced is first renamed away by exactly one of them. Throws `Conflict` when a live actor has the address,
 * or an agent would take that of a workflow.
 */
export async function claimCard(
  host: Host,
  room: RoomLayout,
  options: { card: Card; takeOver: boolean },
): Promise<void> {
  const { files, randomBytes } = host;
  const { card, takeOver } = options;
  const path = actorLayout(room, card.address).card;
  const file = { path, value: card, staging: room.tmp, indent: 2 };
  for (let attempt = 1; attempt <= REPLACE_TRIES_MAX; attempt++) {
    const textBefore = readText(files, path);
    const asideBefore = textBefore === undefined ? readAside(host, room, card.address) : undefined;
    const before = asideBefore?.card ?? parseCard(textBefore, card.address);
    const isOwn = before !== undefined && isSameProcess(before.process, card.process);
    if (before && !isOwn && !takeOver && isTaken({ host, layout: room }, before, card)) {
      throw inUse({ host, layout: room }, before, card);
    }
    if (isOwn && !asideBefore) return replaceJson(host, file);
    // Beside the card and named after it, so that whoever looks for the card finds it there.
    const aside = asideBefore?.path ?? `${path}.${randomBytes(8).toString('hex')}`;
    if (asideBefore || !renamedAway(host, path, aside) || readText(files, aside) === textBefore) {
      const published = await publishJson(host, file);
      removeQuietly(files, aside);
      if (published) return;
    } else {
      // Somebody joined between the look and the rename: theirs goes back, unless a newer one is there.
      restore(host, aside, path);
    }
  }
  throw new Conflict(`The address ${card.address} is being joined by several processes at once.`, {
    hint: 'Join again, or under another address.',
  });
}

/** Marks the actor as gone; its mail waits. */
export async function retireCard(host: Host, room: RoomLayout, options: { card: Card; leftAt: string }): Promise<void> {
  const path = actorLayout(room, options.card.address).card;
  const value = { ...options.card, leftAt: options.leftAt };
  await replaceJson(host, { path, value, staging: room.tmp, indent: 2 });
}

function renamedAway(host: Host, path: string, aside: string): boolean {
  try {
    renameSettled(host.files, path, aside);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
}

function restore(host: Host, aside: string, path: string): void {
  try {
    host.files.link(aside, path);
  } catch (error) {
    // ENOENT: somebody who took it for the card has replaced it.
    if (errnoOf(error) !== 'EEXIST' && errnoOf(error) !== 'ENOENT') throw error;
  }
  removeQuietly(host.files, aside);
}

/** A workflow keeps its address while nobody runs it, too: an agent there would take its mail. */
function isTaken(where: Where, before: Card, { kind }: Card): boolean {
  return isLive(where, before) || (before.kind === 'workflow' && kind === 'agent');
}

function inUse(where: Where, before: Card, { kind }: Card): Conflict {
  const { address, process, program, joinedAt } = before;
  const facts = [describeProcess(where.host, process), ...(program ? [program] : []), `joined ${joinedAt}`].join(', ');
  const whose = before.kind === 'agent' ? 'a live agent' : isLive(where, before) ? 'a live workflow' : 'a workflow';
  const instead = kind === 'agent' ? 'Choose another name' : 'Run it under another address with --as';
  return new Conflict(`The address ${address} is in use by ${whose} (${facts}).`, {
    hint: `${instead}, or take the address from it with --take-over.${elsewhereHint(where.host, before)}`,
  });
}

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
