import { createWebSocketReceiver } from '@statelyai/inspect';
import type { WireEvent } from '../../src/durable/inspect-wire.ts';
import { until } from '../hostile/until.ts';

export interface Receiving {
  readonly events: readonly WireEvent[];
  /** Waits until so many have come. */
  count(wanted: number): Promise<readonly WireEvent[]>;
}

/** The client of the package, as the viewer uses it, connected to a relay. */
export function receive(url: string): Receiving {
  const events: WireEvent[] = [];
  const receiver = createWebSocketReceiver({ server: url.replace('http', 'ws') });
  receiver.subscribe((event) => events.push(event as unknown as WireEvent));
  return {
    events,
    count: async (wanted) => {
      await until(`${wanted} events come`, () => events.length >= wanted);
      return events;
    },
  };
}

/** What a viewer that comes late gets: the last word on each actor, then all that is no actor, in order. */
export function lateView(events: readonly WireEvent[]): WireEvent[] {
  const actors = new Map<string, WireEvent>();
  for (const event of events) if (event.type === '@xstate.actor') actors.set(event.sessionId, event);
  return [...actors.values(), ...events.filter(({ type }) => type !== '@xstate.actor')];
}
