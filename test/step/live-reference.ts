import { initialTransition, transition, type AnyMachineSnapshot, type AnyStateMachine, type EventObject } from 'xstate';

/** The outcome of one step, in a form that does not depend on the implementation. */
export interface Outcome {
  readonly verdict: 'stepped' | 'unhandled' | 'failed';
  readonly status: string;
  readonly value: unknown;
  readonly context: unknown;
  readonly output: unknown;
  readonly children: readonly string[];
  readonly history: unknown;
  readonly effects: readonly unknown[];
}

/** XState itself, on snapshots that live on and are never persisted. */
export class LiveReference {
  readonly #machine: AnyStateMachine;
  #snapshot: AnyMachineSnapshot | undefined;

  constructor(machine: AnyStateMachine) {
    this.#machine = machine;
  }

  /**
   * Whether XState's live snapshot has each state that its value names, and no other, in the order in which a restored one
   * has them. (5.33 loses the root, or an ancestor, on some ways through a history state; and states that are entered later
   * come last, which decides between `always` transitions of parallel states.)
   */
  get standing(): 'same' | 'reordered' | 'broken' {
    const { value, _nodes } = this.#snapshot ?? {};
    const live = (_nodes ?? []).map(({ id }) => id);
    const { root } = this.#machine;
    const restored = [root.id];
    for (let level = [{ id: root.id, value }]; level.length > 0;) {
      level = level.flatMap((one) =>
        typeof one.value === 'string'
          ? [{ id: `${one.id}.${one.value}`, value: undefined }]
          : Object.entries((one.value ?? {}) as object).map(([key, inner]) => ({
              id: `${one.id}.${key}`,
              value: inner as never,
            })),
      );
      restored.push(...level.map(({ id }) => id));
    }
    if (live.join() === restored.join()) return 'same';
    return live.toSorted().join() === restored.toSorted().join() ? 'reordered' : 'broken';
  }

  begin(input: unknown): Outcome {
    const [snapshot, actions] = initialTransition(this.#machine, input);
    const next = snapshot as AnyMachineSnapshot;
    // How far it got does not matter: nothing of it is kept.
    if (next.status === 'error') return NOT_BEGUN;
    this.#snapshot = next;
    return this.#outcome(next, actions);
  }

  take(event: EventObject): Outcome {
    const before = this.#snapshot;
    if (!before) throw new Error('not begun');
    try {
      const isSelected = this.#machine.getTransitionData(before, event).length > 0;
      const [snapshot, actions] = transition(this.#machine, before, event);
      const next = snapshot as AnyMachineSnapshot;
      this.#snapshot = next;
      const isUnhandled =
        !isSelected &&
        actions.length === 0 &&
        next.status === before.status &&
        next.context === before.context &&
        JSON.stringify(next.value) === JSON.stringify(before.value);
      return { ...this.#outcome(next, actions), verdict: isUnhandled ? 'unhandled' : 'stepped' };
    } catch {
      return { ...this.#outcome(before, []), verdict: 'failed' };
    }
  }

  #outcome(snapshot: AnyMachineSnapshot, actions: readonly { type: string; params?: unknown }[]): Outcome {
    const { status, value, context, output, children, historyValue } = snapshot;
    return {
      verdict: 'stepped',
      status,
      value,
      context,
      output: status === 'done' ? output : undefined,
      children: Object.keys(children)
        .filter((id) => children[id] !== undefined)
        .sort(),
      history: Object.fromEntries(
        Object.entries(historyValue as Record<string, readonly { id: string }[]>).map(([key, nodes]) => [
          key,
          nodes.map(({ id }) => id).sort(),
        ]),
      ),
      effects: actions.map(effectWords).filter((one) => one !== undefined),
    };
  }
}

const NOT_BEGUN: Outcome = {
  verdict: 'failed',
  status: 'error',
  value: undefined,
  context: undefined,
  output: undefined,
  children: [],
  history: {},
  effects: [],
};

type Loose = Record<string, unknown>;

/** An action of XState in the words of `wordsOf`. */
function effectWords({ type, params }: { type: string; params?: unknown }): unknown {
  const given = (params ?? {}) as Loose;
  switch (type) {
    case 'xstate.sendTo': {
      const { event, delay, id, to } = given as { event: Loose; delay?: number; id?: string; to: { id: string } };
      if (event['type'] === 'mailroom.mail') return ['send', to.id, event['message'], delay, id];
      return isSelf(to) ? ['raise', event, delay ?? 0, id] : ['send', to.id, event, delay, id];
    }
    case 'xstate.raise':
      return given['delay'] === undefined ? undefined : ['raise', given['event'], given['delay'], given['id']];
    case 'xstate.cancel':
      return ['cancel', given['sendId'] ?? params];
    case 'xstate.spawnChild':
      return ['start', given['id'], given['src'], given['input'] ?? null, given['systemId']];
    case 'xstate.stopChild':
      return params === undefined ? undefined : ['stop', (params as { id: string }).id];
    case 'xstate.log':
      return ['log', given['label'], given['value']];
    case 'xstate.emit':
      return ['emit', given['event']];
    default:
      return ['action', type, params ?? null];
  }
}

function isSelf(to: object): boolean {
  return 'logic' in to && (to as Loose)['_parent'] === undefined;
}
