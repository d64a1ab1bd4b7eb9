import { setTimeout as sleep } from 'node:timers/promises';
import type { Room } from 'agent-mailroom';
import { startTeam, type TeamOptions } from './agents.ts';
import { complain, tell } from './screen.ts';

const LOOK_EVERY_MS = 2_000;

/**
 * Starts agents again that have died without leaving, until the signal aborts. Each goes on with what it held. Those that
 * are not to be kept are left alone: that an agent falls silent is a thing that a team has to get over.
 */
export async function keepTeam(room: Room, { agents, directory, session, signal }: TeamOptions): Promise<void> {
  const kept = agents.filter(({ isKept }) => isKept);
  while (!signal.aborted && kept.length > 0) {
    await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => {});
    if (signal.aborted) return;
    const actors = room.actors();
    const dead = kept.filter(({ address }) =>
      actors.some(({ card, live }) => card.address === address && !live && card.leftAt === undefined),
    );
    if (dead.length === 0) continue;
    tell(`  died, and is started again: ${dead.map(({ address }) => address).join(', ')}`);
    await startTeam(room, { agents: dead, directory, session, signal }).catch((error: unknown) => {
      if (!signal.aborted) complain(`  ${String(error)}`);
    });
  }
}
