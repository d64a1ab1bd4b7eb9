import { nodeHost } from '../host/node-host.ts';
import { makeTemporaryDirectory } from '../host/temporary-directory.ts';
import type { Host } from '../host/host.ts';
import { listWaiting } from '../mailbox/drain.ts';
import type { Agent } from '../room/agent.ts';
import { mailboxOf } from '../room/context.ts';
import { initRoom } from '../room/init-room.ts';
import type { Mail } from '../room/mail.ts';
import { openRoom, type Room } from '../room/room.ts';

const RATE_LIMIT = 10_000;
const IDLE_POLL_MS = 10;
const IDLE_MS_MAX = 20_000;

interface Cast {
  readonly agents?: Readonly<Record<string, (mail: Mail, agent: Agent) => Promise<void> | void>>;
}

/** A room of its own for one schedule, with the agents in it at work. */
export class CrashRoom {
  readonly directory: string;
  readonly room: Room;
  readonly #remove: () => void;
  readonly #leaving = new AbortController();
  readonly #loops: Promise<void>[] = [];
  #failure: unknown;

  private constructor(directory: string, room: Room, remove: () => void) {
    this.directory = directory;
    this.room = room;
    this.#remove = remove;
  }

  static async make({ agents = {} }: Cast): Promise<CrashRoom> {
    const { path, remove } = makeTemporaryDirectory('mailroom-crash-');
    const host = unsynced(nodeHost);
    const { directory } = await initRoom({ cwd: path, host, limits: { rateLimit: RATE_LIMIT } });
    const room = await openRoom({ directory, durability: 'process', host, nudge: () => {} });
    const world = new CrashRoom(directory, room, remove);
    const joined: Record<string, Agent> = {};
    for (const address of Object.keys(agents)) joined[address] = await room.join(address);
    for (const [address, handle] of Object.entries(agents)) {
      const agent = joined[address];
      if (agent)
        world.#loops.push(world.#serve(agent, handle).catch((error: unknown) => void (world.#failure ??= error)));
    }
    return world;
  }

  /** Resolves when no agent has mail that waits. */
  async idle(): Promise<void> {
    for (let waitedMs = 0; waitedMs < IDLE_MS_MAX; waitedMs += IDLE_POLL_MS) {
      if (this.#failure) throw this.#failure as Error;
      if (this.#loops.length === 0 || !this.#hasMail()) return;
      await nodeHost.clock.sleep(IDLE_POLL_MS);
    }
    throw new Error(`the agents still had mail after ${IDLE_MS_MAX} ms`);
  }

  /** Ends the agents' work; `keep` leaves the room to be looked at. */
  async close({ keep }: { keep: boolean }): Promise<void> {
    this.#leaving.abort();
    await Promise.all(this.#loops);
    await this.room.close();
    if (!keep) this.#remove();
  }

  #hasMail(): boolean {
    return this.room.actors().some(({ card }) => {
      const mailbox = card.kind === 'agent' ? mailboxOf(this.room.context, card.address) : undefined;
      if (!mailbox) return false;
      const { files } = mailbox.host;
      return listWaiting(mailbox).arrived.length > 0 || files.readdir(mailbox.layout.cur).length > 0;
    });
  }

  async #serve(agent: Agent, handle: (mail: Mail, agent: Agent) => Promise<void> | void): Promise<void> {
    for await (const mail of agent.inbox({ signal: this.#leaving.signal, pollMs: 50 })) {
      await handle(mail, agent);
      await mail.ack();
    }
  }
}

/** The agents' own mail need not survive a loss of power. */
function unsynced(host: Host): Host {
  return { ...host, files: { ...host.files, fsync: async () => {}, fdatasync: async () => {} } };
}
