import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { initRoom, networkFileSystemOf } from 'agent-mailroom';
import { nodeHost } from 'agent-mailroom/runtime';
import type { LoopInput } from '../autonomous-dev/input.ts';
import { memberWords, mindOf } from '../member/terms.ts';
import { featureSlug } from '../shared/git-ref.ts';
import { parsePlan } from '../work-distributor/plan.ts';
import type { AgentProgram } from './agents.ts';
import { EXAMPLE_NAME, exampleRun } from './example.ts';
import { noteBefore } from './left-behind.ts';
import { lookAgain } from './look-again.ts';
import { IS_SOURCE, machineFile } from '../shared/mailroom-command.ts';
import { type AgentOption, NotStarted, type Options } from './options.ts';
import { type Ground, lookAtRepository, lookAtUpstream } from './preflight.ts';
import {
  findRun,
  hasEnded,
  lastDirectory,
  nextDirectory,
  type Run,
  RUN_VERSION,
  writeRun,
  type PlannedRun,
} from './run-directory.ts';
import { assertNoHost, hostRun } from './run-host.ts';
import { assertUnseen, runsPlace } from './runs-place.ts';
import { missingEdits, thinkerWords } from './thinker.ts';

const RUN_ID_BYTES = 4;
/** Messages a minute. Above the default: a team on one machine sends more than people do. */
const RATE_LIMIT = 300;

/** A mind does one thing at a time, so an agent that is asked may be busy with its own task. */
const REVIEW_MINUTES = 120;
const VOTE_SECONDS = 60 * 60;

/** What would be done, and how to start it. */
export interface Prepared {
  /** Text for people. */
  readonly plan: string;
  /** What will probably go wrong, one line each. */
  readonly warnings: readonly string[];
  readonly open: () => Promise<{ readonly run: Run; readonly isResumed: boolean }>;
}

/** Prepares to resume a run that has not ended, or to start a new one. Nothing is changed before `open`. Throws NotStarted. */
export async function prepareRun(options: Options): Promise<Prepared> {
  const feature = options.feature === undefined ? '' : textOf(options.feature);
  const name = options.repo === undefined ? EXAMPLE_NAME : featureSlug(feature);
  const place = await runsPlace(options);
  const before = place.lookedAt.flatMap((runs) => findRun(runs, name, place.isFor) ?? []);
  const [unended] = before.filter((run) => !hasEnded(run));
  if (unended && !options.isNew) {
    assertSameVersion(unended);
    await lookAgain(unended);
    assertSamePullRequest(unended, options);
    return { plan: planText(unended, true), warnings: warningsOf(unended), open: () => resume(unended, options) };
  }
  if (!options.isNew) assertNotBeingCreated(place.directory, name);
  const directory = nextDirectory(place.directory, name);
  const id = randomBytes(RUN_ID_BYTES).toString('hex');
  const made =
    options.repo === undefined
      ? exampleRun({ directory, id }, options)
      : await ownRun(options, { feature, name, directory, id });
  await assertUnseen(place.directory);
  return { plan: planText(made.run, false), warnings: warningsOf(made.run), open: () => begin(made, options) };
}

type OpenedRun = Awaited<ReturnType<Prepared['open']>>;

function resume(run: Run, options: Options): Promise<OpenedRun> {
  return Promise.resolve().then(() => {
    assertLocal(run.directory, options);
    hostRun(run.directory);
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
  options: Options,
  { feature, name, directory, id }: { feature: string; name: string; directory: string; id: string },
): Promise<PlannedRun> {
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
    `The run in ${directory} was started with another version of Mailroom (format ${v}, expected ${RUN_VERSION}). Resume it with that version, or start a new run with --new.`,
  );
}

/** Throws NotStarted unless run and command agree on the pull request: nothing is pushed unasked, and no request is forgotten. */
function assertSamePullRequest({ directory, input }: Run, { wantsPullRequest }: Options): void {
  const wanted = input.pullRequest !== undefined;
  if (wanted === wantsPullRequest) return;
  throw new NotStarted(
    `The run in ${directory} was started ${wanted ? 'with' : 'without'} --pull-request. Repeat the same command, or start a new run with --new.`,
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

function planText({ directory, input, agents }: Run, isResumed: boolean): string {
  const { repository, testCommand, pullRequest, maxHours = 8, fixRounds = 3, plan, planner } = input;
  return [
    isResumed ? `Would resume the run in ${directory}.` : `Would start a run in ${directory}.`,
    `  repository  ${repository.directory}, ${startOf(repository.base)}`,
    `  delivers    the branch ${repository.branch} and ${path.join(directory, 'PULL-REQUEST.md')}`,
    ...(pullRequest === undefined
      ? []
      : [`  opens       a pull request against ${pullRequest.base} on the remote ${pullRequest.remote}, with gh`]),
    `  tests       ${testCommand}; at most ${fixRounds} fix rounds`,
    `  plan        ${plan === undefined ? (planner === undefined ? 'the built-in template' : `by ${planner}`) : 'as given'}`,
    `  ends        after ${maxHours} hours at the latest`,
    '  agents',
    ...agents.map(
      ({ address, file, args, shown }) => `    ${address}: ${shown ?? [path.basename(file), ...args].join(' ')}`,
    ),
    '  then: research, planning, implementation with reviews and votes, testing, delivery',
  ].join('\n');
}

/** One of the user's agents as a member of the team. Throws NotStarted if its program is not on this machine. */
function memberProgram(
  agent: AgentOption,
  { ground, directory, setup }: { ground: Ground; directory: string; setup: string | undefined },
): AgentProgram {
  const { address, by } = agent;
  const { directory: repository, testCommand } = ground;
  const words = memberWords({
    address,
    directory,
    repository,
    testCommand,
    setup,
    mind: thinkerWords(agent, directory),
  });
  return {
    address,
    file: process.execPath,
    // The member starts in the directory of the run, where tsx cannot be resolved by name.
    args: [...(IS_SOURCE ? ['--import', import.meta.resolve('tsx')] : []), machineFile('team/member'), ...words],
    behind: mindOf(address),
    isKept: true,
    shown: by,
  };
}
