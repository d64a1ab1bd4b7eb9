import { Conflict } from '../errors.ts';
import { errnoOf } from '../host/file-system.ts';
import { namesIn, readText, removeQuietly, renameSettled } from '../host/files.ts';
import type { Host } from '../host/host.ts';
import { isSameProcess, type ProcessIdentity } from '../host/processes.ts';
import { actorLayout, type RoomLayout } from '../message/layout.ts';
import { isMessageType } from '../message/message-type.ts';
import { describeProcess, elsewhereHint, isThere, lastSeenMs } from './signs-of-life.ts';
import { fieldsIn, type Fields, isFields, replaceJson, publishJson } from '../host/json-file.ts';

/** The tmux pane that an agent's program runs in. */
export interface TmuxPane {
  /** The path of the tmux server's socket. */
  readonly socket: string;
  /** The pid of the tmux server. */
  readonly serverPid: number;
  /** The id of the pane, such as `%3`. */
  readonly pane: string;
  /** The process that the pane was opened with. */
  readonly process: ProcessIdentity;
}

/** What an actor says about itself when it joins. It is for others to read, and is not signed. */
export interface Card {
  /** The version of the card's format. */
  readonly v: 1;
  /** The actor's address. */
  readonly address: string;
  /** Whether an agent or a workflow has the address. */
  readonly kind: 'agent' | 'workflow';
  /** The program behind the actor, such as `claude`. */
  readonly program?: string;
  /** The address of the workflow that started this one. */
  readonly parent?: string;
  /** What the actor says it can do, in its own words. */
  readonly skills: readonly string[];
  /** The message types that the actor accepts in addition to the common ones. */
  readonly accepts: readonly string[];
  /** Whether broadcasts are delivered to the actor. */
  readonly broadcasts: boolean;
  /** The process whose end means that the actor is gone. */
  readonly process: ProcessIdentity;
  /** The tmux pane of the actor's program. */
  readonly tmux?: TmuxPane;
  /** When the actor joined, in ISO 8601. */
  readonly joinedAt: string;
  /** When the actor left, in ISO 8601. Its mail is kept. */
  readonly leftAt?: string;
}

const REPLACE_TRIES_MAX = 20;

export function readCard(host: Host, room: RoomLayout, address: string): Card | undefined {
  const text = readText(host.files, actorLayout(room, address).card);
  return text === undefined ? readAside(host, room, address)?.card : parseCard(text, address);
}

/**
 * The card that was renamed away and has no successor yet: a process is replacing it right now, or was killed while
 * doing so. Until there is a new card, this one counts.
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

/** Others wrote the card, so every field is checked. An invalid card counts as none, and breaks nobody's listing. */
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
  // No path contains a NUL, and a program cannot even be given one.
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

interface RoomFiles {
  readonly host: Host;
  readonly layout: RoomLayout;
}

/** Whether the actor has joined, has not left, and its process is there. */
export function isLive(room: RoomFiles, { leftAt, process, kind, address }: Card): boolean {
  return leftAt === undefined && isThere(room.host, { process, kind, seenMs: () => lastSignMs(room, address) });
}

/** A card is published before the actor is first seen, so the card's time is a sign of life too. */
function lastSignMs(room: RoomFiles, address: string): number | undefined {
  const cardMs = room.host.files.lstat(actorLayout(room.layout, address).card)?.mtimeMs ?? 0;
  return Math.max(cardMs, lastSeenMs(room, address) ?? 0);
}

/**
 * Publishes a card. Two processes that join under one address at the same time cannot both succeed: a card appears by a
 * link, and a card being replaced is first renamed away by exactly one of them. Throws `Conflict` if a live actor has
 * the address or an agent would take a workflow's address.
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
    // Beside the card and named after it, so that a reader looking for the card finds it there.
    const aside = asideBefore?.path ?? `${path}.${randomBytes(8).toString('hex')}`;
    if (asideBefore || !renamedAway(host, path, aside) || readText(files, aside) === textBefore) {
      // At the link in here the actor has joined.
      const published = await publishJson(host, file);
      removeQuietly(files, aside);
      if (published) return;
    } else {
      // Another process joined between the look and the rename: its card goes back, unless a newer one is there.
      restore(host, aside, path);
    }
  }
  throw new Conflict(`The address ${card.address} is being joined by several processes at once.`, {
    hint: 'Join again, or under another address.',
  });
}

/** Marks the actor as gone; its mail is kept. */
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
    // ENOENT: a process that took the renamed file for the card has replaced it.
    if (errnoOf(error) !== 'EEXIST' && errnoOf(error) !== 'ENOENT') throw error;
  }
  removeQuietly(host.files, aside);
}

/** A workflow keeps its address even while no host runs it: an agent there would take its mail. */
function isTaken(room: RoomFiles, before: Card, { kind }: Card): boolean {
  return isLive(room, before) || (before.kind === 'workflow' && kind === 'agent');
}

function inUse(room: RoomFiles, before: Card, { kind }: Card): Conflict {
  const { address, process, program, joinedAt } = before;
  const facts = [describeProcess(room.host, process), ...(program ? [program] : []), `joined ${joinedAt}`].join(', ');
  const whose = before.kind === 'agent' ? 'a live agent' : isLive(room, before) ? 'a live workflow' : 'a workflow';
  const instead = kind === 'agent' ? 'Choose another name' : 'Run it under another address with --as';
  return new Conflict(`The address ${address} is in use by ${whose} (${facts}).`, {
    hint: `${instead}, or take the address from it with --take-over.${elsewhereHint(room.host, before)}`,
  });
}

/** A card as last read, with the facts of the file it was read from. */
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
 * The actor's card, cached. A card is never written in place, only replaced by another file, so it is read and parsed
 * again only if another file is there: a broadcast looks at every card. Throws errors of the system.
 */
export function knownCard({ host, layout, knownCards }: Cards, address: string): Card | undefined {
  const known = knownCards.get(address);
  const path = known?.path ?? actorLayout(layout, address).card;
  const facts = host.files.lstat(path);
  if (!facts) {
    // Gone, or being replaced right now.
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
