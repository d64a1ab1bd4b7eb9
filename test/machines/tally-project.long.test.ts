import { afterAll, beforeAll, expect, it } from 'vitest';
import { parsePlan } from '../../machines/work-distributor/plan.ts';
import { filesIn, tallyPlan, TallyRepository } from './tally-repository.ts';

/** The patches of each task; if a task has several, each is right. */
const PATCHES: Readonly<Record<string, readonly string[]>> = {
  'csv-quoting': ['csv-quoting'],
  'by-month': ['by-month'],
  'json-format': ['json-format'],
  split: ['split'],
  'bad-rows': ['bad-rows.strict', 'bad-rows.lenient'],
};
const OPTIONS = ['strict', 'lenient'];
const CONFLICT = ['src/options.js'];

let repository: TallyRepository;
let conflicts: string[];
/** The branches that a team would create, each from the merge of its dependencies. */
beforeAll(async () => {
  repository = await TallyRepository.create();
  for (const name of ['csv-quoting', 'by-month', 'json-format']) await repository.branch(name, { from: 'main' });
  conflicts = await repository.merge('merged', { from: 'main', branches: ['csv-quoting', 'by-month', 'json-format'] });
  await repository.resolve('src/options.js');
  await repository.branch('split', { from: 'merged' });
  await repository.branch('split.wrong', { from: 'merged' });
  for (const option of OPTIONS) await repository.branch(`bad-rows.${option}`, { from: 'csv-quoting' });
});
afterAll(() => repository[Symbol.dispose]());

it('has a plan whose tasks name the files that their patches touch', () => {
  const { tasks } = parsePlan(tallyPlan());
  expect(tasks.map(({ id }) => id).toSorted()).toEqual(Object.keys(PATCHES).toSorted());
  for (const { id, files } of tasks)
    for (const patch of PATCHES[id] ?? []) expect(filesIn(patch).toSorted(), patch).toEqual(files.toSorted());
});

it('passes its tests at the start, and fails those of the feature', async () => {
  expect(await repository.tests('main', { script: 'test:unit' })).toMatchObject({ code: 0, fail: 0, pass: 11 });
  const acceptance = await repository.tests('main', { script: 'test:acceptance' });
  expect(acceptance).toMatchObject({ code: 1, pass: 1, fail: 23 });
});

it.each(Object.entries(PATCHES).flatMap(([task, patches]) => patches.map((patch) => [patch, task])))(
  'passes the tests that there are for %s as soon as that is there',
  async (branch, task) => {
    expect(await repository.tests(branch, { file: `acceptance/${task}.test.js` })).toMatchObject({ code: 0, fail: 0 });
    expect(await repository.tests(branch, { script: 'test:unit' })).toMatchObject({ code: 0, fail: 0 });
  },
);

it('has two tasks that conflict in one file in either merge order, and the file that resolves it', async () => {
  expect(conflicts).toEqual(CONFLICT);
  expect(await repository.merge('other-order', { from: 'json-format', branches: ['by-month'] })).toEqual(CONFLICT);
  await repository.resolve('src/options.js');
  const mended = await repository.git('show', 'other-order:src/options.js');
  expect(mended).toBe(await repository.git('show', 'merged:src/options.js'));
  for (const branch of ['by-month', 'json-format'])
    expect(await repository.tests('other-order', { file: `acceptance/${branch}.test.js` })).toMatchObject({
      code: 0,
      fail: 0,
    });
});

it('has a tempting mistake that passes its own tests, and not those of the feature', async () => {
  expect(await repository.tests('split.wrong', { script: 'test:unit' })).toMatchObject({ code: 0, fail: 0 });
  const { code, fail, output } = await repository.tests('split.wrong', { file: 'acceptance/split.test.js' });
  expect([code, fail]).toEqual([1, 3]);
  expect(output).toMatch(/adds up to the cent/);
});

it.each(OPTIONS)(
  'passes all tests when everything is merged, with %s as the answer to the open question',
  async (option) => {
    const branches = ['split', `bad-rows.${option}`];
    expect(await repository.merge(`all.${option}`, { from: 'merged', branches })).toEqual([]);
    expect(await repository.tests(`all.${option}`, { script: 'test' })).toMatchObject({ code: 0, fail: 0, pass: 45 });
  },
);
