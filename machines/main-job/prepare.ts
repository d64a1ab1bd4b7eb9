import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { initRoom } from 'agent-mailroom';
import type { LoopInput } from '../autonomous-dev/input.ts';
import { parsePlan } from '../work-distributor/plan.ts';
import type { AgentProgram } from './agents.ts';
import { memberProgram } from './member-program.ts';
import { EXAMPLE_NAME, exampleRun } from './example.ts';
import { noteBefore } from './left-behind.ts';
import { NotStarted, type Options } from './options.ts';
import { lookAtRepository, lookAtUpstream, slugOf } from './preflight.ts';
import { missingEdits } from './thinker.ts';
import { findRun, hasEnded, nextDirectory, RUN_VERSION, writeRun, type Run } from './run-directory.ts';

const RUN_ID_BYTES = 4;
/** Above the usual one: a team on one machine talks more than people do. */
const RATE_LIMIT = 300;

/** One mind does one thing after the other: who is asked may be at work on a task of their own. */
const REVIEW_MINUTES = 120;
const VOTE_SECONDS = 60 * 60;

/** What would be done, and the way to begin it. */
export interface Prepared {
  /** For people. */
  readonly plan: string;
  /** What will probably go wrong, a line each. */
  readonly warnings: readonly string[];
  readonly open: () => Promise<{ readonly run: Run; readonly isResumed: boolean }>;
}

/** A run that has not ended goes on; else a new one. Nothing is changed before `open`. Throws NotStarted. */
export async function prepareRun(options: Options): Promise<Prepared> {
  const feature = options.feature === undefined ? '' : textOf(options.feature);
  const name = options.repo === undefined ? EXAMPLE_NAME : slugOf(feature);
  const runs = path.resolve(options.runs ?? runsBeside(options.repo));
  const before = findRun(runs, name);
  if (before && !hasEnded(before) && !options.isNew) {
    assertSameVersion(before);
    assertSamePullRequest(before, options);
    const warnings = warningsOf(before);
    return { plan: planText(before, true), warnings, open: () => Promise.resolve({ run: before, isResumed: true }) };
  }
  const directory = nextDirectory(runs, name);
  const id = randomBytes(RUN_ID_BYTES).toString('hex');
  const made =
    options.repo === undefined
      ? exampleRun({ directory, id }, options)
      : await ownRun(options, { feature, name, directory, id });
  return {
    plan: planText(made.run, false),
    warnings: warningsOf(made.run),
    open: async () => {
      fs.mkdirSync(directory, { recursive: true });
      const input = await made.make();
      const run = { ...made.run, input };
      await initRoom({ cwd: directory, limits: { rateLimit: RATE_LIMIT } });
      await noteBefore(run);
      writeRun(run);
      return { run, isResumed: false };
    },
  };
}

/** A run in the making: what is known of it, and what has to be made first. */
export interface Draft {
  readonly run: Run;
  readonly make: () => Promise<LoopInput>;
}

async function ownRun(
  options: Options,
  { feature, name, directory, id }: { feature: string; name: string; directory: string; id: string },
): Promise<Draft> {
  const { repo = '', agents: given = [], test, branch, setup, maxHours, plan, inTmux, wantsPullRequest } = options;
  const ground = await lookAtRepository(repo, { feature, test, branch, run: id });
  const pullRequest = wantsPullRequest ? await lookAtUpstream(ground.directory) : undefined;
  const agents: AgentProgram[] = given.map((one) => memberProgram(one, { ground, directory, setup }));
  const names = agents.map(({ address }) => address);
  const input: LoopInput = {
    feature,
    repository: {
      directory: ground.directory,
      base: ground.base,
      branch: ground.branch,
      run: id,
      workDirectory: directory,
      ...(setup === undefined ? {} : { setup }),
    },
    testCommand: ground.testCommand,
    ...(pullRequest === undefined ? {} : { pullRequest }),
    agents: names,
    ...(plan === undefined ? { planner: names[0] ?? '' } : { plan: planOf(plan) }),
    reviewMinutes: REVIEW_MINUTES,
    voteSeconds: VOTE_SECONDS,
    ...(maxHours === undefined ? {} : { maxHours }),
  };
  const run: Run = { v: RUN_VERSION, name, directory, input, agents, inTmux };
  return { run, make: () => Promise.resolve(input) };
}

/** Throws NotStarted for a run that this version cannot resume. */
function assertSameVersion({ v, directory }: Run): void {
  if (v === RUN_VERSION) return;
  throw new NotStarted(
    `The run in ${directory} was begun with another version of Mailroom (format ${v}, expected ${RUN_VERSION}). Resume it with that version, or begin anew with --new.`,
  );
}

/** Nothing is pushed that was not asked for now, and nothing that was asked for is forgotten. */
function assertSamePullRequest({ directory, input }: Run, { wantsPullRequest }: Options): void {
  const wanted = input.pullRequest !== undefined;
  if (wanted === wantsPullRequest) return;
  throw new NotStarted(
    `The run in ${directory} was begun ${wanted ? 'with' : 'without'} --pull-request. Give the same command again, or begin anew with --new.`,
  );
}

function planOf(file: string): string {
  try {
    const text = fs.readFileSync(file, 'utf8');
    parsePlan(text);
    return text;
  } catch (error) {
    throw new NotStarted(`--plan ${file}: ${(error as Error).message}`);
  }
}

function textOf(feature: string): string {
  if (!feature.startsWith('@')) return feature;
  try {
    return fs.readFileSync(feature.slice(1), 'utf8').trim();
  } catch (error) {
    throw new NotStarted(`--feature ${feature}: ${(error as Error).message}`);
  }
}

function runsBeside(repo: string | undefined): string {
  if (repo === undefined) return 'runs';
  const directory = path.resolve(repo);
  return path.join(path.dirname(directory), `${path.basename(directory)}.runs`);
}

/** The example has no commit before it is made. */
function startOf(base: string): string {
  return /^0+$/.test(base) ? 'which is made first' : `from ${base.slice(0, 10)}`;
}

function warningsOf({ agents }: Run): string[] {
  return agents.flatMap(({ address, shown = '' }) => {
    const missing = missingEdits(shown);
    if (missing.length === 0) return [];
    return [`${address} may edit no file: say ${address}='${shown} ${missing.join(' ')}' if it should.`];
  });
}

function planText({ directory, input, agents }: Run, isResumed: boolean): string {
  const { repository, testCommand, pullRequest, maxHours = 8, fixRounds = 3, plan, planner } = input;
  return [
    isResumed ? `Would go on with the run in ${directory}.` : `Would begin a run in ${directory}.`,
    `  repository  ${repository.directory}, ${startOf(repository.base)}`,
    `  delivers    the branch ${repository.branch} and ${path.join(directory, 'PULL-REQUEST.md')}`,
    ...(pullRequest === undefined
      ? []
      : [`  opens       a pull request against ${pullRequest.base} on the remote ${pullRequest.remote}, with gh`]),
    `  tests       ${testCommand}; at most ${fixRounds} rounds of mending`,
    `  plan        ${plan === undefined ? (planner === undefined ? 'the built-in template' : `asked of ${planner}`) : 'the one that is given'}`,
    `  ends        after ${maxHours} hours at the latest`,
    '  agents',
    ...agents.map(
      ({ address, file, args, shown }) => `    ${address}: ${shown ?? [path.basename(file), ...args].join(' ')}`,
    ),
    '  then: research, planning, implementation with reviews and votes, testing, delivery',
  ].join('\n');
}
