import fs from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { namesKeptFromChildren } from '../../src/host/child-environment.ts';
import { until } from '../processes/child.ts';
import { compare, snapshot } from './repository-snapshot.ts';
import { MIND, TeamRun } from './team-run.ts';

const PATIENCE_MS = 60_000;

it('a run started from a git hook builds the feature and changes nothing existing', async () => {
  await using run = new TeamRun();
  run.git('config', 'gc.auto', '0');
  const plan = path.join(run.outer, 'plan.json');
  fs.writeFileSync(plan, JSON.stringify({ tasks: [{ id: 'sum', title: 'Sum of numbers', description: 'Add it.' }] }));
  const objects = path.join(run.outer, 'objects');
  fs.mkdirSync(objects);
  const seen = path.join(run.outer, 'environment');
  const print = `env | grep ^GIT_ >> ${seen}`;
  // A set-up that also changes files of the repository.
  const setup = `${print}; echo '// set up' >> src/index.mjs`;
  const words = ['--plan', plan, '--setup', setup, '--test', `${print}; npm test`];
  const begun = run.startFromHook(`alice=${MIND},bob=${MIND}`, {
    words,
    env: {
      GIT_LITERAL_PATHSPECS: '1',
      GIT_CEILING_DIRECTORIES: run.outer,
      GIT_OBJECT_DIRECTORY: objects,
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'core.worktree',
      GIT_CONFIG_VALUE_0: path.join(run.outer, 'linked'),
    },
  });
  await until('the hook runs', begun.reached, PATIENCE_MS);
  const look = (): ReturnType<typeof snapshot> =>
    snapshot(path.join(run.repository, '.git'), run.repository, begun.linked);
  const before = look();
  begun.begin();
  const { stdout, stderr } = await begun.ended;
  const printed = `${stdout}${stderr}`;
  expect(printed).toContain('The branch mailroom/numbers is ready');

  // Nothing existing is changed; new things belong to the run, or were made by its agent and are reported.
  const { changed, added } = compare(before, look());
  expect(changed, printed).toEqual([]);
  const own = /^(?:worktrees\/|(?:logs\/)?refs\/(?:heads\/)?mailroom\/|(?:logs\/)?refs\/heads\/made-by-agent$)/;
  const inGit = added.map((file) => path.relative(path.join(run.repository, '.git'), file));
  expect(inGit.filter((file) => !own.test(file))).toEqual([]);

  // No child has seen the variables of the hook.
  const kept = new Set(namesKeptFromChildren());
  const names = [
    ...fs
      .readFileSync(seen, 'utf8')
      .split('\n')
      .map((line) => line.split('=', 1)[0] ?? ''),
    ...run.mindRuns().flatMap(({ git }) => git),
  ];
  expect(names.length).toBeGreaterThan(1);
  expect(names.filter((name) => kept.has(name))).toEqual([]);
  expect(fs.readdirSync(objects)).toEqual([]);

  // The delivery is complete: the repository that the agent made is in it as files, and the set-up is not.
  expect(run.git('ls-tree', '-r', '--name-only', 'mailroom/numbers', 'vendor')).toBe('vendor/lost.txt');
  expect(run.git('show', 'mailroom/numbers:src/index.mjs')).not.toContain('set up');
  expect(run.mindRuns().map(({ kind }) => kind)).toContain('repositories');
  const left = printed.slice(printed.indexOf('Left behind:'));
  expect(left).toMatch(/^ {2}the branch made-by-agent at [0-9a-f]{10}, made during the run$/m);
  expect(left).toMatch(/^ {2}changes by the set-up, restored: "src\/index\.mjs"$/m);
});
