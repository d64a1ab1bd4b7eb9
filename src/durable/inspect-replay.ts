import type { WireEvent } from './inspect-wire.ts';

/** What is kept for those who come later: some ten thousand steps of a middling workflow. */
const REPLAY_BYTES_MAX = 64 * 1024 * 1024;

/** An event as JSON. */
interface Kept {
  readonly text: Buffer;
  readonly isActor: boolean;
}

/**
 * The events so far, for whoever comes late: the last word on each actor, and everything in its order. Bounded: past
 * `bytesMax` the oldest events are given up, actors only when they alone are too much.
 */
export class InspectReplay {
  readonly #bytesMax: number;
  readonly #actors = new Map<string, Buffer>();
  readonly #events = new Map<number, Kept>();
  #first = 0;
  #end = 0;
  #bytes = 0;

  constructor(bytesMax = REPLAY_BYTES_MAX) {
    this.#bytesMax = bytesMax;
  }

  /** The number of the first event that is still there. */
  get first(): number {
    return this.#first;
  }
  /** The number that the next event will have. */
  get end(): number {
    return this.#end;
  }
  /** What is known of each actor, as JSON. */
  get actors(): readonly Buffer[] {
    return [...this.#actors.values()];
  }
  get bytes(): number {
    return this.#bytes;
  }

  /** The event of this number; undefined when it was given up, or is not there yet. */
  at(number: number): Kept | undefined {
    return this.#events.get(number);
  }

  add(event: WireEvent): void {
    const text = Buffer.from(JSON.stringify(event));
    const isActor = event.type === '@xstate.actor';
    if (isActor) {
      this.#bytes += text.length - (this.#actors.get(event.sessionId)?.length ?? 0);
      this.#actors.set(event.sessionId, text);
    }
    this.#events.set(this.#end++, { text, isActor });
    this.#bytes += text.length;
    this.#shrink();
  }

  #shrink(): void {
    while (this.#bytes > this.#bytesMax && this.#first < this.#end) {
      this.#bytes -= this.#events.get(this.#first)?.text.length ?? 0;
      this.#events.delete(this.#first++);
    }
    for (const [sessionId, text] of this.#actors) {
      if (this.#bytes <= this.#bytesMax) break;
      this.#actors.delete(sessionId);
      this.#bytes -= text.length;
    }
  }
}
