import fs from 'node:fs';
import path from 'node:path';
import type { LoopInput } from '../autonomous-dev/input.ts';
import { git } from '../autonomous-dev/git.ts';
import type { AgentProgram } from './agents.ts';
import { PACKAGE } from '../shared/mailroom-command.ts';
import { NotStarted, type Options } from './options.ts';
import { type PlannedRun, type Run, RUN_VERSION } from './run-directory.ts';

/** The repository that ships; its runs have the same name. */
export const EXAMPLE_NAME = 'tally';

const FIXTURES = path.join(PACKAGE, 'fixtures');
const TEAM = ['ada', 'ben', 'cleo', 'dan'];
/** Short, because scripted agents on one machine answer fast and a silent one should be noticed soon. */
const LEASE_SECONDS = 5;
const VOTE_SECONDS = 180;
const REVIEW_SECONDS = 180;
const ANSWER_MINUTES = 2;

/** The path of the example's repository in its run. */
function exampleRepository(run: string): string {
  return path.join(run, 'repository');
}

export function isExampleRun({ directory, input }: Run): boolean {
  return input.repository.directory === exampleRepository(directory);
}

/**
 * A run of four scripted agents on the example repository of this package's checkout, copied so that it can be inspected
 * afterwards. Throws NotStarted in an installed package, which does not contain them.
 */
export function exampleRun(
  { directory, id }: { readonly directory: string; readonly id: string },
  { inTmux, maxHours }: Options,
): PlannedRun {
  const project = path.join(FIXTURES, 'projects', EXAMPLE_NAME);
  if (!fs.existsSync(project))
    throw new NotStarted(
      `The example is not in the installed package (${project}). Use a repository of yours (--repo <directory>), or run the example in a checkout of Mailroom (npm start).`,
    );
  const repository = exampleRepository(directory);
  const agents: AgentProgram[] = TEAM.map((address) => ({
    address,
    file: process.execPath,
    args: [path.join(FIXTURES, 'team', 'agent.mjs'), address],
  }));
  const input: LoopInput = {
    feature: fs.readFileSync(path.join(project, 'FEATURE.md'), 'utf8').trim(),
    repository: {
      directory: repository,
      base: '0'.repeat(40),
      branch: 'mailroom/feature',
      run: id,
      workDirectory: directory,
    },
    testCommand: 'npm test',
    // Its acceptance tests are there already.
    base: 'may-fail',
    agents: TEAM,
    researcher: 'ada',
    planner: 'ada',
    leaseMinutes: LEASE_SECONDS / 60,
    answerMinutes: ANSWER_MINUTES,
    reviewMinutes: REVIEW_SECONDS / 60,
    voteSeconds: VOTE_SECONDS,
    ...(maxHours === undefined ? {} : { maxHours }),
  };
  return {
    run: { v: RUN_VERSION, name: EXAMPLE_NAME, directory, input, agents, inTmux, startedAt: new Date().toISOString() },
    make: async () => ({
      ...input,
      repository: { ...input.repository, base: await makeRepository(project, repository) },
    }),
  };
}

/** Creates a git repository with the project as its first commit; resolves with the id of that commit. */
async function makeRepository(project: string, directory: string): Promise<string> {
  fs.cpSync(project, directory, { recursive: true });
  // Without the user's template, which may bring hooks.
  await git(['init', '--quiet', '--template=', '--initial-branch=main'], { directory });
  await git(['add', '--all'], { directory });
  await git(['commit', '--quiet', '--message', 'The project as it is'], { directory });
  return git(['rev-parse', 'HEAD'], { directory });
}
