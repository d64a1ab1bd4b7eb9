import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import {
  and,
  assign,
  cancel,
  createMachine,
  emit,
  enqueueActions,
  fromPromise,
  log,
  not,
  or,
  raise,
  sendTo,
  setup,
  spawnChild,
  stateIn,
  stopChild,
} from 'xstate';
import { toMermaid } from '../../src/diagram/mermaid.ts';
import { graphName } from '../../src/diagram/labels.ts';
import { broadcast, reply, tell } from '../../src/workflow/send.ts';
import { parseDiagram, type Diagram, type ParsedState } from './mermaid-grammar.ts';
import { HOSTILE_NAMES, machines, type MadeState } from './machines.ts';
import { amount } from '../run/amount.ts';

const RUNS = amount(50, { long: 200 });

describe('toMermaid', () => {
  it('writes a small machine as a person would by hand', () => {
    const machine = createMachine({
      initial: 'green',
      states: { green: { on: { NEXT: 'red' } }, red: { after: { 300_000: 'green' } } },
    });
    expect(toMermaid(machine, { value: 'red' })).toBe(
      [
        'stateDiagram-v2',
        '  [*] --> green',
        '  state "green" as green',
        '  state "▶ red" as red',
        '  green --> red : NEXT',
        '  red --> green : after 5 min',
        '  classDef active stroke:#2563eb,stroke-width:3px',
        '  class red active',
        '',
      ].join('\n'),
    );
  });

  it('draws a machine without states as one state', () => {
    expect(toMermaid(createMachine({ id: 'idle' }))).toBe('stateDiagram-v2\n  state "idle" as idle\n');
  });

  it('nests states, divides regions and marks initial, final and history states', () => {
    const machine = createMachine({
      initial: 'build',
      states: {
        build: {
          type: 'parallel',
          states: {
            tests: { initial: 'run', states: { run: {}, ok: { type: 'final' } } },
            docs: {
              initial: 'write',
              states: { write: {}, last: { type: 'history', history: 'deep', target: 'write' } },
            },
          },
        },
        end: { type: 'final' },
      },
    });
    const text = toMermaid(machine, { value: { build: { tests: 'ok', docs: 'write' } } });
    expect(text).toContain(
      [
        '  state "▶ build" as build {',
        '    state "▶ tests" as build_tests {',
        '      [*] --> build_tests_run',
        '      state "run" as build_tests_run',
        '      state "▶ ok" as build_tests_ok',
        '      build_tests_ok --> [*]',
        '    }',
        '    --',
        '    state "▶ docs" as build_docs {',
        '      [*] --> build_docs_write',
        '      state "▶ write" as build_docs_write',
        '      state "last (deep history)" as build_docs_last',
        '    }',
        '  }',
        '  state "end" as end_state',
        '  end_state --> [*]',
        '  build_docs_last --> build_docs_write : default',
      ].join('\n'),
    );
    expect(text).toContain('  class build,build_tests,build_tests_ok,build_docs,build_docs_write active\n');
  });

  it('does not divide regions that hold composite states, which Mermaid 11 fails to draw', () => {
    const inner = { initial: 'c', states: { c: {} } };
    const machine = createMachine({
      initial: 'p',
      states: { p: { type: 'parallel', states: { a: { initial: 'b', states: { b: inner } }, d: {} } } },
    });
    expect(toMermaid(machine)).not.toContain('--\n');
    expect(toMermaid(machine)).toContain('state "p (parallel)" as p {');
  });

  it('labels a transition with its event, guard and actions', () => {
    const noop = (): void => undefined;
    const machine = setup({
      types: { events: {} as { type: string }, emitted: {} as { type: 'DONE' } },
      guards: { isReady: () => true, isLate: () => false },
      actions: { notify: noop, record: noop },
      delays: { patience: 1000 },
      actors: { work: fromPromise(async () => undefined) },
    }).createMachine({
      initial: 'a',
      states: {
        a: {
          always: { target: 'b', guard: stateIn({ a: 'x', c: { d: 'e' } }) },
          after: { 90_000: 'b', 1500: 'b', 250: 'b', patience: { target: 'b', actions: 'notify' } },
          on: {
            PLAIN: 'b',
            GUARDED: { target: 'b', guard: 'isReady', actions: ['notify', assign({}), 'record'] },
            COMBINED: { target: 'b', guard: and(['isReady', not('isLate'), or(['isReady', 'isLate'])]) },
            INLINE: { target: 'b', guard: () => true },
            SELF: 'a',
            AGAIN: { target: 'a', reenter: true },
            COUNT: { actions: assign({}) },
            FORBIDDEN: {},
            '*': 'b',
            'mouse.*': 'b',
            'xstate.done.actor.elsewhere': 'b',
            SENDS: {
              target: 'b',
              actions: [raise({ type: 'UP' }), emit({ type: 'DONE' }), sendTo('child', { type: 'HI' })],
            },
            BUILTIN: {
              target: 'b',
              actions: [log('x'), cancel('timer'), spawnChild('work'), stopChild('child'), enqueueActions(noop)],
            },
            COMPUTED: {
              target: 'b',
              actions: [raise(({ event }) => ({ type: event.type })), sendTo(({ self }) => self, { type: 'ME' })],
            },
          },
        },
        b: {},
      },
    });
    const { edges, states } = parseDiagram(toMermaid(machine));
    expect(edges.filter(({ source }) => source === 'a').map(({ target, label }) => `${label} → ${target}`)).toEqual([
      'PLAIN → b',
      'GUARDED [isReady] / notify, record → b',
      'COMBINED [isReady and not isLate and (isReady or isLate)] → b',
      'INLINE [condition] → b',
      'SELF → a',
      'AGAIN (reenter) → a',
      '* → b',
      'mouse.* → b',
      'done(elsewhere) → b',
      'SENDS / raise UP, emit DONE, send HI to child → b',
      'BUILTIN / log, cancel timer, spawn work, stop child, enqueueActions → b',
      'COMPUTED / raise, send ME → b',
      'after 250 ms → b',
      'after 1.5 s → b',
      'after 90 s → b',
      'after patience / notify → b',
      'always [in a.x & c.d.e] → b',
    ]);
    expect(states[0]?.lines).toEqual(['COUNT', 'FORBIDDEN (ignored)']);
  });

  it('shows the recipient and the type of mail that an action sends, as far as they are constant', () => {
    const content = 'please';
    const machine = setup({ types: { context: {} as { who: string }, events: {} as { type: 'GO' } } }).createMachine({
      context: { who: 'reviewer' },
      entry: [
        tell('reviewer', { type: 'REVIEW-REQUEST', content }),
        tell(['agent-1', 'agent-2'], { type: 'INFO', content }),
        tell('reviewer', ({ context }) => ({ type: 'INFO', content: context.who })),
        tell(({ context }) => context.who, { type: 'INFO', content }),
        broadcast({ type: 'INFO', content }),
        reply({ type: 'ACK', content }),
      ],
    });
    expect(parseDiagram(toMermaid(machine)).states[0]?.lines).toEqual([
      'entry / tell reviewer REVIEW-REQUEST, tell agent-1, agent-2 INFO, tell reviewer, tell INFO, broadcast INFO, reply ACK',
    ]);
  });

  it('shows on a state what it invokes, and what it does on entry and exit', () => {
    const work = fromPromise(async () => undefined);
    const machine = setup({ actors: { runTests: work, lint: work }, actions: { open: () => undefined } }).createMachine(
      {
        initial: 'a',
        states: {
          a: {
            entry: 'open',
            exit: 'open',
            after: { 1000: 'b' },
            invoke: [
              { src: 'runTests', id: 'tests', onDone: 'b', onError: 'b' },
              { src: 'lint', onDone: 'b', onSnapshot: 'b' },
              { src: 'lint', onDone: 'b' },
              { src: work, onError: 'b' },
            ],
          },
          b: { entry: 'open', initial: 'c', states: { c: { type: 'final' } }, onDone: 'a' },
        },
      },
    );
    const { states, edges } = parseDiagram(toMermaid(machine));
    expect(states.map(({ title }) => title)).toEqual(['a', 'b · entry / open', 'c']);
    expect(states[0]?.lines).toEqual([
      '⚙ tests (runTests)',
      '⚙ lint 2',
      '⚙ lint 3',
      '⚙ actor',
      'entry / open',
      'exit / open',
    ]);
    expect(edges.flatMap(({ label }) => label ?? [])).toEqual([
      'done(tests)',
      'error(tests)',
      'done(lint 2)',
      'snapshot(lint 2)',
      'done(lint 3)',
      'error(actor)',
      'after 1 s',
      'onDone',
    ]);
  });

  it('lets a stand-in inside a composite state take its end of an edge that does not leave it', () => {
    const machine = createMachine({
      id: 'ship',
      initial: 'a',
      on: { STOP: '.c', PING: { actions: 'pong' } },
      states: { a: { initial: 'b', on: { IN: '.b' }, states: { b: { on: { OUT: '#ship.a' } } } }, c: {} },
    });
    const { states, edges } = parseDiagram(toMermaid(machine));
    const shown = new Map(states.map(({ id, title, parent }) => [id, `${title} in ${parent}`]));
    expect(edges.slice(2).map((edge) => [shown.get(edge.source), edge.label, shown.get(edge.target)])).toEqual([
      ['any state of ship in ship', 'STOP', 'c in ship'],
      ['any state of a in a', 'IN', 'b in a'],
      ['b in a', 'OUT', 'back to a in a'],
      ['ship in undefined', 'PING / pong (internal)', 'ship in undefined'],
    ]);
  });

  it('leads a transition with several targets through a fork', () => {
    const region = { initial: 'x', states: { x: {}, y: {} } };
    const machine = createMachine({
      initial: 'a',
      states: {
        a: { on: { BOTH: { target: ['p.q.y', 'p.r.y'] } } },
        p: { type: 'parallel', states: { q: region, r: region } },
      },
    });
    const text = toMermaid(machine);
    expect(text).toContain('state a_fork <<fork>>\n');
    expect(text).toContain('  a --> a_fork : BOTH\n  a_fork --> p_q_y\n  a_fork --> p_r_y\n');
  });

  it('finds the default of a history state whose path has escaped dots', () => {
    const machine = createMachine({
      initial: 'a.b',
      states: { 'a.b': { initial: 'c', states: { c: {} } }, h: { type: 'history', target: String.raw`a\.b.c` } },
    });
    expect(toMermaid(machine)).toContain('  h --> a_b_c : default\n');
  });

  it('ignores states of the value that the machine no longer has', () => {
    const machine = createMachine({ initial: 'a', states: { a: {}, b: {} } });
    expect(toMermaid(machine, { value: { constructor: 'x', gone: {}, b: {} } })).toContain('  class b active\n');
  });

  it.each(HOSTILE_NAMES)('shows the name %j only as text', (name) => {
    const machine = createMachine({
      id: name,
      initial: 'first',
      entry: { type: name },
      states: {
        first: { on: { [`${name}!`]: { target: '#last', guard: { type: name }, actions: { type: name } } } },
        [name]: { id: 'last' },
      },
    });
    const { states, edges } = parseDiagram(toMermaid(machine));
    const shown = graphName(name);
    expect(states.map(({ title }) => title).sort()).toEqual([`${shown} · entry / ${shown}`, 'first', shown].sort());
    expect(edges.map(({ label }) => label)).toContain(`${graphName(`${name}!`)} [${shown}] / ${shown}`);
  });

  it('gives names that differ only in punctuation ids of their own', () => {
    const names = ['a-b', 'a_b', 'a b', 'A.B', 'a:b', '-a-b-', 'a_b_2', '?', '!'];
    const states = Object.fromEntries(names.map((name) => [name, {}]));
    const parsed = parseDiagram(toMermaid(createMachine({ initial: 'a-b', states })));
    expect(parsed.states.map(({ title }) => title)).toEqual(names);
    expect(new Set(parsed.states.map(({ id }) => id.toLowerCase())).size).toBe(names.length);
  });

  it('is a diagram in which every state and every transition of any machine appears exactly once', () => {
    fc.assert(
      fc.property(machines(), ({ machine, states, transitions, value, active }) => {
        const text = toMermaid(machine, { value });
        expect(toMermaid(machine, { value })).toBe(text);
        const diagram = parseDiagram(text);
        const shown = matchStates(diagram, states);
        const marked = new Set(diagram.classes.get('active') ?? []);
        expect(marked).toEqual(new Set([...active].map((state) => shown.get(state)?.id)));

        const standIns = new Map(diagram.states.map(({ id, title }) => [id, title]));
        const isFork = new Set(diagram.states.filter((state) => state.isFork).map(({ id }) => id));
        const ownLines = diagram.states.flatMap(({ id, lines }) =>
          lines.map((line) => ({ source: id, target: id, label: line })),
        );
        const labelled = [...diagram.edges, ...ownLines].filter(
          ({ source, label }) => source !== '[*]' && label !== undefined,
        );
        expect(labelled).toHaveLength(transitions.length);
        for (const { source, targets, event } of transitions) {
          const found = labelled.filter(({ label }) => isOf(label ?? '', graphName(event)));
          expect(found).toHaveLength(1);
          const [edge] = found;
          if (!edge) continue;
          const ends = isFork.has(edge.target)
            ? diagram.edges.filter(({ source: from }) => from === edge.target).map(({ target }) => target)
            : [edge.target];
          const expected = targets.length === 0 ? [source] : targets;
          expect(ends).toHaveLength(expected.length);
          expected.forEach((state, index) => {
            const end = ends[index] ?? '';
            expect([shown.get(state)?.id, `back to ${titleOf(state)}`]).toContain(
              standIns.get(end)?.startsWith('back to ') ? standIns.get(end) : end,
            );
          });
          const from = standIns.get(edge.source)?.startsWith('any state of ') ? standIns.get(edge.source) : edge.source;
          expect([shown.get(source)?.id, `any state of ${titleOf(source)}`]).toContain(from);
        }
      }),
      { numRuns: RUNS },
    );
  });
});

/** States are declared in the order in which they were written; only a root that does nothing by itself is not shown. */
function matchStates(diagram: Diagram, states: readonly MadeState[]): Map<MadeState, ParsedState> {
  const standIns = new Set(diagram.classes.get('standIn') ?? []);
  const declared = diagram.states.filter(({ id, isFork }) => !isFork && !standIns.has(id));
  const expected = states.slice(states.length - declared.length);
  expect(states.length - declared.length).toBeLessThanOrEqual(1);
  const shown = new Map<MadeState, ParsedState>();
  expected.forEach((state, index) => {
    const parsed = declared[index];
    if (!parsed) return;
    const title = parsed.title.replace(/^▶ /, '').replace(/ \(parallel\)$/, '');
    expect(title).toBe(
      titleOf(state)
        .replace(/^▶ /, '')
        .replace(/ \(parallel\)$/, ''),
    );
    expect(parsed.parent).toBe(state.parent && shown.get(state.parent)?.id);
    shown.set(state, parsed);
  });
  return shown;
}

function titleOf({ name, kind, parent }: MadeState): string {
  if (!parent) return 'node-0';
  return kind === 'history' ? `${graphName(name)} (history)` : graphName(name);
}

function isOf(label: string, event: string): boolean {
  return label === event || label.startsWith(`${event} `);
}
