import { makeTemporaryDirectory } from '../../host/temporary-directory.ts';
import { whereabouts } from '../../journal/describe.ts';
import { readJournalState } from '../../journal/read.ts';
import type { Host } from '../../host/host.ts';
import { listClaimable } from '../../mailbox/drain.ts';
import type { Agent } from '../../room/agent.ts';
import { listAddresses, mailboxOf } from '../../room/context.ts';
import { initRoom } from '../../room/init-room.ts';
import type { Mail } from '../../room/mail.ts';
import { contextOf, openRoom, type Room } from '../../room/room.ts';

const RATE_LIMIT = 10_000;
const IDLE_POLL_MS = 10;
const IDLE_MS_MAX = 20_000;
/** How long what an agent does about its last message may still take. */
const LEAVE_MS_MAX = 2_000;

/** What the room lies on. */
export interface Around {
  readonly host: Host;
  /** Where the time is simulated: something is under way that the simulation cannot see, until the returned function is called. */
  readonly outside?: () => () => void;
}

interface Cast {
  readonly agents?: Readonly<Record<string, (mail: Mail, agent: Agent) => Promise<void> | void>>;
}

/** A room of its own for one schedule, with the agents in it at work. */
export class CrashRoom {
  readonly directory: string;
  readonly room: Room;
  readonly #remove: () => void;
  readonly #around: Around;
  readonly #leaving = new AbortController();
  readonly #loops: Promise<void>[] = [];
  /** Rejects when an agent does. */
  readonly failed: Promise<never>;
  #fail: (error: Error) => void = () => {};

  private constructor(directory: string, room: Room, { remove, around }: { remove: () => void; around: Around }) {
    this.directory = directory;
    this.room = room;
    this.#remove = remove;
    this.#around = around;
    this.failed = new Promise((_, reject) => {
      this.#fail = reject;
    });
    this.failed.catch(() => {});
  }

  static async make({ agents = {} }: Cast, around: Around): Promise<CrashRoom> {
    // An ext4 removes files 10 to 50 times as slowly once many were removed, and a simulation needs no disk of its own.
    const { path, remove } = makeTemporaryDirectory('mailroom-crash-', { inMemory: around.outside !== undefined });
    const host = unsynced(around.host);
    const { directory } = await initRoom({ cwd: path, host, limits: { rateLimit: RATE_LIMIT } });
    const room = await openRoom({ directory, durability: 'process', host, nudge: () => {} });
    const world = new CrashRoom(directory, room, { remove, around });
    const joined: Record<string, Agent> = {};
    for (const address of Object.keys(agents)) joined[address] = await room.join(address);
    for (const [address, handle] of Object.entries(agents)) {
      const agent = joined[address];
      if (agent) world.#loops.push(world.#serve(agent, handle).catch((error: Error) => world.#fail(error)));
    }
    return world;
  }

  /** Resolves when no agent has mail that waits. */
  async idle(): Promise<void> {
    for (let waitedMs = 0; waitedMs < IDLE_MS_MAX; waitedMs += IDLE_POLL_MS) {
      if (this.#withMail().length === 0) return;
      await Promise.race([this.#around.host.clock.sleep(IDLE_POLL_MS), this.failed]);
    }
    throw new Error(
      `${this.#withMail().join(' and ')} had mail for more than ${IDLE_MS_MAX} ms: does what it does about a message end?`,
    );
  }

  /** Does what the simulation, where there is one, cannot see into. */
  async outside<T>(work: () => Promise<T>): Promise<T> {
    const isOver = this.#around.outside?.();
    try {
      return await work();
    } finally {
      isOver?.();
    }
  }

  /** Ends the agents' work; `keep` leaves the room to be looked at. */
  async close({ keep }: { keep: boolean }): Promise<void> {
    this.#leaving.abort();
    const waited = new AbortController();
    await Promise.race([Promise.all(this.#loops), this.#around.host.clock.sleep(LEAVE_MS_MAX, waited.signal)]);
    waited.abort();
    await this.room.close();
    if (!keep) this.#remove();
  }

  /** Where each workflow is, a sentence each. */
  whereabouts(): string[] {
    const context = contextOf(this.room);
    return listAddresses(context).flatMap((address) => {
      const state = readJournalState(context, address)?.state;
      return state ? [`${address} is at ${whereabouts(state)}`] : [];
    });
  }

  /** The agents that have not dealt with all their mail. */
  #withMail(): string[] {
    if (this.#loops.length === 0) return [];
    const agents = this.room.actors().filter(({ card }) => card.kind === 'agent');
    const addresses = agents.map(({ card }) => card.address);
    return addresses.filter((address) => {
      const mailbox = mailboxOf(contextOf(this.room), address);
      if (!mailbox) return false;
      const { files } = mailbox.host;
      return listClaimable(mailbox).arrived.length > 0 || files.readdir(mailbox.layout.cur).length > 0;
    });
  }

  async #serve(agent: Agent, handle: (mail: Mail, agent: Agent) => Promise<void> | void): Promise<void> {
    for await (const mail of agent.inbox({ signal: this.#leaving.signal, pollMs: 50 })) {
      try {
        await this.outside(async () => handle(mail, agent));
      } catch (error) {
        throw ofHandler(agent, mail, error);
      }
      await mail.ack();
    }
  }
}

function ofHandler({ address }: Agent, { message }: Mail, cause: unknown): Error {
  const what = cause instanceof Error ? cause.message : String(cause);
  return new Error(`the agent ${address} failed at ${message.type} from ${message.from}: ${what}`, { cause });
}

/** The agents' own mail need not survive a loss of power. */
function unsynced(host: Host): Host {
  return { ...host, files: { ...host.files, fsync: async () => {}, fdatasync: async () => {} } };
}
