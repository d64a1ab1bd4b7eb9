import type { Host } from '../../src/host/host.ts';
import { nodeHost } from '../../src/host/node-host.ts';
import type { Agent, Room, TmuxPane } from '../../src/index.ts';
import { contextOf } from '../../src/room/room.ts';
import { logged, openZoo, type ZooRoom } from '../hostile/zoo-room.ts';

/** A room in which bob has a pane, with a clock that only the test moves. */
export interface NudgeRoom extends AsyncDisposable {
  readonly zoo: ZooRoom;
  readonly room: Room;
  readonly alice: Agent;
  advance(durationMs: number): void;
  /** Sends a message to bob and waits until its nudge has finished. */
  sendAndSettle(content?: string): Promise<void>;
  /** What the log says about each nudge, in order. */
  nudges(): { outcome: string; detail: string }[];
}

export async function openNudgeRoom(pane: TmuxPane, given: Partial<Host> = {}): Promise<NudgeRoom> {
  let nowMs = Date.now();
  const clock = { ...nodeHost.clock, now: () => nowMs };
  const zoo = await openZoo({ host: { ...nodeHost, clock, ...given } });
  const { room, alice } = zoo;
  await room.join('bob', { tmux: pane });
  return {
    zoo,
    room,
    alice,
    advance: (durationMs) => {
      nowMs += durationMs;
    },
    sendAndSettle: async (content = 'x') => {
      // A sign of life within the same ms would not be newer than the nudge.
      nowMs += 10;
      await alice.send({ to: 'bob', type: 'INFO', content });
      await contextOf(room).nudges.settled();
    },
    nudges: () => logged(zoo.directory, 'nudged') as { outcome: string; detail: string }[],
    [Symbol.asyncDispose]: () => zoo[Symbol.asyncDispose](),
  };
}
