import type { StepResult } from '../../src/step/step.ts';
import { stepWorkflow } from '../../src/step/step.ts';
import type { Cause } from '../../src/step/cause.ts';
import type { WorkflowState } from '../../src/step/workflow-state.ts';
import type { Message } from '../../src/message/message.ts';
import type { AnyStateMachine } from 'xstate';

export const RUN = 'abcdef012345';
export const ADDRESS = 'ship';

/** A verified message. Default: from bob. */
export function messageOf(fields: Partial<Message>): Message {
  return {
    id: '00000000-0000-7000-8000-000000000001',
    room: 'r',
    from: 'bob',
    to: [ADDRESS],
    type: 'INFO',
    sentAt: '1970-01-01T00:00:00.000Z',
    content: 'words',
    ...fields,
  };
}

/** A workflow that is started and takes one cause after the other; each state goes through JSON. */
export class Played {
  readonly #machine: AnyStateMachine;
  readonly #address: string;
  #ids = 0;
  last!: StepResult;

  constructor(
    machine: AnyStateMachine,
    { input = null, address = ADDRESS, parent }: Partial<Cause & { kind: 'start' }> & { address?: string } = {},
  ) {
    this.#machine = machine;
    this.#address = address;
    this.take({ kind: 'start', incarnation: RUN, input, ...(parent ? { parent } : {}) });
  }

  get state(): WorkflowState {
    return this.last.state;
  }

  /** The state value. */
  get value(): unknown {
    return (this.state.snapshot as { value: unknown } | null)?.value;
  }

  get context(): unknown {
    return (this.state.snapshot as { context: unknown }).context;
  }

  take(cause: Cause, at = 1_000): StepResult {
    const state = this.last && (JSON.parse(JSON.stringify(this.last.state)) as WorkflowState);
    const nextId = (): string => `00000000-0000-7000-8000-${String(++this.#ids).padStart(12, '0')}`;
    this.last = stepWorkflow({ machine: this.#machine, address: this.#address, state, cause, at, nextId });
    return this.last;
  }

  /** A message with this as its event. */
  event(type: string, more: Record<string, unknown> = {}): StepResult {
    const { id, from } = messageOf({});
    return this.take({ kind: 'message', mail: { id, from, type }, event: { type, from, messageId: id, ...more } });
  }

  timer(timer: string): StepResult {
    const armed = this.state.timers[timer];
    if (!armed) throw new Error(`no timer ${timer} among ${Object.keys(this.state.timers).join()}`);
    const { dueAt } = armed;
    return this.take({ kind: 'timer', timer, dueAt, ...('event' in armed ? { event: armed.event } : {}) }, dueAt);
  }

  /** The result of an activity. */
  result(call: string, output: unknown): StepResult {
    const { src = '', effectId = '' } = this.state.calls[call] ?? {};
    const event = { type: `xstate.done.actor.${call}`, output, actorId: call };
    return this.take({ kind: 'result', call, src, effectId, event });
  }
}
