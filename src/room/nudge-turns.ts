import { nextTurn } from '../host/node-clock.ts';

/** Why the signs of an actor's new mail may be out of date: mail was delivered, or some of it was claimed. */
export type NudgeReason = 'delivered' | 'claimed';

/** Calls a nudger off the path of sending and reading: at most once per address and turn of the event loop. */
export interface NudgeTurns {
  add(address: string, reason: NudgeReason): void;
  /** Resolves once every due nudge has finished. */
  settled(): Promise<unknown>;
}

export function createNudgeTurns(nudge: (address: string, reason: NudgeReason) => void | Promise<unknown>): NudgeTurns {
  const due = new Map<string, NudgeReason>();
  const running = new Map<string, Promise<void>>();

  const run = async (address: string): Promise<void> => {
    await nextTurn();
    for (let reason = due.get(address); reason; reason = due.get(address)) {
      due.delete(address);
      try {
        await nudge(address, reason);
      } catch {
        // Losing a nudge is always safe.
      }
    }
    running.delete(address);
  };
  return {
    add: (address, reason) => {
      if (due.get(address) !== 'delivered') due.set(address, reason);
      // A nudge that becomes due while another runs follows when that one has finished.
      if (!running.has(address)) running.set(address, run(address));
    },
    settled: () => Promise.all(running.values()),
  };
}
