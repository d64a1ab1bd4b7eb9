import { createActor, SimulatedClock, type AnyStateMachine } from 'xstate';
import { stepWorkflow, type StepResult } from '../../src/step/step.ts';
import { type Activity, durableWorkOf } from '../../src/workflow/activity.ts';
import { resultEvent, type Cause } from '../../src/step/cause.ts';
import { isKin } from '../../src/step/kin.ts';
import type { PlannedMessage } from '../../src/step/outgoing.ts';
import { receive, type ExpectedStart } from '../../src/step/receive.ts';
import { isAwaited, type PlainEvent, type WorkflowState } from '../../src/step/workflow-state.ts';
import { RUN } from './mail.ts';

/** What happens to a machine: an event is sent to it, or that many ms pass. */
export type Script = readonly (PlainEvent | number)[];

/** What is visible of a machine from outside, after its start and after each part of the script. */
export interface Seen {
  readonly states: readonly {
    readonly status: string;
    readonly value?: unknown;
    readonly context?: unknown;
    readonly output?: unknown;
  }[];
  readonly logged: readonly unknown[];
  readonly emitted: readonly unknown[];
  readonly error: unknown;
}

interface Given {
  readonly input?: unknown;
  readonly script?: Script;
}

/** XState itself: a living actor, with a clock that is moved by hand. */
export async function onXState(machine: AnyStateMachine, { input, script = [] }: Given): Promise<Seen> {
  const clock = new SimulatedClock();
  const logged: unknown[] = [];
  const emitted: unknown[] = [];
  const states: Seen['states'][number][] = [];
  const actor = createActor(machine, { input, clock, logger: (...words: unknown[]) => logged.push(words.at(-1)) });
  actor.on('*', (event) => emitted.push(event));
  // An error subscriber keeps XState from throwing into the process.
  actor.subscribe({ error: () => {} });
  const look = async (): Promise<void> => {
    // A timer without delay does not wait for the next ms.
    for (let turn = 0; turn < 3; turn++) {
      await quiet();
      clock.increment(0);
    }
    const { status, value, context, output } = actor.getSnapshot();
    states.push(status === 'error' ? { status } : structuredClone({ status, value, context, output }));
  };
  actor.start();
  await look();
  for (const part of script) {
    if (typeof part === 'number') await passOn(clock, part);
    else actor.send(part);
    await look();
  }
  const { error } = actor.getSnapshot() as { error?: unknown };
  actor.stop();
  return { states, logged, emitted, error };
}

/** One ms at a time, so that a promise can resolve between two timers. */
async function passOn(clock: SimulatedClock, ms: number): Promise<void> {
  for (let gone = 0; gone < ms; gone++) {
    clock.increment(1);
    await quiet();
  }
}

/** The same with the host's own functions; every state goes through JSON, as if each step ran in another host. */
export async function onMailroom(machine: AnyStateMachine, { input, script = [] }: Given): Promise<Seen> {
  const room = new RoomOnPaper(machine);
  const states: Seen['states'][number][] = [];
  const look = async (): Promise<void> => {
    await room.settle();
    const { status, snapshot, output } = room.root;
    const { value, context } = (snapshot ?? {}) as { value?: unknown; context?: unknown };
    states.push(status === 'error' ? { status } : structuredClone({ status, value, context, output }));
  };
  room.take('root', { kind: 'start', incarnation: RUN, input });
  await look();
  for (const part of script) {
    if (typeof part === 'number') await room.pass(part);
    else room.take('root', { kind: 'message', mail: { id: 'm', from: 'alice', type: 'X' }, event: part });
    await look();
  }
  const { logged, emitted } = room;
  return { states, logged, emitted, error: room.root.error };
}

interface Actor {
  readonly machine: AnyStateMachine;
  state: WorkflowState | undefined;
  expected: ExpectedStart | undefined;
}

class RoomOnPaper {
  readonly logged: unknown[] = [];
  readonly emitted: unknown[] = [];
  readonly #actors = new Map<string, Actor>();
  readonly #begun = new Set<string>();
  readonly #waiting: { readonly from: string; readonly mail: PlannedMessage }[] = [];
  #now = 0;
  #ids = 0;

  constructor(machine: AnyStateMachine) {
    this.#actors.set('root', { machine, state: undefined, expected: undefined });
  }

  get root(): WorkflowState {
    const state = this.#actors.get('root')?.state;
    if (!state) throw new Error('the machine has not begun');
    return state;
  }

  take(address: string, cause: Cause): void {
    const actor = this.#actors.get(address);
    if (!actor) throw new Error(`there is no ${address}`);
    const at = (one: string) => {
      const { expected, state } = this.#actors.get(one) ?? {};
      return { parent: expected?.parent.address, state };
    };
    const nextId = (): string => String(++this.#ids).padStart(26, '0');
    const advanced: StepResult = stepWorkflow({
      machine: actor.machine,
      address,
      state: actor.state,
      cause: asText(cause),
      at: this.#now,
      nextId,
      isKin: (one) => isKin(one, { of: address, at }),
    });
    actor.state = asText(advanced.state);
    if (address === 'root') {
      this.logged.push(...advanced.logs.filter(({ label }) => label !== 'not sent').map(({ value }) => value));
      this.emitted.push(...advanced.emitted);
    }
    this.#waiting.push(...advanced.mail.map((mail) => ({ from: address, mail })));
    this.#openChildren(address, actor);
  }

  /** Runs until nothing more happens without the clock. */
  async settle(): Promise<void> {
    for (;;) {
      this.#work();
      await quiet();
      const next = this.#waiting.shift();
      if (next) this.#deliver(next.from, next.mail);
      else if (!this.#fire()) return;
    }
  }

  async pass(ms: number): Promise<void> {
    for (let gone = 0; gone < ms; gone++) {
      this.#now += 1;
      await this.settle();
    }
  }

  /** Fires the timer that is due first. Returns whether there is one. */
  #fire(): boolean {
    const due = [...this.#actors].flatMap(([address, { state }]) =>
      Object.entries(state?.timers ?? {})
        .filter(([, { dueAt }]) => dueAt <= this.#now)
        .map(([timer, one]) => ({ address, timer, one })),
    );
    const [first] = due.sort((a, b) => a.one.dueAt - b.one.dueAt);
    if (!first) return false;
    const { address, timer, one } = first;
    const event = 'event' in one ? { event: one.event } : {};
    this.take(address, { kind: 'timer', timer, dueAt: one.dueAt, ...event });
    return true;
  }

  #openChildren(parent: string, { machine, state }: Actor): void {
    for (const [childId, call] of Object.entries(state?.calls ?? {})) {
      if (call.kind !== 'machine') continue;
      const expected = { parent: { address: parent, childId, src: call.src }, incarnation: call.effectId };
      const before = this.#actors.get(call.address);
      if (before) before.expected = expected;
      else {
        const child = machine.implementations.actors[call.src] as AnyStateMachine;
        this.#actors.set(call.address, { machine: child, state: undefined, expected });
      }
    }
  }

  #deliver(from: string, { id, to: [to = ''], draft }: PlannedMessage): void {
    const actor = this.#actors.get(to);
    if (!actor) return;
    const message = asText({ v: 1, id, from, to: [to], room: 'r', ...draft }) as unknown as Parameters<
      typeof receive
    >[0];
    const received = receive(message, { address: to, ...actor });
    if ('cause' in received) this.take(to, received.cause);
  }

  /** Runs the activities that a state waits for and feeds their results back. */
  #work(): void {
    for (const [address, { machine, state }] of this.#actors) {
      for (const [childId, call] of Object.entries(state?.calls ?? {})) {
        if (call.kind !== 'activity' || this.#begun.has(call.effectId)) continue;
        this.#begun.add(call.effectId);
        const { src, effectId, input } = call;
        const work = durableWorkOf(machine.implementations.actors[src]) as Activity;
        const around = { effectId, childId, src, signal: new AbortController().signal };
        void endingOf(work, { childId, src, input, around }).then((event) => {
          const cause = { kind: 'result', call: childId, src, effectId, event } as const;
          if (isAwaited(cause, this.#actors.get(address)?.state)) this.take(address, cause);
          return undefined;
        });
      }
    }
  }
}

async function endingOf(
  work: Activity,
  call: { childId: string; src: string; input: unknown; around: Parameters<Activity['run']>[1] },
): Promise<PlainEvent> {
  const { childId, src, input, around } = call;
  try {
    return resultEvent(childId, src, { output: await work.run(input, around) });
  } catch (error) {
    return resultEvent(childId, src, { error });
  }
}

function asText<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

/** Resolves after all promises that wait for nothing external. */
async function quiet(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}
