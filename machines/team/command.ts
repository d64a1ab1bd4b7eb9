import { inspect } from 'node:util';
import { cleanRun, cleanText, lookAtClean } from './clean.ts';
import { initTeam } from './init.ts';
import { type GivenOptions, NotStarted, type Options, optionsOf } from './options.ts';
import { prepareResume, prepareRun, type Prepared } from './prepare.ts';
import { hasEnded, listRuns, type Run, runName } from './run-directory.ts';
import { pidOfHost, stopHost } from './run-host.ts';
import { runFacts, runLine, runText } from './run-state.ts';
import { runsPlace } from './runs-place.ts';
import { complain, tell } from './show.ts';

export const EXIT_OK = 0;
const EXIT_FAILURE = 1;
const EXIT_USAGE = 2;
const EXIT_REFUSED = 5;

/** What `mailroom team` can do. */
export const ACTIONS = ['init', 'start', 'status', 'resume', 'stop', 'list', 'clean'] as const;
export type Action = (typeof ACTIONS)[number];

/** One command line of `mailroom team`. */
export interface TeamCall {
  readonly action: Action;
  /** The name or the id of a run; undefined for the one that is meant. */
  readonly run: string | undefined;
  readonly given: GivenOptions;
  readonly isJson: boolean;
}

/** Carries out `mailroom team`; resolves with the exit code. Throws NotStarted, an error of one line. */
export async function runTeamCommand({ action, run, given, isJson }: TeamCall): Promise<number> {
  const options = optionsOf(new Map([['repo', '.'], ...given]));
  assertPosix();
  switch (action) {
    case 'init':
      return initTeam(options);
    case 'start':
      if (options.feature === undefined)
        throw new NotStarted("team start requires --feature '<text>', or --feature @<file>.");
      return startRun(options);
    case 'list':
      return listAll(await runsOf(options), isJson);
    case 'status':
      return showRun(await chosenRun(options, { name: run, mayHaveEnded: true }), isJson);
    case 'resume':
      return carryOutPrepared(
        await prepareResume(await chosenRun(options, { name: run, mayHaveEnded: false }), options),
        options,
      );
    case 'stop':
      return stopRun(await chosenRun(options, { name: run, mayHaveEnded: false }));
    default:
      return clean(await chosenRun(options, { name: run, mayHaveEnded: true }), options);
  }
}

/** Starts the run that the options describe, or resumes it; resolves with the exit code. Throws NotStarted. */
export async function startRun(options: Options): Promise<number> {
  assertPosix();
  return carryOutPrepared(await prepareRun(options), options);
}

/** The exit code of a program; what it throws becomes one line, or everything that is known of a fault of Mailroom's own. */
export async function endWith(run: () => Promise<number>): Promise<number> {
  // Whoever reads the output may close it, as `head` does.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', ({ code }: NodeJS.ErrnoException) => process.exit(code === 'EPIPE' ? EXIT_OK : EXIT_FAILURE));
  }
  try {
    return await run();
  } catch (error) {
    const isUsage = error instanceof NotStarted;
    complain(isUsage ? error.message : inspect(error));
    return isUsage ? EXIT_USAGE : EXIT_FAILURE;
  }
}

async function carryOutPrepared(prepared: Prepared, { isDryRun }: Options): Promise<number> {
  for (const note of prepared.notes) tell(note);
  for (const warning of prepared.warnings) complain(warning);
  if (isDryRun) {
    tell(prepared.plan);
    return EXIT_OK;
  }
  // Loaded only now that the run is known to be possible.
  const { carryOut } = await import('./carry-out.ts');
  return carryOut(await prepared.open());
}

async function runsOf(options: Options): Promise<Run[]> {
  const { lookedAt, isFor } = await runsPlace(options);
  return lookedAt.flatMap((directory) => listRuns(directory)).filter(isFor);
}

/**
 * The run of this name or id; without one the only run that has not ended, or else, if it may have, the last one. Throws NotStarted
 * with the names to choose from.
 */
async function chosenRun(
  options: Options,
  { name, mayHaveEnded }: { readonly name: string | undefined; readonly mayHaveEnded: boolean },
): Promise<Run> {
  const runs = await runsOf(options);
  if (name !== undefined) {
    const found = runs.find((run) => runName(run) === name || run.input.repository.run === name);
    if (!found) throw new NotStarted(`There is no run ${JSON.stringify(name)}. ${choiceText(runs)}`);
    if (mayHaveEnded || !hasEnded(found)) return found;
    throw new NotStarted(`${name} has ended. To build the same feature again: mailroom team start --feature '<text>'.`);
  }
  const unended = runs.filter((run) => !hasEnded(run));
  const [only, ...others] = unended.length > 0 || !mayHaveEnded ? unended : runs.slice(-1);
  if (!only) throw new NotStarted(`There is no run${mayHaveEnded ? '' : ' that has not ended'}. ${choiceText(runs)}`);
  if (others.length > 0) throw new NotStarted(`Several runs have not ended. Name one of them: ${namesOf(unended)}.`);
  return only;
}

function choiceText(runs: readonly Run[]): string {
  return runs.length === 0
    ? "Start one with mailroom team start --feature '<text>'."
    : `There are: ${namesOf(runs)} (mailroom team list).`;
}

function namesOf(runs: readonly Run[]): string {
  return runs.map(runName).join(', ');
}

async function listAll(runs: readonly Run[], isJson: boolean): Promise<number> {
  const facts = await Promise.all(runs.map((run) => runFacts(run)));
  if (isJson) tell(JSON.stringify(facts));
  else if (facts.length === 0) complain(`There is no run yet. ${choiceText([])}`);
  else for (const one of facts) tell(runLine(one));
  return EXIT_OK;
}

async function showRun(run: Run, isJson: boolean): Promise<number> {
  const facts = await runFacts(run);
  tell(isJson ? JSON.stringify(facts) : runText(facts));
  return EXIT_OK;
}

async function stopRun(run: Run): Promise<number> {
  const resume = `To resume it: mailroom team resume ${runName(run)}`;
  const pid = pidOfHost(run.directory);
  if (pid === undefined) {
    tell(`Nobody carries out ${runName(run)} now. ${resume}`);
    return EXIT_OK;
  }
  tell(`Stopping ${runName(run)} (process ${pid}) …`);
  if (await stopHost(run.directory)) {
    tell(`Stopped; nothing is lost. ${resume}`);
    return EXIT_OK;
  }
  complain(`Process ${pid} has not ended yet. It ends after its current step; to end it at once: kill -9 ${pid}`);
  return EXIT_FAILURE;
}

async function clean(run: Run, { isForced, isDryRun }: Options): Promise<number> {
  const found = await lookAtClean(run);
  tell(cleanText(run, found));
  if (isDryRun) return EXIT_OK;
  if (found.atRisk.length > 0 && !isForced) {
    complain('Nothing was removed, because some of it is nowhere else. Merge or push it, or remove it with --force.');
    return EXIT_REFUSED;
  }
  await cleanRun(run, found);
  tell('Removed.');
  return EXIT_OK;
}

/** Throws NotStarted on native Windows, where a team would fail in the middle of work that has been paid for. */
function assertPosix(): void {
  if (process.platform !== 'win32') return;
  throw new NotStarted(
    'Native Windows cannot run a team: commands that outlive their host, and signals, need a POSIX system. Use WSL: https://aka.ms/wsl',
  );
}
