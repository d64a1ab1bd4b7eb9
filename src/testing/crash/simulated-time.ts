import type { Clock } from '../../host/host.ts';
import { nextTurn } from '../../host/node-clock.ts';

/** After so many turns of the event loop in which nothing called a port, nothing is under way but waiting. */
const QUIET_TURNS = 4;
/** How often the time is looked at while it runs as fast as a real one. */
const REAL_POLL_MS = 1;
const UPTIME_START_MS = 3_600_000;

interface Sleeper {
  readonly owner: object;
  readonly dueMs: number;
  readonly wake: () => void;
}

/**
 * The time of a simulated machine. It stands still while anything is under way, and jumps to the end of the next sleep when
 * everybody waits, so the same work always sees the same times. While something is under way that the simulation cannot see,
 * such as an activity that reads from a network, it runs as fast as the real time.
 */
export class SimulatedTime {
  readonly #real: Clock;
  readonly #startMs: number;
  readonly #sleepers = new Set<Sleeper>();
  #nowMs: number;
  #outside = 0;
  #holds = 0;
  #events = 0;
  #isRunning = false;

  /** `real` is what the time keeps pace with while something unseen is under way. */
  constructor(real: Clock, { startMs }: { readonly startMs: number }) {
    this.#real = real;
    this.#startMs = startMs;
    this.#nowMs = startMs;
  }

  now(): number {
    return Math.floor(this.#nowMs);
  }

  /** A clock that shows this time, for one of several owners of sleeps. The machine came up an hour before the time began. */
  clockOf(owner: object): Clock {
    return {
      now: () => this.now(),
      uptimeMs: () => Math.floor(UPTIME_START_MS + this.#nowMs - this.#startMs),
      sleep: (durationMs, signal) => this.#sleep(owner, durationMs, signal),
    };
  }

  /** Something is under way: the time stands still for some more turns. */
  touch(): void {
    this.#events += 1;
  }

  /** As `Clock.sleep`; it never resolves once its owner was forgotten. */
  #sleep(owner: object, durationMs: number, signal?: AbortSignal): Promise<void> {
    this.touch();
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const sleeper: Sleeper = {
        owner,
        dueMs: this.#nowMs + Math.max(1, durationMs),
        wake: () => {
          if (!this.#sleepers.delete(sleeper)) return;
          signal?.removeEventListener('abort', sleeper.wake);
          this.touch();
          resolve();
        },
      };
      this.#sleepers.add(sleeper);
      signal?.addEventListener('abort', sleeper.wake, { once: true });
      void this.#run();
    });
  }

  /** Ends the sleeps of an owner without waking anybody. */
  forget(owner: object): void {
    for (const sleeper of this.#sleepers) if (sleeper.owner === owner) this.#sleepers.delete(sleeper);
  }

  /** Work that the simulation cannot see into is under way; the returned function says once that it is over. */
  outside(): () => void {
    this.#outside += 1;
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      this.#outside -= 1;
      this.touch();
    };
  }

  /** The time stands still, whoever sleeps, until the returned function is called: for what is no part of the simulation. */
  hold(): () => void {
    this.#holds += 1;
    return () => {
      this.#holds -= 1;
      this.touch();
    };
  }

  /** Runs while anybody sleeps. */
  async #run(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    while (this.#sleepers.size > 0) {
      await this.#quiet();
      if (this.#holds > 0) await this.#real.sleep(REAL_POLL_MS);
      else if (this.#outside > 0) await this.#keepPace();
      else this.#jump();
      this.#wakeDue();
    }
    this.#isRunning = false;
  }

  async #quiet(): Promise<void> {
    for (let quiet = 0, seen = this.#events; quiet < QUIET_TURNS; quiet++) {
      await nextTurn();
      if (this.#events === seen) continue;
      seen = this.#events;
      quiet = 0;
    }
  }

  async #keepPace(): Promise<void> {
    const beganMs = performance.now();
    await this.#real.sleep(REAL_POLL_MS);
    this.#nowMs += performance.now() - beganMs;
  }

  #jump(): void {
    const dueMs = Math.min(...Array.from(this.#sleepers, (sleeper) => sleeper.dueMs));
    if (Number.isFinite(dueMs)) this.#nowMs = Math.max(this.#nowMs, dueMs);
  }

  /** In the order of their times, and of their coming where these are equal. */
  #wakeDue(): void {
    const due = [...this.#sleepers].filter(({ dueMs }) => dueMs <= this.#nowMs);
    for (const sleeper of due.sort((a, b) => a.dueMs - b.dueMs)) sleeper.wake();
  }
}
