import type { AnyStateMachine } from 'xstate';
import { step, type Effect, type Step } from '../../src/workflow.ts';

/** A message that a machine has sent, as the recording messaging got it. */
export interface Sent {
  readonly to: readonly string[];
  readonly type: string;
  readonly content: string;
  readonly data?: unknown;
}

interface Said {
  readonly from: string;
  readonly type: string;
  readonly content?: string;
  readonly data?: unknown;
  readonly messageId?: string;
}

/**
 * A machine with a messaging that only records: each step is the one that a host would take, its snapshot goes through
 * JSON, and what it asks for is kept instead of being done.
 */
export class Recorded {
  readonly #machine: AnyStateMachine;
  readonly #address: string;
  readonly #parent: string | undefined;
  #ids = 0;
  last: Step;
  /** What it has sent, in order; a reply with the address that it goes to. */
  readonly sent: Sent[] = [];
  /** Events of XState that it has sent to its parent. */
  readonly toParent: { readonly type: string; readonly [key: string]: unknown }[] = [];

  constructor(
    machine: AnyStateMachine,
    { input, address, parent }: { input: unknown; address: string; parent?: string },
  ) {
    this.#machine = machine;
    this.#address = address;
    this.#parent = parent;
    this.last = step(machine, { address, parent, before: undefined, input });
    this.#record(undefined);
  }

  get value(): unknown {
    return (this.last.snapshot as { value: unknown }).value;
  }

  get output(): Readonly<Record<string, unknown>> {
    if (this.last.status !== 'done') throw new Error(`it has not ended: ${JSON.stringify(this.value)}`);
    return this.last.output as Readonly<Record<string, unknown>>;
  }

  /** What it sent in the last step. */
  get news(): readonly Sent[] {
    return this.#news;
  }
  #news: readonly Sent[] = [];

  /** A message from somebody; its id is greater than those before it unless it is given. */
  say({ from, type, content = '', data, messageId = this.#nextId() }: Said): this {
    return this.event({ type, from, content, messageId, ...(data === undefined ? {} : { data }) }, from);
  }

  /** What a host makes of a message that can never be delivered. */
  failDelivery(to: string, messageType: string): this {
    const reason = `nobody in this room has the address ${to}`;
    const code = 'ACTOR_NOT_FOUND';
    return this.event({
      type: 'mailroom.delivery-failed',
      messageId: this.#nextId(),
      messageType,
      to,
      code,
      reason,
    });
  }

  /** The time of `after` in this state is over. */
  timeOut(delay: string, state: string): this {
    return this.event({ type: `xstate.after.${delay}.${this.#machine.id}.${state}` });
  }

  event(event: { readonly type: string; readonly [key: string]: unknown }, from?: string): this {
    const before = JSON.parse(JSON.stringify(this.last.snapshot)) as unknown;
    this.last = step(this.#machine, { address: this.#address, parent: this.#parent, before, event });
    this.#record(from);
    return this;
  }

  #record(asker: string | undefined): void {
    this.#news = this.last.effects.flatMap((effect) => sentBy(effect, asker));
    this.sent.push(...this.#news);
    for (const effect of this.last.effects) {
      if (effect.kind === 'event' && 'parent' in effect.to) this.toParent.push(effect.event);
    }
  }

  #nextId(): string {
    return `01900000-0000-7000-8000-${String(++this.#ids).padStart(12, '0')}`;
  }
}

function sentBy(effect: Effect, asker: string | undefined): Sent[] {
  if (effect.kind !== 'mail' && effect.kind !== 'reply') return [];
  if (effect.kind === 'reply' && asker === undefined) throw new Error('a reply in a step that no message caused');
  const { type, content, data } = effect.message;
  const to = effect.kind === 'mail' ? effect.to : [asker ?? ''];
  return [{ to, type, content, ...(data === undefined ? {} : { data }) }];
}
