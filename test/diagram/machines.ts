import fc from 'fast-check';
import { createMachine, type AnyStateMachine, type StateValue } from 'xstate';
import { anyCharacter } from '../message/property.ts';

/** Names with a meaning in Mermaid, Markdown, HTML, XML or JavaScript, or that look like another name. */
export const HOSTILE_NAMES = [
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '&lt;b&gt;',
  ']]>',
  '"quoted"',
  "it's",
  'a:b',
  'a;b',
  'a#b',
  'a{b}',
  'a-b',
  'a_b',
  'a b',
  'A B',
  ' ',
  '  a  b ',
  '\u00a0',
  '[x](javascript:alert(1))',
  '[[fork]]',
  '<<fork>>',
  '[*]',
  '-->',
  '--',
  '%%',
  '%%{init: {}}%%',
  '```',
  '$$x$$',
  '**b**',
  '__b__',
  '~~s~~',
  '| t |',
  '1. item',
  '- item',
  '# head',
  '> quote',
  'www.example.org',
  'https://example.org',
  'fa:fa-ban',
  'end',
  'end note',
  'End_',
  'note',
  'state',
  'style',
  'classDef',
  'class',
  'default',
  'direction TB',
  'direction  lr',
  'click x call alert(1)',
  'root',
  'root_start',
  'x_end',
  'constructor',
  'toString',
  '1',
  'new\nline',
  '\r',
  '\u2028',
  '\u202e',
  '\ud800',
  '\uffff',
  '日本',
  '🎉',
  'tail\\',
  '\0',
] as const;

export type Kind = 'atomic' | 'compound' | 'parallel' | 'final' | 'history';

/** A state of a generated machine. Its number is its place among them, from the outside in. */
export interface MadeState {
  readonly number: number;
  readonly name: string;
  readonly kind: Kind;
  readonly parent: MadeState | undefined;
  readonly children: readonly MadeState[];
}

export interface MadeTransition {
  readonly source: MadeState;
  readonly targets: readonly MadeState[];
  /** No other transition of the machine has it. */
  readonly event: string;
  readonly guard: string | undefined;
  readonly action: string | undefined;
}

export interface MadeMachine {
  readonly machine: AnyStateMachine;
  readonly states: readonly MadeState[];
  readonly transitions: readonly MadeTransition[];
  readonly value: StateValue;
  /** The states that `value` names. */
  readonly active: ReadonlySet<MadeState>;
}

interface Tree {
  readonly name: string;
  readonly kind: Kind;
  readonly children: readonly Tree[];
}

const names = fc.oneof(
  fc.constantFrom(...HOSTILE_NAMES),
  fc.string({ unit: anyCharacter, minLength: 1, maxLength: 12 }),
  fc.stringMatching(/^[a-c]$/),
);
/** XState itself cannot hold a state of this name. */
const stateNames = names.filter((name) => name !== '__proto__');

const { tree } = fc.letrec<{ tree: Tree; leaf: Tree; node: Tree }>((tie) => ({
  leaf: fc.record({
    name: stateNames,
    kind: fc.constantFrom<Kind>('atomic', 'atomic', 'final', 'history'),
    children: fc.constant([]),
  }),
  node: fc.record({
    name: stateNames,
    kind: fc.constantFrom<Kind>('compound', 'compound', 'parallel'),
    children: fc.uniqueArray(tie('tree'), { minLength: 1, maxLength: 4, selector: ({ name }) => name }),
  }),
  tree: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    { arbitrary: tie('leaf'), weight: 2 },
    { arbitrary: tie('node'), weight: 2 },
  ),
}));

const arrows = fc.array(
  fc.record({
    source: fc.nat(),
    targets: fc.array(fc.nat(), { maxLength: 3 }),
    event: names,
    guard: fc.option(names, { nil: undefined }),
    action: fc.option(names, { nil: undefined }),
  }),
  { maxLength: 12 },
);

/** Machines of nested, parallel, final and history states, in which any state may lead to any other. */
export function machines(): fc.Arbitrary<MadeMachine> {
  return fc.tuple(tree, arrows).map(([root, drawn]) => {
    const states: MadeState[] = [];
    number(root, undefined, states);
    const sources = states.filter(({ kind }) => kind !== 'final' && kind !== 'history');
    const transitions = drawn.flatMap(({ source, targets, event, ...rest }, index) => {
      const from = sources[source % sources.length];
      const to = targets.map((target) => states[target % states.length]).filter((state) => state !== undefined);
      // The number makes each event unique.
      return from ? [{ source: from, targets: [...new Set(to)], event: `${event}~${index}`, ...rest }] : [];
    });
    const [top] = states;
    if (!top) throw new Error('A tree has a root.');
    const active = new Set<MadeState>();
    const value = valueOf(top, active);
    const config = { ...configOf(top, transitions), id: 'node-0' };
    return {
      machine: createMachine(config as Parameters<typeof createMachine>[0]),
      states,
      transitions,
      value,
      active,
    };
  });
}

function number(made: Tree, parent: MadeState | undefined, states: MadeState[]): MadeState {
  const children: MadeState[] = [];
  // A machine cannot consist of a single final or history state.
  const kind = parent || made.children.length > 0 ? made.kind : 'atomic';
  const state = { number: states.length, name: made.name, kind, parent, children };
  states.push(state);
  // An object has its numeric keys first, whatever the order in which they were written.
  const inOrder = Object.values(Object.fromEntries(made.children.map((child) => [child.name, child])));
  for (const child of inOrder) children.push(number(child, state, states));
  return state;
}

function configOf(state: MadeState, transitions: readonly MadeTransition[]): object {
  const own = transitions.filter(({ source }) => source === state);
  const on = own.map(({ event, targets, guard, action }) => [
    event,
    {
      ...(targets.length > 0 && { target: targets.map((target) => `#node-${target.number}`) }),
      ...(guard !== undefined && { guard: { type: guard } }),
      ...(action !== undefined && { actions: { type: action } }),
    },
  ]);
  const states = Object.fromEntries(state.children.map((child) => [child.name, configOf(child, transitions)]));
  const isPlain = state.kind === 'compound' || state.kind === 'atomic';
  return {
    id: `node-${state.number}`,
    ...(!isPlain && { type: state.kind }),
    ...(state.kind === 'compound' && { initial: firstOf(state).name }),
    ...(own.length > 0 && { on: Object.fromEntries(on) as object }),
    ...(state.children.length > 0 && { states }),
  };
}

/** The value that names the initial child everywhere, and all regions. */
function valueOf(state: MadeState, active: Set<MadeState>): StateValue {
  const entered = state.kind === 'parallel' ? state.children : state.children.slice(0, 1);
  return Object.fromEntries(
    entered.map((child) => {
      active.add(child);
      return [child.name, valueOf(child, active)];
    }),
  );
}

function firstOf(state: MadeState): MadeState {
  const [first] = state.children;
  if (!first) throw new Error('A compound state has children.');
  return first;
}
