import { isDeepStrictEqual } from 'node:util';
import type { AnyStateMachine } from 'xstate';
import { undeliveredCause } from '../../src/runtime/effects.ts';
import { acceptedBy } from '../../src/workflow/accepts.ts';
import { stepWorkflow } from '../../src/step/step.ts';
import type { Cause } from '../../src/step/cause.ts';
import type { PlannedMessage } from '../../src/step/outgoing.ts';
import { receive } from '../../src/step/receive.ts';
import type { WorkflowState } from '../../src/step/workflow-state.ts';
import { isCommonType } from '../../src/message/message-type.ts';
import type { Message } from '../../src/message/message.ts';
import type { Taken, WorkflowStep } from '../../src/testing/explore/move.ts';
import type { SystemUnderTest } from '../../src/testing/explore/system.ts';

type ExpectedStart = NonNullable<Parameters<typeof receive>[1]['expected']>;

interface Actor {
  readonly machine: AnyStateMachine;
  state: WorkflowState | undefined;
  expected: ExpectedStart | undefined;
  /** What it was sent and has not taken, oldest first; each with its text as it would lie on the disk. */
  mail: { readonly message: Message; readonly isControl: boolean }[];
}

/**
 * A host of the plainest kind, written without the explorer: mailboxes that are lists, states that are text. It is told
 * what happens, refuses what could not, and takes the step itself.
 */
export class MiniHost {
  readonly #actors = new Map<string, Actor>();
  readonly #agents: ReadonlySet<string>;
  readonly #undelivered: { readonly from: string; readonly mail: PlannedMessage }[] = [];

  constructor({ workflows, agents = {} }: SystemUnderTest) {
    this.#agents = new Set(Object.keys(agents));
    for (const [address, { machine }] of Object.entries(workflows)) {
      this.#actors.set(address, { machine, state: undefined, expected: undefined, mail: [] });
    }
  }

  /** What is different from what the explorer says, in one sentence; undefined when nothing is. */
  follow({ step, sent }: Taken): string | undefined {
    for (const { message, recipients } of sent?.mail ?? []) {
      for (const to of recipients) this.#actors.get(to)?.mail.push({ message, isControl: false });
    }
    if (!step) return undefined;
    const actor = this.#actors.get(step.address);
    if (!actor) return `${step.address} is not there`;
    const { cause, message } = step;
    if (message) {
      const fault = this.#takeMail(actor, step, message);
      if (fault !== undefined) return fault;
    } else if (cause) {
      const fault = this.#couldHappen(actor, cause);
      if (fault !== undefined) return fault;
    }
    return cause ? this.#advance(actor, step, cause) : undefined;
  }

  /** What is left when nothing more can happen. */
  leftovers(): string[] {
    return [...this.#actors].flatMap(([address, { state, mail, expected }]) => [
      // Only what waits for a start that never comes is left.
      ...(state || expected ? mail.map(({ message }) => `${message.type} to ${address}`) : []),
      ...Object.keys(state?.timers ?? {}).map((timer) => `timer ${timer} of ${address}`),
      ...Object.values(state?.calls ?? {}).flatMap(({ kind, src }) =>
        kind === 'activity' || kind === 'command' ? [`${src} of ${address}`] : [],
      ),
      ...this.#undelivered.map(({ mail: { draft } }) => `${draft.type} is not told`),
    ]);
  }

  stateOf(address: string): WorkflowState | undefined {
    return this.#actors.get(address)?.state;
  }

  #takeMail(actor: Actor, { address, received }: WorkflowStep, message: Message): string | undefined {
    const at = actor.mail.findIndex((one) => one.message.id === message.id);
    const isFromAgent = this.#agents.has(message.from);
    if (at === -1 && !isFromAgent) return `${message.type} was not sent to ${address}`;
    const [taken] = at === -1 ? [] : actor.mail.splice(at, 1);
    const overtaken = actor.mail.slice(0, Math.max(at, 0)).find((one) => {
      const isSamePair = one.message.from === message.from && (one.isControl || !taken?.isControl);
      return isSamePair && !('waits' in receive(one.message, { ...actor, address }));
    });
    if (overtaken) return `${message.type} overtakes ${overtaken.message.type}`;
    const own = receive(reread(taken?.message ?? message), { ...actor, address });
    return isDeepStrictEqual(reread(own), reread(received))
      ? undefined
      : `${address} receives ${message.type} otherwise`;
  }

  #couldHappen({ state }: Actor, cause: Cause): string | undefined {
    switch (cause.kind) {
      case 'start':
        return state ? 'it is started already' : undefined;
      case 'timer': {
        const timer = state?.timers[cause.timer];
        if (!timer) return `there is no timer ${cause.timer}`;
        // Of timers of one step, the earlier one is first.
        const stepOf = (id: string): string => id.split('.').slice(0, -1).join('.');
        const before = Object.values(state.timers).find(
          (other) => other.dueAt < timer.dueAt && stepOf(other.effectId) === stepOf(timer.effectId),
        );
        return before ? `${cause.timer} fires out of order` : undefined;
      }
      case 'result':
        return state?.calls[cause.call]?.effectId === cause.effectId ? undefined : `nobody waits for ${cause.src}`;
      case 'undelivered': {
        const at = this.#undelivered.findIndex(({ mail }) => mail.id === cause.messageId);
        const [told] = at === -1 ? [] : this.#undelivered.splice(at, 1);
        if (!told || !state) return `${cause.messageId} could be delivered`;
        const { draft, ...mail } = told.mail;
        const error = { name: '', message: '' };
        const own = undeliveredCause(
          { ...mail, isControl: true, type: draft.type, content: draft.content },
          [{ to: cause.to, error }],
          state,
        );
        return own.kind === 'undelivered' && own.call === cause.call ? undefined : 'it is told otherwise';
      }
      default:
        return `${cause.kind} without mail`;
    }
  }

  #advance(actor: Actor, { address, advanced }: WorkflowStep, cause: Cause): string | undefined {
    const ids = advanced?.mail.map(({ id }) => id) ?? [];
    let used = 0;
    const nextId = (): string => ids[used++] ?? `more-${used}`;
    const own = stepWorkflow({
      machine: actor.machine,
      address,
      state: reread(actor.state),
      cause: reread(cause),
      at: 0,
      nextId,
    });
    // Ids that were given to mail that was then taken back make no difference to what is said.
    const isSame = isDeepStrictEqual(reread(withoutIds(own)), reread(withoutIds(advanced)));
    if (!isSame) return `${address} takes ${cause.kind} otherwise`;
    if (!advanced) return 'it has not advanced';
    actor.state = reread(advanced.state);
    for (const [childId, call] of Object.entries(actor.state.calls)) {
      if (call.kind !== 'machine') continue;
      const child = this.#actors.get(call.address);
      const expected = { parent: { address, childId, src: call.src }, incarnation: call.effectId };
      const machine = actor.machine.implementations.actors[call.src] as AnyStateMachine;
      if (child) Object.assign(child, { expected });
      else this.#actors.set(call.address, { machine, state: undefined, expected, mail: [] });
    }
    for (const mail of advanced.mail) this.#post(address, mail);
    return undefined;
  }

  #post(from: string, mail: PlannedMessage): void {
    for (const to of mail.to) {
      const { id, isControl } = mail;
      const { type, content, data, threadId, replyTo } = mail.draft;
      const message: Message = {
        id,
        room: 'explored',
        from,
        to: mail.to,
        type,
        sentAt: new Date(0).toISOString(),
        content,
        ...(data === undefined ? {} : { data: reread(data) }),
        ...(threadId === undefined ? {} : { threadId }),
        ...(replyTo === undefined ? {} : { replyTo }),
      };
      const isDeclared =
        isCommonType(type) || [...this.#actors.values()].some(({ machine }) => type in acceptedBy(machine).schemas);
      const actor = this.#actors.get(to);
      if (!isControl && !isDeclared) this.#undelivered.push({ from, mail });
      else if (actor) actor.mail.push({ message, isControl });
      else if (!this.#agents.has(to)) this.#undelivered.push({ from, mail });
    }
  }
}

function withoutIds(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value ?? null).replaceAll(/00000000-0000-7[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}|more-\d+/g, 'id'),
  );
}

/** As it comes back from the disk. */
function reread<T>(value: T): T {
  return value === undefined ? value : (JSON.parse(JSON.stringify(value)) as T);
}
