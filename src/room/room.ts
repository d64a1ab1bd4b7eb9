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
import { told } from './system-errors.ts';

export interface OpenOptions {
  /** The room's directory, or the one it is in; else `MAILROOM_DIR`, else found from `cwd` upwards. */
  readonly directory?: string | undefined;
  readonly cwd?: string | undefined;
  /** What sends promise unless they say otherwise: `power` (the default) or `process`. */
  readonly durability?: Durability | undefined;
  readonly host?: Host | undefined;
  /** How agents in a tmux pane are nudged. Default: by this process. */
  readonly nudge?: Nudger | undefined;
}

/** An actor as others see it. */
export interface ActorInfo {
  readonly card: Card;
  /** Joined, not left, and its process runs. */
  readonly live: boolean;
  /** When it last looked at its mailbox, ms since the epoch. */
  readonly seenAtMs: number | undefined;
  /** Messages in `new`. */
  readonly waiting: number;
}

/** Opens a room. Throws `RoomNotFound`; `RoomRefused` for another user's room or a newer format. */
export async function openRoom(options: OpenOptions = {}): Promise<Room> {
  const host = options.host ?? nodeHost;
  const named = options.directory ?? (process.env['MAILROOM_DIR'] || undefined);
  const cwd = options.cwd ?? process.cwd();
  const asked = { host, layout: roomLayout(resolve(cwd, named ?? ROOM_DIRECTORY)) };
  const { layout, standing } = told(asked, 'The room was not opened', () => {
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

/** One open room. Close it with `await using` or `close()`; its actors stay joined. */
export class Room implements AsyncDisposable {
  /** What the functions of this package work on; not part of the public interface. */
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
   * Joins as an actor. The address is kept for this process while it runs. Throws `InvalidInput` for what is no
   * address and `Conflict` when a live actor has it, or an agent would take that of a workflow.
   */
  async join(address: string, options: JoinOptions = {}): Promise<Agent> {
    await told(this.context, `Joining as ${address} was not completed`, () => joinRoom(this.context, address, options));
    return this.agent(address);
  }

  /** Acts as an actor that has joined before, without joining anew. Throws `ActorNotFound`. */
  agent(address: string): Agent {
    const known = this.#agents.get(address);
    if (known) return known;
    const mailbox = told(this.context, `${address} was not looked for`, () => {
      assertJoined(this.context, address);
      return mailboxOf(this.context, address);
    });
    if (!mailbox) throw noMailbox(this.context, address);
    const agent = new Agent(this.context, mailbox);
    this.#agents.set(address, agent);
    return agent;
  }

  /** Everyone who ever joined, those who left among them. */
  actors(): ActorInfo[] {
    return told(this.context, 'The actors were not listed', () => listActors(this.context));
  }

  /** Where a message lies, a line per recipient. `id` may be any ending of it that only one message has. */
  status(id: string): MessageStatus[] {
    return told(this.context, 'The message was not looked for', () => statusOf(this.context, id));
  }

  /** Waits for nudges under way, which have time limits, and frees what this process holds open. */
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
