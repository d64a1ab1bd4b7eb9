import type { PlainEvent } from '../step/workflow-state.ts';

/** The version of `@statelyai/inspect` whose events these are; receivers check for one. */
const WIRE_VERSION = '0.7.2';

/** The events that the Stately inspector gets: the wire events of `@statelyai/inspect`. */
export type WireEvent = WireActor | WireTaken | WireSnapshot;

interface WireBase {
  readonly _version: string;
  /** `<address>#<seq of the record>.<n>`: the same journal gives the same ids. */
  readonly id: string;
  /** Ms since the epoch, as text. */
  readonly createdAt: string;
  /** The address; `<address>/<child id>` for an activity or command. */
  readonly sessionId: string;
  /** The session id of the topmost workflow. */
  readonly rootId: string;
}

/** Announces an actor; repeated when more of it is known. */
export interface WireActor extends WireBase {
  readonly type: '@xstate.actor';
  readonly name: string;
  readonly parentId?: string;
  /** JSON of the machine's configuration. */
  readonly definition: string;
  readonly snapshot: SeenSnapshot;
}

/** An actor has taken an event. */
export interface WireTaken extends WireBase {
  readonly type: '@xstate.event';
  readonly sourceId?: string;
  readonly event: PlainEvent;
}

/** The actor's snapshot after the event. */
export interface WireSnapshot extends WireBase {
  readonly type: '@xstate.snapshot';
  readonly event: PlainEvent;
  readonly snapshot: SeenSnapshot;
}

export interface SeenSnapshot {
  readonly status: 'active' | 'done' | 'error' | 'stopped';
  readonly value?: unknown;
  readonly children?: Readonly<Record<string, SeenChild>>;
  readonly context?: unknown;
  readonly output?: unknown;
  readonly error?: unknown;
}

/** An actor within a snapshot, as XState writes one in JSON; the id is its session. */
interface SeenChild {
  readonly xstate$$type: 1;
  readonly id: string;
}

export interface WireHead {
  readonly id: string;
  readonly at: number;
  readonly sessionId: string;
  readonly rootId: string;
}

export function wireBase({ id, at, sessionId, rootId }: WireHead): WireBase {
  return { _version: WIRE_VERSION, id, createdAt: String(at), sessionId, rootId };
}

/** Whether the value has the shape that receivers check for. */
export function isWireEvent(value: unknown): value is WireEvent {
  if (typeof value !== 'object' || value === null || !('type' in value)) return false;
  const { type, _version, sessionId } = value as Partial<WireEvent>;
  return (
    (type === '@xstate.actor' || type === '@xstate.event' || type === '@xstate.snapshot') &&
    typeof _version === 'string' &&
    typeof sessionId === 'string'
  );
}
