import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDistribution } from '../../machines/work-distributor/input.ts';
import { nearest, parsePlan, parseTasks, planFaults, unknownKeys } from '../../machines/work-distributor/plan.ts';
import { amount } from '../run/amount.ts';

const task = (
  id: string,
  ...dependsOn: string[]
): { id: string; title: string; description: string; dependsOn: string[] } => ({
  id,
  title: `Title of ${id}`,
  description: 'What is to be done.',
  dependsOn,
});
const PLAN = { tasks: [task('parser'), task('report', 'parser')] };

describe('a plan', () => {
  it('is completed', () => {
    expect(parsePlan({ tasks: [{ id: 'a', title: ' One ', description: 'do it' }] })).toEqual({
      tasks: [{ id: 'a', title: 'One', description: 'do it', files: [], dependsOn: [], skills: [] }],
    });
  });

  it('is the same as a value, as text, and in a code block', () => {
    const parsed = parsePlan(PLAN);
    const text = JSON.stringify(PLAN, null, 2);
    expect(parsePlan(text)).toEqual(parsed);
    expect(parsePlan(`Here is the plan:\n\n\`\`\`json\n${text}\n\`\`\`\nGood luck!`)).toEqual(parsed);
    expect(parsePlan(`\`\`\`sh\nls\n\`\`\`\n\`\`\`\n${text}\n\`\`\``)).toEqual(parsed);
  });

  it('counts a dependency named twice once', () => {
    expect(parsePlan({ tasks: [task('a'), task('b', 'a', 'a')] }).tasks[1]?.dependsOn).toEqual(['a']);
  });

  const wrong: readonly (readonly [title: string, plan: unknown, faults: readonly string[]])[] = [
    ['nothing', undefined, ['Invalid plan: plan: ', 'Expected, for example: {"tasks"']],
    ['no JSON', 'first this, then that', ['expected JSON, alone or in a block']],
    ['no tasks', { tasks: [] }, ['plan.tasks: ']],
    ['an id that is no word of a shell', { tasks: [task('A b')] }, ['plan.tasks.0.id: expected lower-case letters']],
    ['a title of two lines', { tasks: [{ ...task('a'), title: 'a\nb' }] }, ['plan.tasks.0.title: expected one line']],
    ['two of the same id', { tasks: [task('a'), task('a')] }, ['the id "a" is used more than once']],
    ['one that waits for itself', { tasks: [task('a', 'a')] }, ['"a" depends on itself']],
    [
      'one that waits for what is not there',
      { tasks: [task('parser'), task('report', 'parsr')] },
      ['"report" depends on "parsr", which is no task (did you mean "parser"?)'],
    ],
    [
      'three that wait for each other',
      { tasks: [task('a', 'c'), task('b', 'a'), task('c', 'b')] },
      ['these wait for each other: a → c → b → a'],
    ],
    [
      'everything at once',
      {
        tasks: [
          task('a', 'b'),
          task('b', 'a'),
          task('c', 'c', 'nowhere'),
          task('c'),
          { id: 'd', title: 7, description: '' },
        ],
      },
      [
        'plan.tasks.4.title: ',
        'plan.tasks.4.description: ',
        'the id "c" is used more than once',
        '"c" depends on itself',
        '"c" depends on "nowhere", which is no task',
        'these wait for each other: a → b → a',
      ],
    ],
    [
      'longer than a message',
      { tasks: Array.from({ length: 60 }, (_, at) => ({ ...task(`t${at}`), description: 'x'.repeat(8_000) })) },
      ['it has over 200000 characters'],
    ],
  ];
  it('is taken without keys that it does not know, each with the one that may be meant', () => {
    const given = { tasks: [task('a'), { ...task('b'), depends_on: ['a'], priority: 1 }], goal: 'x' };
    expect(parsePlan(given)).toEqual(parsePlan({ tasks: [task('a'), task('b')] }));
    for (const one of [given, JSON.stringify(given), `Here:\n\`\`\`json\n${JSON.stringify(given)}\n\`\`\``]) {
      expect(unknownKeys(one)).toEqual([
        'plan.goal is unknown and was ignored',
        'plan.tasks.1.depends_on is unknown and was ignored (did you mean dependsOn?)',
        'plan.tasks.1.priority is unknown and was ignored',
      ]);
    }
    expect(unknownKeys({ tasks: [task('a')] })).toEqual([]);
  });

  it.each(wrong)('is refused on one line when it is %s', (_title, plan, faults) => {
    expect(() => parsePlan(plan)).toThrow(TypeError);
    expect(() => parsePlan(plan)).toThrow(/^[^\n]*$/);
    for (const fault of faults) expect(() => parsePlan(plan)).toThrow(fault);
  });

  it('has a fault if and only if its tasks have no topological order', () => {
    const ids = ['a', 'b', 'c', 'd', 'e', 'f'];
    const nodes = fc
      .subarray(ids, { minLength: 1 })
      .chain((there) =>
        fc.tuple(
          ...there.map((id) =>
            fc.record({ id: fc.constant(id), dependsOn: fc.subarray(there, { maxLength: Math.min(2, there.length) }) }),
          ),
        ),
      );
    const counts = { sound: 0, faulty: 0 };
    fc.assert(
      fc.property(nodes, (given) => {
        const done = new Set<string>();
        for (let before = -1; before !== done.size;) {
          before = done.size;
          for (const { id, dependsOn } of given) if (dependsOn.every((other) => done.has(other))) done.add(id);
        }
        const faults = planFaults(given);
        expect(faults.length === 0).toBe(done.size === given.length);
        counts[faults.length === 0 ? 'sound' : 'faulty'] += 1;
        for (const fault of faults) expectTrueCycle(fault, given);
      }),
      { numRuns: amount(100, { long: 500 }) },
    );
    console.log(`plans: ${JSON.stringify(counts)}`);
    expect(Math.min(counts.sound, counts.faulty)).toBeGreaterThan(20);
  });
});

/** Expects the reported path to be a cycle of the plan. */
function expectTrueCycle(fault: string, given: readonly { id: string; dependsOn: readonly string[] }[]): void {
  const [, itself = '', cycle = ''] = /^(?:"(.)" depends on itself|these wait for each other: (.*))$/.exec(fault) ?? [];
  const path = itself === '' ? cycle.split(' → ') : [itself, itself];
  expect(path.length).toBeGreaterThan(1);
  expect(path.at(0)).toBe(path.at(-1));
  for (const [at, id] of path.slice(0, -1).entries())
    expect(given.find((node) => node.id === id)?.dependsOn).toContain(path[at + 1]);
}

describe('added tasks', () => {
  it('may depend on existing tasks and on each other', () => {
    expect(parseTasks([task('fix', 'parser'), task('then', 'fix')], ['parser']).map(({ id }) => id)).toEqual([
      'fix',
      'then',
    ]);
  });

  it('are refused if they exist already or depend on unknown tasks', () => {
    expect(() => parseTasks([task('parser'), task('fix', 'report')], ['parser'])).toThrow(
      /the id "parser" is used more than once; "fix" depends on "report", which is no task/,
    );
  });
});

describe('the input of a distribution', () => {
  it('is completed', () => {
    expect(parseDistribution({ plan: PLAN, agents: ['bob', 'bob'] }, { hasParent: false })).toEqual({
      plan: parsePlan(PLAN),
      agents: ['bob'],
      leaseMinutes: 10,
      minutes: 480,
      acceptance: 'automatic',
      staysOpen: false,
    });
  });

  const wrong: readonly (readonly [title: string, input: unknown, message: RegExp])[] = [
    ['nothing', undefined, /^Invalid distribution: input: /],
    ['without a plan', {}, /input\.plan: expected a plan/],
    ['with a plan that is none', { plan: { tasks: [task('a', 'a')] } }, /"a" depends on itself/],
    ['for everybody as an agent', { plan: PLAN, agents: ['all'] }, /agents\.0: expected an address/],
    ['without any time', { plan: PLAN, leaseMinutes: 0 }, /input\.leaseMinutes/],
    ['with a misspelt name', { plan: PLAN, leaseMinuts: 1 }, /leaseMinuts/],
    [
      'accepted by a parent that is not there',
      { plan: PLAN, acceptance: 'parent' },
      /no workflow has started this one/,
    ],
    ['open for nobody', { plan: PLAN, staysOpen: true }, /input\.staysOpen/],
  ];
  it.each(wrong)('is refused on one line %s', (_title, input, message) => {
    expect(() => parseDistribution(input, { hasParent: false })).toThrow(message);
    expect(() => parseDistribution(input, { hasParent: false })).toThrow(/^[^\n]*$/);
  });
});

describe('the nearest name', () => {
  it.each([
    ['parsr', 'parser'],
    ['paresr', 'parser'],
    ['report-2', 'report'],
    ['x', undefined],
    ['something else', undefined],
  ])('to %s is %s', (wanted, near) => {
    expect(nearest(wanted, ['parser', 'report'])).toBe(near);
  });
});
