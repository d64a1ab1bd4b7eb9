import { randomUUID } from 'node:crypto';
import { alwaysGrants, type Clock, type Host } from '../../src/host/host.ts';
import { nodeHost } from '../../src/host/node-host.ts';
import { RateCounter, type GrantRequest, type RateCounterOptions } from '../../src/rate/counter.ts';

export const START_MS = Date.UTC(2026, 5, 1);
const DEFAULTS = {
  sender: 'agent-1',
  limit: 5,
  windowMs: 1_000,
  segmentBytesMax: 16_384,
  lockWaitMsMax: 300,
  grantUseMsMax: 250,
};

export const newId: GrantRequest = { idAt: () => randomUUID() };

/** A clock that stands still until it is moved; sleeping moves it. */
export class ManualClock implements Clock {
  nowMs = START_MS;
  readonly slept: number[] = [];

  now(): number {
    return this.nowMs;
  }
  uptimeMs(): number {
    return this.nowMs - START_MS;
  }
  async sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    this.slept.push(durationMs);
    if (signal?.aborted !== true) this.nowMs += durationMs;
  }
}

export type CounterOptions = Partial<RateCounterOptions> & { readonly directory: string; readonly clock: Clock };

/** A counter of 5 messages in 1 s, on a clock that the test moves, without a real lock. */
export function openCounter({ clock, host, ...options }: CounterOptions): RateCounter {
  const base: Host = host ?? { ...nodeHost, lock: alwaysGrants };
  return new RateCounter({ ...DEFAULTS, ...options, host: { ...base, clock } });
}

/** Takes grants until one is refused, at most `most`; returns how many there were. */
export async function grantsOf(counter: RateCounter, most = 100): Promise<number> {
  for (let count = 0; count < most; count++) {
    try {
      await counter.grant(newId);
    } catch (error) {
      if (error instanceof Error && 'retryAt' in error) return count;
      throw error;
    }
  }
  return most;
}
