import type { Clock } from '../host/host.ts';
import type { Listener, LoopbackServer, StartLoopbackServer } from '../host/loopback-server.ts';
import { inspectPages, inspectPolicy } from './page.ts';
import type { WireEvent } from './wire.ts';

const LISTENERS_MAX = 16;
/** How long the last events may take to reach a viewer before it is cut off. */
const DRAIN_MS_MAX = 1_000;

export interface RelayOptions {
  readonly start: StartLoopbackServer;
  readonly clock: Clock;
  /** The port to listen on; 0 lets the system choose. */
  readonly port: number;
  /** The page that shows the events. */
  readonly viewerUrl: string;
  /** The token that a viewer must send to get the events: the fragment of the URL, which no browser sends anywhere. */
  readonly token: string;
  /** Bytes of events kept for viewers that connect later. Default: 64 MiB. */
  readonly bytesMax?: number | undefined;
}

/**
 * Sends events to every viewer that connects, from the first event on, at the viewer's own pace. Memory is bounded by the events
 * kept for late viewers (see `InspectReplay`), whatever the number of viewers. A viewer is cut off if it is so slow that its next
 * event is no longer kept.
 */
export class InspectRelay {
  readonly #replay: InspectReplay;
  readonly #clock: Clock;
  readonly #serving = new Set<Promise<void>>();
  #wake = new AbortController();
  #isEnding = false;
  readonly #token: string;
  #server: LoopbackServer | undefined;

  private constructor({ clock, bytesMax, token }: RelayOptions) {
    this.#clock = clock;
    this.#token = token;
    this.#replay = new InspectReplay(bytesMax);
  }

  /** Rejects with the system's error if the port is not available. */
  static async start(options: RelayOptions): Promise<InspectRelay> {
    const { start, port, viewerUrl, token } = options;
    const relay = new InspectRelay(options);
    relay.#server = await start({
      port,
      pages: inspectPages(viewerUrl),
      policy: inspectPolicy(viewerUrl),
      token,
      listenersMax: LISTENERS_MAX,
      onListener: (listener) => {
        const serving = relay.#serve(listener).finally(() => relay.#serving.delete(serving));
        relay.#serving.add(serving);
      },
    });
    return relay;
  }

  /** The page to open, with the token. */
  get url(): string {
    return `http://127.0.0.1:${this.#server?.port ?? 0}/#${this.#token}`;
  }

  /** Whether some events are no longer kept for late viewers. */
  get hasForgotten(): boolean {
    return this.#replay.first > 0;
  }

  add(event: WireEvent): void {
    this.#replay.add(event);
    this.#wake.abort();
    this.#wake = new AbortController();
  }

  /** Gives viewers a while for the rest of the events, then closes the server, so that nothing keeps the process alive. */
  async close(): Promise<void> {
    this.#isEnding = true;
    this.#wake.abort();
    const over = new AbortController();
    await Promise.race([Promise.all(this.#serving), this.#clock.sleep(DRAIN_MS_MAX, over.signal)]);
    over.abort();
    await this.#server?.close();
  }

  async #serve(listener: Listener): Promise<void> {
    const replay = this.#replay;
    const { gone } = listener;
    const joinedAt = replay.end;
    for (const text of replay.actors) await listener.send(text);
    let next = 0;
    while (!gone.aborted) {
      // Of the events before it connected, it gets those that are still kept.
      next = Math.max(next, Math.min(replay.first, joinedAt));
      if (next === replay.end) {
        if (this.#isEnding) return listener.end('everything was told');
        await this.#more(gone);
        continue;
      }
      const event = replay.at(next);
      if (!event) return listener.end('too slow: reload to begin again');
      // Actors known before it connected were sent first.
      if (!event.isActor || next >= joinedAt) await listener.send(event.text);
      next += 1;
    }
  }

  #more(gone: AbortSignal): Promise<void> {
    const { signal } = this.#wake;
    return new Promise((resolve) => {
      const end = (): void => {
        signal.removeEventListener('abort', end);
        gone.removeEventListener('abort', end);
        resolve();
      };
      if (signal.aborted || gone.aborted) return resolve();
      signal.addEventListener('abort', end);
      gone.addEventListener('abort', end);
    });
  }
}

/** Bytes kept for late viewers: about ten thousand steps of an average workflow. */
const REPLAY_BYTES_MAX = 64 * 1024 * 1024;

/** An event as JSON. */
interface KeptEvent {
  readonly text: Buffer;
  readonly isActor: boolean;
}

/**
 * The events so far, for late viewers: the latest event on each actor, and all events in order. Bounded: beyond `bytesMax` the
 * oldest events are dropped, and actors only if they alone exceed it.
 */
export class InspectReplay {
  readonly #bytesMax: number;
  readonly #actors = new Map<string, Buffer>();
  readonly #events = new Map<number, KeptEvent>();
  #first = 0;
  #end = 0;
  #bytes = 0;

  constructor(bytesMax = REPLAY_BYTES_MAX) {
    this.#bytesMax = bytesMax;
  }

  /** The number of the first event that is still kept. */
  get first(): number {
    return this.#first;
  }
  /** The number that the next event will have. */
  get end(): number {
    return this.#end;
  }
  /** The latest event on each actor, as JSON. */
  get actors(): readonly Buffer[] {
    return [...this.#actors.values()];
  }
  get bytes(): number {
    return this.#bytes;
  }

  /** The event of this number; undefined if it was dropped, or does not exist yet. */
  at(number: number): KeptEvent | undefined {
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
