import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { initRoom, networkFileSystemOf } from 'agent-mailroom';
import { nodeHost } from 'agent-mailroom/runtime';
import type { LoopInput } from '../autonomous-dev/input.ts';
import { INCLUDE_FILE, localFiles } from '../autonomous-dev/local-files.ts';
import { missingSubmodules } from '../autonomous-dev/submodules.ts';
import { featureSlug } from '../shared/git-ref.ts';
import { EXAMPLE_NAME, exampleRun } from './example.ts';
import { withGivenAnew } from './given-anew.ts';
import { noteBefore } from './left-behind.ts';
import { lookAgain } from './look-again.ts';
import { memberProgram } from './member-program.ts';
import { NotStarted, type Options, readPlan } from './options.ts';
import { checkoutAt, lookAtRepository, lookAtUpstream } from './preflight.ts';
import {
  type AgentLimits,
  hasEnded,
  lastDirectory,
  listRuns,
  nextDirectory,
  outcomeOf,
  type PlannedRun,
  type Run,
  runName,
  RUN_VERSION,
  writeRun,
} from './run-directory.ts';
import { assertNoHost, hostRun } from './run-host.ts';
import { assertUnseen, runsPlace } from './runs-place.ts';
import { readTeamFile, TEAM_FILE, withTeamFile } from './team-file.ts';
import { missingEdits } from './thinker.ts';

const RUN_ID_BYTES = 4;
const NAMES_SHOWN_MAX = 5;
/** Messages a minute. Above the default: a team on one machine sends more than people do. */
const RATE_LIMIT = 300;

/** A mind does one thing at a time, so an agent that is asked may be busy with its own task. */
const REVIEW_MINUTES = 120;
const VOTE_SECONDS = 60 * 60;

/** What would be done, and how to start it. */
export interface Prepared {
  /** Text for people. */
  readonly plan: string;
  /** What happens that the user may not expect, one line each. */
  readonly notes: readonly string[];
  /** What will probably go wrong, one line each. */
  readonly warnings: readonly string[];
  readonly open: () => Promise<{ readonly run: Run; readonly isResumed: boolean }>;
}

/**
 * Prepares to resume the unended run of this feature, or to start a new one. Nothing is changed before `open`. Throws NotStarted.
 */
export async function prepareRun(options: Options): Promise<Prepared> {
  const feature = options.feature === undefined ? '' : textOf(options.feature);
  const isExample = options.repo === undefined;
  const name = isExample ? EXAMPLE_NAME : featureSlug(feature);
  const place = await runsPlace(options);
  const runs = place.lookedAt.flatMap((one) => listRuns(one)).filter(place.isFor);
  const before = isExample ? runs : runs.filter(({ input }) => input.feature === feature.trim());
  const unended = before.findLast((run) => !hasEnded(run));
  if (unended && !options.isNew) return prepareResume(unended, options);
  if (!options.isNew) assertNotBeingCreated(place.directory, name);
  const directory = nextDirectory(place.directory, name);
  const id = randomBytes(RUN_ID_BYTES).toString('hex');
  const made = isExample
    ? exampleRun({ directory, id }, options)
    : await ownRun(options, { feature, name, directory, id, promised: promisedBy(runs) });
  await assertUnseen(place.directory);
  const earlier = before.findLast((run) => hasEnded(run));
  return {
    plan: planText(made, { isResumed: false, notes: made.notes ?? [] }),
    notes: earlier && !isExample ? [againText(earlier)] : [],
    warnings: [...warningsOf(made.run), ...(made.warnings ?? [])],
    open: () => begin(made, options),
  };
}

/** Prepares to resume a run with what is given anew. Throws NotStarted. */
export async function prepareResume(run: Run, options: Options): Promise<Prepared> {
  assertSameVersion(run);
  await lookAgain(run);
  const changed = withGivenAnew(run, options);
  return {
    plan: planText({ run: changed }, { isResumed: true, notes: [] }),
    notes: [],
    warnings: warningsOf(changed),
    open: () => resume(changed, options),
  };
}

/** The branches that runs which have not ended are going to deliver. */
function promisedBy(runs: readonly Run[]): string[] {
  return runs.filter((run) => !hasEnded(run)).map(({ input }) => input.repository.branch);
}

function againText(run: Run): string {
  return `An earlier run of this feature, ${runName(run)}, has ended (${outcomeOf(run)}); this starts another one.`;
}

type OpenedRun = Awaited<ReturnType<Prepared['open']>>;

function resume(run: Run, options: Options): Promise<OpenedRun> {
  return Promise.resolve().then(() => {
    assertLocal(run.directory, options);
    hostRun(run.directory);
    // What was given anew counts from now on, whatever interrupts the run.
    writeRun(run);
    return { run, isResumed: true };
  });
}

/** Throws NotStarted while a live process is still creating the last run of that name. */
function assertNotBeingCreated(runs: string, name: string): void {
  const last = lastDirectory(runs, name);
  if (last !== undefined && !fs.existsSync(path.join(last, 'run.json'))) assertNoHost(last);
}

/** Creates the run, or leaves nothing. Throws NotStarted if it cannot be created on this machine. */
async function begin({ run: { directory, ...facts }, make }: PlannedRun, options: Options): Promise<OpenedRun> {
  try {
    fs.mkdirSync(path.dirname(directory), { recursive: true });
    fs.mkdirSync(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw notMade(directory, error);
    throw new NotStarted(`Another process is just creating the run in ${directory}. Start again to see it.`);
  }
  try {
    assertLocal(directory, options);
    hostRun(directory);
    const run = { ...facts, directory, input: await make() };
    await initRoom({ cwd: directory, limits: { rateLimit: RATE_LIMIT } });
    await noteBefore(run);
    writeRun(run);
    return { run, isResumed: false };
  } catch (error) {
    fs.rmSync(directory, { recursive: true, force: true });
    throw notMade(directory, error);
  }
}

/** A workflow is not safe where two machines may see different contents of its journal. Throws NotStarted. */
function assertLocal(directory: string, { isForced }: Options): void {
  const type = isForced ? undefined : networkFileSystemOf(nodeHost, directory);
  if (type === undefined) return;
  throw new NotStarted(
    `${directory} is on ${type}, a network file system. Choose a local directory with --runs <directory>, or pass --force if only this machine uses it.`,
  );
}

function notMade(directory: string, error: unknown): unknown {
  const { code, message, hint } = error as NodeJS.ErrnoException & { readonly hint?: string };
  if (code === undefined) return error;
  const next = hint ?? 'Choose another place with --runs <directory>, or fix this and start again.';
  return new NotStarted(`The run could not be created in ${directory}: ${message}. ${next}`.replaceAll(/\s+/g, ' '));
}

async function ownRun(
  given: Options,
  {
    feature,
    name,
    directory,
    id,
    promised,
  }: { feature: string; name: string; directory: string; id: string; promised: readonly string[] },
): Promise<PlannedRun> {
  const checkout = await checkoutAt(given.repo ?? '');
  const options = withTeamFile(given, readTeamFile(checkout));
  const { agents: team, test, setup, branch, maxHours, plan, report, inTmux, wantsPullRequest } = options;
  if (team === undefined) {
    throw new NotStarted(
      `No agents are named. Write ${TEAM_FILE} with mailroom team init, or name them: --agents alice=claude,bob=codex.`,
    );
  }
  const ground = await lookAtRepository(checkout, { feature, test, setup, branch, run: id, promised });
  const pullRequest = wantsPullRequest ? await lookAtUpstream(ground.directory) : undefined;
  const limits: AgentLimits = { agentMinutes: options.agentMinutes ?? null, tries: options.tries ?? null };
  const names = team.map(({ address }) => address);
  const { testMinutes, setupMinutes, reviewers, rounds, leaseMinutes } = options;
  if (reviewers !== undefined && reviewers >= names.length) {
    throw new NotStarted(`--reviewers ${reviewers}: expected fewer than the ${names.length} agents.`);
  }
  const input: LoopInput = {
    feature,
    repository: {
      directory: ground.directory,
      base: ground.base,
      branch: ground.branch,
      run: id,
      workDirectory: directory,
      ...(ground.setup === undefined ? {} : { setup: ground.setup }),
      ...(setupMinutes === undefined ? {} : { setupMinutes }),
    },
    testCommand: ground.testCommand,
    ...(report === undefined ? {} : { testReport: report }),
    ...(options.baseMayFail ? { base: 'may-fail' } : options.knownFailures ? { base: 'known-failures' } : {}),
    ...(pullRequest === undefined ? {} : { pullRequest }),
    agents: names,
    ...(plan === undefined ? { planner: names[0] ?? '' } : { plan: readPlan(plan) }),
    reviewMinutes: REVIEW_MINUTES,
    voteSeconds: VOTE_SECONDS,
    ...(testMinutes === undefined ? {} : { testMinutes }),
    ...(reviewers === undefined ? {} : { reviewersNeeded: reviewers }),
    ...(rounds === undefined ? {} : { reviewRounds: rounds }),
    ...(leaseMinutes === undefined ? {} : { leaseMinutes }),
    ...(maxHours === undefined ? {} : { maxHours }),
  };
  const agents = team.map((one) => memberProgram(one, { directory, input, limits }));
  const startedAt = new Date().toISOString();
  const run: Run = { v: RUN_VERSION, name, directory, input, agents, limits, inTmux, startedAt };
  return { run, make: () => Promise.resolve(input), ...(await lookAtLocal(ground.directory)) };
}

/** What a checkout of the run gets besides the commit, and what it lacks. */
async function lookAtLocal(directory: string): Promise<Pick<PlannedRun, 'notes' | 'warnings'>> {
  const copied = await localFiles(directory);
  const missing = await missingSubmodules(directory);
  const shown = copied.slice(0, NAMES_SHOWN_MAX).join(', ');
  const more = copied.length > NAMES_SHOWN_MAX ? ` and ${copied.length - NAMES_SHOWN_MAX} more` : '';
  return {
    notes: copied.length === 0 ? [] : [`  copies      ${shown}${more}, by ${INCLUDE_FILE}, into each checkout`],
    warnings: missing.map(
      (one) =>
        `The submodule ${one} is not checked out in ${directory}, so it stays empty in the checkouts of the run. If the tests need it: git submodule update --init --recursive.`,
    ),
  };
}

/** Throws NotStarted for a run that this version cannot resume. */
function assertSameVersion({ v, directory }: Run): void {
  if (v === RUN_VERSION) return;
  throw new NotStarted(
    `The run in ${directory} was started with another version of Mailroom (format ${v}, expected ${RUN_VERSION}). Resume it with that version, or start a new run with --new.`,
  );
}

function textOf(feature: string): string {
  if (!feature.startsWith('@')) return feature;
  try {
    return fs.readFileSync(feature.slice(1), 'utf8').trim();
  } catch (error) {
    throw new NotStarted(`--feature ${feature}: ${(error as Error).message}`);
  }
}

/** The example has no commit before it is created. */
function startOf(base: string): string {
  return /^0+$/.test(base) ? 'which is created first' : `from ${base.slice(0, 10)}`;
}

function warningsOf({ agents }: Run): string[] {
  return agents.flatMap(({ address, shown = '' }) => {
    const missing = missingEdits(shown);
    if (missing.length === 0) return [];
    return [`${address} may not edit files. To allow it: ${address}='${shown} ${missing.join(' ')}'.`];
  });
}

function planText(
  { run: { directory, input, agents } }: Pick<PlannedRun, 'run'>,
  { isResumed, notes }: { readonly isResumed: boolean; readonly notes: readonly string[] },
): string {
  const { repository, testCommand, pullRequest, maxHours = 8, fixRounds = 3, plan, planner, base, testReport } = input;
  return [
    isResumed ? `Would resume the run in ${directory}.` : `Would start a run in ${directory}.`,
    `  repository  ${repository.directory}, ${startOf(repository.base)}`,
    `  delivers    the branch ${repository.branch} and ${path.join(directory, 'PULL-REQUEST.md')}`,
    ...(pullRequest === undefined
      ? []
      : [`  opens       a pull request against ${pullRequest.base} on the remote ${pullRequest.remote}, with gh`]),
    `  set-up      ${repository.setup ?? 'none'}`,
    ...notes,
    `  tests       ${testCommand}; first on the base, which ${base === undefined ? 'must pass' : 'may fail'}; at most ${fixRounds} fix rounds`,
    ...(testReport === undefined ? [] : [`  report      ${testReport.format}, ${testReport.path}`]),
    `  plan        ${plan === undefined ? (planner === undefined ? 'the built-in template' : `by ${planner}`) : 'as given'}`,
    `  ends        after ${maxHours} hours at the latest`,
    '  agents',
    ...agents.map(
      ({ address, file, args, shown }) => `    ${address}: ${shown ?? [path.basename(file), ...args].join(' ')}`,
    ),
    '  then: research, planning, implementation with reviews and votes, testing, delivery',
  ].join('\n');
}
