import { whereabouts } from '../../journal/describe.ts';
import { NO_TIMERS } from './clock.ts';
import { FindingKeeper, type Findings } from './findings.ts';
import { fingerprint, forgetEnded } from './fingerprint.ts';
import { lineOf } from './line.ts';
import type { Taken } from './move.ts';
import { movesOf, takeCause } from './moves.ts';
import { type AgentAt, seen, type Situation, type WorkflowAt } from './situation.ts';
import {
  assertSystem,
  incarnationOf,
  type Machines,
  type SituationSeen,
  type SystemUnderTest,
  type WorkflowSeen,
} from './system.ts';

const STATES_MAX = 20_000;
/** Of a state, on average. */
const TRANSITIONS_MAX = 25;
/** Each can be answered in any order, so more are only met where they grow without end. */
const OPEN_MAX = 100;
/** Mail that nobody takes piles up likewise, but in one order: a share of the states. */
const TRANSIT_SHARE = 1 / 20;

/** What `explore` explores, and what it checks. */
export interface ExploreOptions<TMachines extends Machines = Machines> extends SystemUnderTest<TMachines> {
  /** Checks every situation: returns the fault as a sentence, or undefined. Default: nothing is checked. */
  readonly invariant?: (situation: SituationSeen) => string | undefined;
  /** Describes an end; ends with the same description count as one. Default: the state of each workflow. */
  readonly summarize?: (situation: SituationSeen) => string;
  /** The most situations to explore; 25 times as many transitions are the limit as well. Default: 20,000. */
  readonly statesMax?: number;
}

/** An end of a system: nothing more happens by itself, though agents may still send what they need not send. */
export interface End {
  /** The description of the end, from `summarize`. */
  readonly summary: string;
  /** The shortest way to it, one line per event. */
  readonly path: readonly string[];
  /** How many situations have this description. */
  readonly count: number;
  /** The workflows of the first such situation, by address. */
  readonly workflows: Readonly<Record<string, WorkflowSeen>>;
}

/** A fault of a system. */
export interface Violation {
  /** The fault as a sentence. */
  readonly what: string;
  /** The shortest way to it, one line per event. */
  readonly path: readonly string[];
  /** How many situations have this fault. */
  readonly count: number;
}

/** What `explore` found. */
export interface Exploration extends Findings {
  /** How many different situations were explored. */
  readonly states: number;
  /** How many transitions between situations were taken. */
  readonly transitions: number;
  /** The number of events on the longest of the shortest ways to a situation. */
  readonly depth: number;
  /** False if a limit was reached: there may be more ends and faults than were found. */
  readonly isComplete: boolean;
  /** Which limit was reached and what kept growing, as a sentence. */
  readonly cutOff?: string;
  /** The ends of the system. */
  readonly ends: readonly End[];
  /** The situations in which `invariant` does not hold. */
  readonly violations: readonly Violation[];
  /** The situations from which no end can be reached; only known for a complete exploration. */
  readonly endless: readonly Violation[];
  /** Mail that no agent could ever send, because its recipient was never there. */
  readonly neverSent: readonly string[];
}

interface Node {
  readonly parent: number;
  readonly line: string;
  readonly depth: number;
}

/**
 * Explores everything that a system of workflows can do: every order of delivery, every timer before or after any other event,
 * every outcome of every activity, every answer of every agent, early or late. It takes steps with the same functions as a
 * host, so the result is exact for machines that decide only by their context and event.
 *
 * Order: mail between two actors keeps its order, except that control mail can overtake, as in a room; other mail is
 * unordered. A timer fires at any time from its due time on; timers of one workflow fire in the order of their due times.
 *
 * Not explored: crashes (a step is atomic), full mailboxes and rate limits (they only delay), expiry, children whose
 * `systemId` is the address of another workflow's child, and workflows that start later than others.
 *
 * @throws `InvalidInput` for a system that cannot exist, such as two actors with one address.
 *
 * @example
 * ```ts
 * import { accepts, tell } from 'agent-mailroom/workflow';
 * import { assertEnds, explore } from 'agent-mailroom/testing';
 * import { setup } from 'xstate';
 * import { z } from 'zod';
 *
 * const mail = accepts({ APPROVED: z.object({}) });
 * const machine = setup({ schemas: mail, types: { events: mail.events } }).createMachine({
 *   id: 'ship',
 *   initial: 'waiting',
 *   entry: tell('alice', { type: 'QUESTION', content: 'May I ship?' }),
 *   states: {
 *     waiting: { on: { APPROVED: 'shipped' }, after: { 60_000: 'late' } },
 *     shipped: { type: 'final' },
 *     late: { type: 'final' },
 *   },
 * });
 *
 * const exploration = explore({
 *   workflows: { ship: { machine } },
 *   agents: { alice: { answers: ({ type }) => (type === 'QUESTION' ? [{ type: 'APPROVED', data: {} }, null] : []) } },
 * });
 * assertEnds(exploration, [/shipped/, /late/]);
 * ```
 */
export function explore<const TMachines extends Machines>(options: ExploreOptions<TMachines>): Exploration {
  assertSystem(options);
  return new Explorer(options).explore();
}

class Explorer {
  readonly #options: ExploreOptions;
  readonly #nodes: Node[] = [];
  readonly #known = new Map<string, number>();
  readonly #queue: (Situation | undefined)[] = [];
  readonly #edges: number[][] = [];
  readonly #ends: number[] = [];
  readonly #endsByWords = new Map<string, End & { count: number }>();
  readonly #violations = new Map<string, Violation & { count: number }>();
  readonly #findings = new FindingKeeper();
  readonly #everSent = new Set<string>();
  #transitions = 0;
  #cutOff: string | undefined;

  constructor(options: ExploreOptions) {
    this.#options = options;
  }

  explore(): Exploration {
    const { situation, lines } = commitStarts(this.#options, (taken, path) => this.#findings.add(taken, () => path));
    this.#meet(situation, { parent: -1, line: '', depth: 0 }, lines);
    for (let at = 0; at < this.#queue.length; at++) this.#visit(at);
    return {
      states: this.#nodes.length,
      transitions: this.#transitions,
      depth: Math.max(0, ...this.#nodes.slice(-1).map(({ depth }) => depth)),
      isComplete: this.#cutOff === undefined,
      ...(this.#cutOff === undefined ? {} : { cutOff: this.#cutOff }),
      ends: [...this.#endsByWords.values()],
      ...this.#findings.all,
      violations: [...this.#violations.values()],
      endless: this.#cutOff === undefined ? this.#endless() : [],
      neverSent: this.#neverSent(),
    };
  }

  #visit(at: number): void {
    const situation = this.#queue[at];
    if (!situation) return;
    this.#queue[at] = undefined;
    const { statesMax = STATES_MAX } = this.#options;
    const most = TRANSITIONS_MAX * statesMax;
    const grown = grownIn(situation, Math.max(OPEN_MAX, statesMax * TRANSIT_SHARE));
    if (grown !== undefined || this.#transitions >= most) {
      this.#cutOff ??= grown ?? `there are more than ${most} transitions, 25 times statesMax`;
      return;
    }
    for (const [name, { sent }] of situation.agents) {
      for (const [index, times] of sent.entries()) if (times > 0) this.#everSent.add(`${name} ${index}`);
    }
    const moves = movesOf(this.#options, situation);
    if (!moves.some(({ isCertain }) => isCertain)) this.#end(at, situation);
    for (const move of moves) {
      const taken = move.take();
      this.#transitions += 1;
      const line = lineOf(taken);
      this.#findings.add(taken, () => [...this.#pathTo(at), line]);
      const { depth } = this.#nodes[at] ?? { depth: 0 };
      const next = this.#meet(forgetEnded(taken.situation), { parent: at, line, depth: depth + 1 });
      if (next !== undefined) (this.#edges[next] ??= []).push(at);
    }
  }

  /** The number of the situation; undefined for a new one where there are too many already. */
  #meet(situation: Situation, node: Node, path?: readonly string[]): number | undefined {
    const { statesMax = STATES_MAX, invariant } = this.#options;
    const print = fingerprint(this.#options, situation);
    const known = this.#known.get(print);
    if (known !== undefined) return known;
    if (this.#nodes.length >= statesMax) {
      this.#cutOff ??= `there are more than ${statesMax}, see statesMax`;
      return undefined;
    }
    const number = this.#nodes.push(node) - 1;
    this.#known.set(print, number);
    this.#queue.push(situation);
    const what = invariant?.(seen(situation));
    if (what !== undefined) {
      const before = this.#violations.get(what);
      if (before) before.count += 1;
      else this.#violations.set(what, { what, path: path ?? this.#pathTo(number), count: 1 });
    }
    return number;
  }

  #end(at: number, situation: Situation): void {
    this.#ends.push(at);
    const { summarize } = this.#options;
    const view = seen(situation);
    const summary = summarize?.(view) ?? summaryOf(situation);
    const before = this.#endsByWords.get(summary);
    if (before) before.count += 1;
    else this.#endsByWords.set(summary, { summary, path: this.#pathTo(at), count: 1, workflows: view.workflows });
  }

  /** The first situation from which no way leads to an end. */
  #endless(): Violation[] {
    const canEnd = new Set(this.#ends);
    for (const at of canEnd) for (const before of this.#edges[at] ?? []) canEnd.add(before);
    const first = this.#nodes.findIndex((_, at) => !canEnd.has(at));
    if (first === -1) return [];
    const count = this.#nodes.length - canEnd.size;
    return [{ what: 'from here on something always happens, and no end is reached', path: this.#pathTo(first), count }];
  }

  #neverSent(): string[] {
    return Object.entries(this.#options.agents ?? {}).flatMap(([name, { sends = [] }]) =>
      sends.flatMap(({ type, to }, index) =>
        this.#everSent.has(`${name} ${index}`) ? [] : [`${name}: ${type} to ${to}`],
      ),
    );
  }

  #pathTo(at: number): string[] {
    const path: string[] = [];
    for (let node = this.#nodes[at]; node && node.parent >= 0; node = this.#nodes[node.parent]) path.push(node.line);
    return path.reverse();
  }
}

/** What piles up: a system that goes on asking or sending has no last situation. */
function grownIn({ agents, transit }: Situation, transitMax: number): string | undefined {
  const last = transit.at(-1);
  if (last && transit.length > transitMax)
    return `more than ${transitMax} messages are on their way, the last from ${last.message.from} to ${last.to}`;
  const [name] = [...agents].find(([, { open }]) => open.length > OPEN_MAX) ?? [];
  if (name === undefined) return undefined;
  return `${name} may still answer more than ${OPEN_MAX} messages: let the machine ask only so many times`;
}

/** `ship: shipped (done), reviewer: idle` */
function summaryOf({ workflows }: Situation): string {
  return [...workflows]
    .filter(([, { state, expected }]) => !expected || !state || state.status === 'active')
    .map(([address, { state }]) => `${address}: ${state ? whereabouts(state) : 'not started'}`)
    .join(', ');
}

/**
 * The situation in which every workflow that is started by hand has taken its first step. In which order they do makes no
 * difference: nobody can have sent them anything that would not wait.
 */
export function commitStarts(
  system: SystemUnderTest,
  tell: (taken: Taken, path: readonly string[]) => void,
): { readonly situation: Situation; readonly lines: readonly string[] } {
  const workflows = Object.entries(system.workflows).map(([address, { machine }]): [string, WorkflowAt] => [
    address,
    { machine, state: undefined, timers: NO_TIMERS, isNumbered: false },
  ]);
  const agents = Object.entries(system.agents ?? {}).map(([name, { sends = [] }]): [string, AgentAt] => [
    name,
    { sent: sends.map(() => 0), open: [], remembered: [] },
  ]);
  let situation: Situation = { workflows: new Map(workflows), transit: [], undeliverable: [], agents: new Map(agents) };
  const lines: string[] = [];
  for (const [address, { input }] of Object.entries(system.workflows)) {
    const incarnation = incarnationOf(address);
    const taken = takeCause(system, situation, { address, cause: { kind: 'start', incarnation, input } });
    situation = taken.situation;
    lines.push(lineOf(taken));
    tell(taken, [...lines]);
  }
  return { situation, lines };
}
