import type { Agent, Durability, RoomLimits } from '../src/index.ts';
import type { Host } from '../src/runtime.ts';
import type { Bench } from './row.ts';
import { bySize } from './size.ts';

/** High enough that nothing measured is refused; the counting itself goes on as ever. */
const RAISED: Partial<RoomLimits> = {
  rateLimit: 100_000,
  newMessagesMax: 1_000_000,
  broadcastRecipientsMax: 10_000,
  logBytesMax: 2 ** 30,
};

export interface BenchRoom {
  /** Its `.mailroom`. */
  readonly directory: string;
  readonly agents: readonly Agent[];
  readonly close: () => Promise<void>;
}

/** A fresh room in which these have joined. */
export async function makeRoom(
  { library, workflows, freshDirectory }: Pick<Bench, 'library' | 'workflows' | 'freshDirectory'>,
  { addresses, durability = 'process' }: { addresses: readonly string[]; durability?: Durability },
): Promise<BenchRoom> {
  const cwd = freshDirectory();
  const { directory } = await library.initRoom({ cwd, limits: RAISED, host: unsynced(workflows.nodeHost) });
  const setUp = await library.openRoom({ directory, host: unsynced(workflows.nodeHost) });
  for (const address of addresses) await setUp.join(address);
  await setUp.close();
  const room = await library.openRoom({ directory, durability });
  return { directory, agents: addresses.map((address) => room.agent(address)), close: () => room.close() };
}

/** Setting up is not measured, so it need not wait for the disk. */
function unsynced(host: Host): Host {
  const files = { ...host.files, fsync: async () => {}, fdatasync: async () => {} };
  return { ...host, files };
}

/** As long as makes the whole message file about 600 bytes. */
export const CONTENT_600_B = 'Which of the two ports shall the service listen on? '.repeat(6).slice(0, 305);

export const MESSAGE_BYTES = 600;

/**
 * Sends, receives and broadcasts until the compiler has seen everything often enough: some 8,000 messages, after which a
 * send takes half as long as the first thousand.
 */
export async function warmUp(bench: Bench): Promise<void> {
  const messages = bySize(bench, { full: 12_000, quick: 12_000, smoke: 10 });
  const perRoom = Math.ceil(messages / WARM_UP_ROOMS);
  for (let made = 0; made < WARM_UP_ROOMS; made++) {
    const room = await makeRoom(bench, { addresses: ['alice', 'bob', 'carol'] });
    const [alice, bob] = room.agents;
    if (!alice || !bob) throw new Error('the room has lost its agents');
    for (let sent = 0; sent < perRoom; sent++) {
      if (sent % 4 === 0) await alice.broadcast({ type: 'INFO', content: CONTENT_600_B });
      else await alice.send({ to: 'bob', type: 'INFO', content: CONTENT_600_B });
    }
    for await (const mail of bob.inbox({ wait: false })) await mail.ack();
    await room.close();
  }
}

const WARM_UP_ROOMS = 4;
