import { createWebSocketReceiver } from '@statelyai/inspect';
import { createRequire } from 'node:module';
import type { WireEvent } from '../../src/inspector/wire.ts';
import { until } from '../hostile/until.ts';

export interface Receiving {
  readonly events: readonly WireEvent[];
  /** Waits until that many have arrived. */
  count(wanted: number): Promise<readonly WireEvent[]>;
}

/** The part of the package `ws` that is used here. */
interface Socket {
  on(event: 'open', listener: () => void): void;
  on(event: 'message', listener: (data: Buffer) => void): void;
  on(event: 'close', listener: (code: number) => void): void;
  on(event: 'error', listener: () => void): void;
  send(text: string): void;
  close(): void;
}

const inspectPackage = createRequire(import.meta.url).resolve('@statelyai/inspect/server');
const { WebSocket } = createRequire(inspectPackage)('ws') as { WebSocket: new (url: string) => Socket };

/** A connection to a relay that sends what follows the `#` of its URL, as the page does, or another first message. */
export function receive(url: string, token = new URL(url).hash.slice(1)): Receiving & Connection {
  const events: WireEvent[] = [];
  const socket = new WebSocket(url.replace('http', 'ws').replace(/#.*/, ''));
  socket.on('open', () => {
    if (token !== '') socket.send(token);
  });
  socket.on('message', (data) => events.push(JSON.parse(data.toString()) as WireEvent));
  socket.on('error', () => {});
  const closed = new Promise<number>((resolve) => socket.on('close', resolve));
  return { ...receiving(events), closed, close: () => socket.close() };
}

interface Connection {
  /** Resolves with the code that the relay closed it with. */
  readonly closed: Promise<number>;
  close(): void;
}

/** The client of the package, connected to the relay of the package. */
export function receiveAsPackage(url: string): Receiving {
  const events: WireEvent[] = [];
  createWebSocketReceiver({ server: url }).subscribe((event) => events.push(event as unknown as WireEvent));
  return receiving(events);
}

function receiving(events: readonly WireEvent[]): Receiving {
  return {
    events,
    count: async (wanted) => {
      await until(`${wanted} events come`, () => events.length >= wanted);
      return events;
    },
  };
}

/** What a late viewer gets: the latest event on each actor, then all other events, in order. */
export function lateView(events: readonly WireEvent[]): WireEvent[] {
  const actors = new Map<string, WireEvent>();
  for (const event of events) if (event.type === '@xstate.actor') actors.set(event.sessionId, event);
  return [...actors.values(), ...events.filter(({ type }) => type !== '@xstate.actor')];
}
