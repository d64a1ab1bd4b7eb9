import { resolve } from 'node:path';
import { Conflict, MessageNotFound } from '../errors.ts';
import { nodeHost } from '../host/node-host.ts';
import type { Host } from '../host/host.ts';
import { createSharedSync } from '../host/shared-sync.ts';
import { openLog } from '../log/event-log.ts';
import { countUnread } from '../mailbox/early.ts';
import type { Durability } from '../mailbox/mailbox.ts';
import { statusIn, type MessageStatus } from '../mailbox/status.ts';
import { ROOM_DIRECTORY, roomLayout } from '../message/layout.ts';
import { openKeyring } from '../signing/keyring.ts';
import { agentOf, type Agent } from './agent.ts';
import { isLive, type Card } from './card.ts';
import type { RoomConfig } from './config.ts';
import { listAddresses, listCards, mailboxOf, type RoomContext } from './context.ts';
import { assertIdEnding } from './find-mail.ts';
import { findRoom } from './find-room.ts';
import { assertJoined, joinRoom, noMailbox, type JoinOptions } from './join.ts';
import { nudgeInProcess } from './nudge.ts';
import { createNudgeTurns, type NudgeReason } from './nudge-turns.ts';
import { lastSeenMs } from './signs-of-life.ts';
import { openStanding } from './standing.ts';
import { withRoomErrors } from './system-errors.ts';

/**
 * Brings the signs of an agent's new mail up to date, such as the number on its tmux pane. Sends and reads do not wait for it, and
 * losing a call is safe.
 */
export type Nudger = (room: Room, address: string, reason: NudgeReason) => void | Promise<unknown>;

/** Which room `openRoom` opens, and how. */
export interface OpenOptions {
  /** The room's directory, or the one that holds its `.mailroom`. Default: `MAILROOM_DIR`, else the first found from `cwd` upwards. */
  readonly directory?: string | undefined;
  /** Where the search starts. Default: the working directory of the process. */
  readonly cwd?: string | undefined;
  /** Default durability of sends. Default: `power`. */
  readonly durability?: Durability | undefined;
  /** The system that the room works on; tests replace parts of it. Default: `nodeHost`. */
  readonly host?: Host | undefined;
  /** How agents in a tmux pane are told of new mail. Default: by this process. */
  readonly nudge?: Nudger | undefined;
}

/** An actor as others see it. */
export interface ActorInfo {
  /** What the actor says about itself. */
  readonly card: Card;
  /** Whether the actor has joined, has not left, and its process is running. */
  readonly live: boolean;
  /** When the actor last looked at its mailbox, in ms since the epoch; undefined if it never did. */
  readonly seenAtMs: number | undefined;
  /** How many messages are unread: delivered and not claimed. */
  readonly waiting: number;
}

/**
 * Opens an existing room. `initRoom` makes one.
 *
 * @throws `RoomNotFound`; `RoomRefused` for a room of another user or a newer format.
 *
 * @example
 * ```ts
 * import { openRoom } from 'agent-mailroom';
 *
 * await using room = await openRoom({ directory: '/work/project/.mailroom' });
 * for (const { card, live, waiting } of room.actors()) console.log(card.address, live, waiting);
 * ```
 */
export async function openRoom(options: OpenOptions = {}): Promise<Room> {
  const host = options.host ?? nodeHost;
  const named = options.directory ?? (process.env['MAILROOM_DIR'] || undefined);
  const cwd = options.cwd ?? process.cwd();
  const asked = { host, layout: roomLayout(resolve(cwd, named ?? ROOM_DIRECTORY)) };
  const { layout, standing } = withRoomErrors(asked, 'The room was not opened', () => {
    const found = roomLayout(findRoom(host, { named, cwd }));
    return { layout: found, standing: openStanding(host, found) };
  });
  const { config } = standing;
  const { nudge } = options;
  const context: RoomContext = {
    host,
    layout,
    config,
    standing,
    keyring: openKeyring({ host, layout, roomId: config.roomId, algorithm: config.algorithm }),
    log: openLog(host, { layout, limits: config.limits, assertRoom: standing.assertSame }),
    sharedSync: createSharedSync(host.files),
    durability: options.durability ?? 'power',
    nudges: createNudgeTurns((address, reason) =>
      nudge ? nudge(room, address, reason) : nudgeInProcess(context, address, reason),
    ),
    mailboxes: new Map(),
    knownCards: new Map(),
  };
  const room = construct(context);
  return room;
}

/** One mark for every copy of this package that a process may load. */
const CONTEXT = Symbol.for('mailroom.room-context');

let construct: (context: RoomContext) => Room;
let contextIn: (room: Room) => RoomContext;

/** What the modules of Mailroom work on in this room, which another copy of this package may have opened. */
export function contextOf(room: Room): RoomContext {
  return contextIn(room);
}

/** An open room. Close it with `await using` or `close()`; its actors stay joined. `openRoom` makes it. */
export class Room implements AsyncDisposable {
  private readonly [CONTEXT]: RoomContext;
  readonly #agents = new Map<string, Agent>();

  static {
    construct = (context) => new Room(context);
    contextIn = (room) => room[CONTEXT];
  }

  private constructor(context: RoomContext) {
    this[CONTEXT] = context;
  }

  /** The absolute path of the room's directory. */
  get directory(): string {
    return this[CONTEXT].layout.directory;
  }

  /** What `room.json` says: the room's id, signing algorithm and limits. */
  get config(): RoomConfig {
    return this[CONTEXT].config;
  }

  /**
   * Joins as an actor, or joins again. No other process can join under the address while this one runs.
   *
   * @throws `InvalidInput` for a malformed or reserved address; `Conflict` if a live actor has the address, or an agent
   * would take that of a workflow.
   *
   * @example
   * ```ts
   * import { openRoom } from 'agent-mailroom';
   *
   * await using room = await openRoom();
   * const reviewer = await room.join('reviewer', { program: 'review-bot', accepts: ['DEPLOY-PLAN'] });
   * await reviewer.broadcast({ type: 'INFO', content: 'Ready for reviews.' });
   * ```
   */
  async join(address: string, options: JoinOptions = {}): Promise<Agent> {
    await withRoomErrors(this[CONTEXT], `Joining as ${address} was not completed`, () =>
      joinRoom(this[CONTEXT], address, options),
    );
    return this.agent(address);
  }

  /**
   * Acts as an actor that has joined before, without joining again.
   *
   * @throws `ActorNotFound`.
   */
  agent(address: string): Agent {
    const known = this.#agents.get(address);
    if (known) return known;
    const mailbox = withRoomErrors(this[CONTEXT], `${address} was not looked up`, () => {
      assertJoined(this[CONTEXT], address);
      return mailboxOf(this[CONTEXT], address);
    });
    if (!mailbox) throw noMailbox(this[CONTEXT], address);
    const agent = agentOf(this[CONTEXT], mailbox);
    this.#agents.set(address, agent);
    return agent;
  }

  /** All actors that ever joined, including those that left. */
  actors(): ActorInfo[] {
    return withRoomErrors(this[CONTEXT], 'The actors were not listed', () => listActors(this[CONTEXT]));
  }

  /**
   * Where a message is, with one entry per recipient. `id` can be an ending (at least 4 characters) that no other message has.
   *
   * @throws `MessageNotFound`; `InvalidInput` for a malformed id; `Conflict` for an ambiguous ending.
   */
  status(id: string): MessageStatus[] {
    return withRoomErrors(this[CONTEXT], 'The message was not looked up', () => statusOf(this[CONTEXT], id));
  }

  /** Waits for pending nudges, which have time limits, and closes all files of the room. Its actors stay joined. */
  async close(): Promise<void> {
    await this[CONTEXT].nudges.settled();
    for (const agent of this.#agents.values()) await agent[Symbol.asyncDispose]();
    this[CONTEXT].log.close();
  }

  /** Same as `close`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function listActors(context: RoomContext): ActorInfo[] {
  context.standing.assertSame();
  return listCards(context).map((card) => {
    const mailbox = mailboxOf(context, card.address);
    return {
      card,
      live: isLive(context, card),
      seenAtMs: lastSeenMs(context, card.address),
      waiting: mailbox ? countUnread(mailbox) : 0,
    };
  });
}

/** Looks through every mailbox of the room. */
function statusOf(context: RoomContext, idEnding: string): MessageStatus[] {
  assertIdEnding(idEnding);
  const found = listAddresses(context).flatMap((address) => {
    const mailbox = mailboxOf(context, address);
    return mailbox ? statusIn(mailbox, { idEnding, history: true }) : [];
  });
  const ids = [...new Set(found.map(({ id }) => id))];
  if (ids.length === 0) {
    throw new MessageNotFound(`No message with an id ending in ${idEnding} is in any mailbox of this room.`, {
      hint: 'It may have been purged, or never delivered. See: mailroom log',
    });
  }
  if (ids.length > 1) {
    throw new Conflict(`${ids.length} messages have an id ending in ${idEnding}: ${ids.slice(0, 5).join(', ')}.`, {
      hint: 'Give more characters of the id.',
    });
  }
  return found;
}
