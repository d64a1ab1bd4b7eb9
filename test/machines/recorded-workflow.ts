import type { AnyStateMachine } from 'xstate';
import type { Effect } from '../../src/step/effect.ts';
import { step, type Step } from '../../src/step/xstate-step.ts';
import type { PlainEvent } from '../../src/step/workflow-state.ts';

export interface Sent {
  readonly to: readonly string[];
  readonly type: string;
  readonly content: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly replyTo?: string;
}

interface Said {
  readonly from: string;
  readonly type: string;
  readonly content?: string;
  readonly data?: unknown;
  readonly messageId?: string;
}

/** A workflow without a host: its steps are taken, their effects recorded, and its timers fire on demand. */
export class RecordedWorkflow {
  readonly #machine: AnyStateMachine;
  readonly #place: { readonly address: string; readonly parent?: string };
  #last: Step;
  /** By their names. */
  readonly #timers = new Map<string, PlainEvent>();
  readonly #started: { readonly src: string; readonly childId: string; readonly input?: unknown }[] = [];
  #messages = 0;

  constructor(
    machine: AnyStateMachine,
    { input, parent, address = machine.id }: { input: unknown; parent?: string; address?: string },
  ) {
    this.#machine = machine;
    this.#place = { address, ...(parent === undefined ? {} : { parent }) };
    this.#last = step(machine, { ...this.#place, before: undefined, input });
    this.#note();
  }

  /** Delivers a message with the id `m1`, `m2` and so on. */
  hears(from: string, type: string, content: string, data?: unknown): this {
    return this.says({ from, type, content, data, messageId: `m${++this.#messages}` });
  }

  /** The same with a given id, or one like a real id and greater than those before. */
  says({ from, type, content = '', data, messageId = this.#nextId() }: Said): this {
    return this.happens({ type, from, content, messageId, ...(data === undefined ? {} : { data }) });
  }

  /** The event of a host for a permanently undeliverable message. */
  failsToReach(to: string, messageType: string): this {
    const reason = `nobody in this room has the address ${to}`;
    const failed = { messageId: this.#nextId(), messageType, to, code: 'ACTOR_NOT_FOUND', reason };
    return this.happens({ type: 'mailroom.delivery-failed', ...failed });
  }

  /** An event of a parent or of the runtime. */
  happens(event: PlainEvent): this {
    this.#last = step(this.#machine, {
      ...this.#place,
      before: JSON.parse(JSON.stringify(this.#last.snapshot)) as unknown,
      event: JSON.parse(JSON.stringify(event)) as PlainEvent,
    });
    this.#note(typeof event['from'] === 'string' ? event['from'] : undefined);
    return this;
  }

  fires(timer: string): this {
    const event = this.#timers.get(timer);
    if (!event) throw new Error(`there is no timer ${timer}, but ${this.timers.join(', ')}`);
    this.#timers.delete(timer);
    return this.happens(event);
  }

  /** Fires the `after` of this state. */
  timesOut(delay: string, state: string): this {
    return this.fires(`xstate.after.${delay}.${this.#machine.id}.${state}`);
  }

  /** Ends the last child of a kind with an output. */
  done(src: string, output: unknown): this {
    const { childId } = this.started(src);
    return this.happens({ type: `xstate.done.actor.${childId}`, output, actorId: childId });
  }

  /** Fails the last child of a kind. */
  fails(src: string, message: string): this {
    const { childId } = this.started(src);
    const error = { name: 'Error', message };
    return this.happens({ type: `xstate.error.actor.${childId}`, error, actorId: childId });
  }

  /** The last child of a kind. */
  started(src: string): { readonly childId: string; readonly input?: unknown } {
    const last = this.#started.findLast((one) => one.src === src);
    if (!last) throw new Error(`no ${src} was started, but ${this.#started.map((one) => one.src).join(', ')}`);
    return last;
  }

  /** How many children of a kind were started, ever. */
  countOf(src: string): number {
    return this.#started.filter((one) => one.src === src).length;
  }

  /** The mail of the last step. */
  sent: readonly Sent[] = [];
  /** The mail of all steps. */
  everSent: readonly Sent[] = [];
  /** The events of the last step to the parent. */
  toParent: readonly PlainEvent[] = [];
  /** The events of the last step to children. */
  toChildren: readonly { readonly childId: string; readonly event: PlainEvent }[] = [];
  /** The events that the last step emitted. */
  emitted: readonly PlainEvent[] = [];

  get timers(): string[] {
    return [...this.#timers.keys()];
  }

  get output(): unknown {
    return this.#last.output;
  }

  get status(): Step['status'] {
    return this.#last.status;
  }

  get value(): unknown {
    return (this.#last.snapshot as { value: unknown }).value;
  }

  get effects(): Step['effects'] {
    return this.#last.effects;
  }

  get isHandled(): boolean {
    return this.#last.isHandled;
  }

  get context(): unknown {
    return (this.#last.snapshot as { context: unknown }).context;
  }

  /** The messages of the last step to an address. */
  told(address: string): readonly Sent[] {
    return this.sent.filter(({ to }) => to.includes(address));
  }

  #nextId(): string {
    return `01900000-0000-7000-8000-${String(++this.#messages).padStart(12, '0')}`;
  }

  #note(asker?: string): void {
    const { effects } = this.#last;
    this.sent = effects.flatMap((effect) => sentBy(effect, asker));
    this.everSent = [...this.everSent, ...this.sent];
    this.toParent = effects.flatMap((effect) =>
      effect.kind === 'event' && 'parent' in effect.to ? [effect.event] : [],
    );
    this.toChildren = effects.flatMap((effect) =>
      effect.kind === 'event' && 'childId' in effect.to ? [{ childId: effect.to.childId, event: effect.event }] : [],
    );
    this.emitted = effects.flatMap((effect) => (effect.kind === 'emit' ? [effect.event] : []));
    for (const effect of effects) {
      if (effect.kind === 'start') this.#started.push(effect);
      if (effect.kind === 'cancel') this.#timers.delete(effect.sendId);
      if (effect.kind === 'raise') this.#timers.set(effect.sendId ?? '', effect.event);
    }
  }
}

function sentBy(effect: Effect, asker: string | undefined): Sent[] {
  if (effect.kind !== 'mail' && effect.kind !== 'reply') return [];
  const { type, content, data, replyTo } = effect.message;
  const to = effect.kind === 'mail' ? effect.to : [asker ?? ''];
  return [{ to, type, content, data: (data ?? {}) as Sent['data'], ...(replyTo === undefined ? {} : { replyTo }) }];
}
