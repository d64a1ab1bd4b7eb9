import { resolve } from 'node:path';
import { nodeHost } from '../host/node-host.ts';
import type { Host } from '../host/host.ts';
import { createSharedSync } from '../host/shared-sync.ts';
import { openLog } from '../log/event-log.ts';
import { countUnread } from '../mailbox/early.ts';
import type { Durability } from '../mailbox/mailbox.ts';
import type { MessageStatus } from '../mailbox/status.ts';
import { ROOM_DIRECTORY, roomLayout } from '../message/layout.ts';
import { openKeyring } from '../signing/keyring.ts';
import { Agent } from './agent.ts';
import { isLive, type Card } from './card.ts';
import type { RoomConfig } from './config.ts';
import { listCards, mailboxOf, type Nudger, type RoomContext } from './context.ts';
import { findRoom } from './find-room.ts';
import { assertJoined, joinRoom, noMailbox, type JoinOptions } from './join.ts';
import { nudgeInProcess } from './nudge.ts';
import { createNudgeTurns } from './nudge-turns.ts';
import { lastSeenMs } from './signs-of-life.ts';
import { openStanding } from './standing.ts';
import { statusOf } from './status-of.ts';
import { withRoomErrors } from './system-errors.ts';

export interface OpenOptions {
  /**
   * The room's directory, or the directory that contains it. Default: `MAILROOM_DIR`, else searched from `cwd` upwards.
   */
  readonly directory?: string | undefined;
  readonly cwd?: string | undefined;
  /** Default durability of sends: `power` or `process`. Default: `power`. */
  readonly durability?: Durability | undefined;
  readonly host?: Host | undefined;
  /** How agents in a tmux pane are nudged. Default: by this process. */
  readonly nudge?: Nudger | undefined;
}

/** An actor as others see it. */
export interface ActorInfo {
  readonly card: Card;
  /** True if it has joined, has not left, and its process is running. */
  readonly live: boolean;
  /** When it last looked at its mailbox, in ms since the epoch; undefined if never. */
  readonly seenAtMs: number | undefined;
  /** Number of messages in `new`. */
  readonly waiting: number;
}

/** Opens a room. Throws `RoomNotFound`, or `RoomRefused` for another user's room or a newer format. */
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
  const nudge = options.nudge ?? nudgeInProcess;
  const context: RoomContext = {
    host,
    layout,
    config,
    standing,
    keyring: openKeyring({ host, layout, roomId: config.roomId, algorithm: config.algorithm }),
    log: openLog(host, { layout, limits: config.limits, assertRoom: standing.assertSame }),
    sharedSync: createSharedSync(host.files),
    durability: options.durability ?? 'power',
    nudges: createNudgeTurns((address, reason) => nudge(context, address, reason)),
    mailboxes: new Map(),
    knownCards: new Map(),
  };
  return new Room(context);
}

/** An open room. Close it with `await using` or `close()`; its actors stay joined. */
export class Room implements AsyncDisposable {
  /** Internal to this package. */
  readonly context: RoomContext;
  readonly #agents = new Map<string, Agent>();

  constructor(context: RoomContext) {
    this.context = context;
  }

  get directory(): string {
    return this.context.layout.directory;
  }

  get config(): RoomConfig {
    return this.context.config;
  }

  /**
   * Joins as an actor. The address belongs to this process while it runs. Throws `InvalidInput` for an invalid address,
   * and `Conflict` if a live actor has the address or an agent would take a workflow's address.
   */
  async join(address: string, options: JoinOptions = {}): Promise<Agent> {
    await withRoomErrors(this.context, `Joining as ${address} was not completed`, () =>
      joinRoom(this.context, address, options),
    );
    return this.agent(address);
  }

  /** Acts as an actor that has joined before, without joining again. Throws `ActorNotFound`. */
  agent(address: string): Agent {
    const known = this.#agents.get(address);
    if (known) return known;
    const mailbox = withRoomErrors(this.context, `${address} was not looked up`, () => {
      assertJoined(this.context, address);
      return mailboxOf(this.context, address);
    });
    if (!mailbox) throw noMailbox(this.context, address);
    const agent = new Agent(this.context, mailbox);
    this.#agents.set(address, agent);
    return agent;
  }

  /** Every actor that ever joined, including those that have left. */
  actors(): ActorInfo[] {
    return withRoomErrors(this.context, 'The actors were not listed', () => listActors(this.context));
  }

  /** Where a message is, one entry per recipient. `id` is the full id or an ending that only one message has. */
  status(id: string): MessageStatus[] {
    return withRoomErrors(this.context, 'The message was not looked up', () => statusOf(this.context, id));
  }

  /** Waits for pending nudges, which have timeouts, and frees what this process holds open. */
  async close(): Promise<void> {
    await this.context.nudges.settled();
    for (const agent of this.#agents.values()) await agent[Symbol.asyncDispose]();
    this.context.log.close();
  }

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
