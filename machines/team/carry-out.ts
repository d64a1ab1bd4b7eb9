import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openRoom, type Room } from 'agent-mailroom';
import { nodeHost, runWorkflow, type RecordListener, type WorkflowResult } from 'agent-mailroom/runtime';
import { machine } from '../autonomous-dev.ts';
import type { LoopProgress } from '../autonomous-dev/progress.ts';
import { isAllDone, type LoopReport } from '../autonomous-dev/report.ts';
import { releaseBranch } from '../autonomous-dev/integration.ts';
import { endTeam, startTeam, type TeamOptions } from './agents.ts';
import { lookAtClean, removeFromRepository } from './clean.ts';
import { leftBehindText } from './left-behind.ts';
import { machineFile } from '../shared/mailroom-command.ts';
import { markEnded, type Run } from './run-directory.ts';
import { waitingLines, waitsOf } from './run-state.ts';
import { complain, progressText, tell } from './show.ts';
import { lookCloserText, summaryText } from './summary.ts';

const EXIT_OK = 0;
const EXIT_FAILURE = 1;
const EXIT_USAGE = 2;
/** 128 and the number of the signal, as shells count. */
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

const SIGNALS = Object.keys(EXIT_CODES) as (keyof typeof EXIT_CODES)[];

/** Runs it to its end, or until it is interrupted; resolves with the exit code. No process that it started is left then. */
export async function carryOut({ run, isResumed }: { run: Run; isResumed: boolean }): Promise<number> {
  const { directory, agents } = run;
  tell(isResumed ? `Resuming the run in ${directory}` : `New run: ${directory}`);
  const interrupted = new AbortController();
  let exitCode: number = EXIT_FAILURE;
  const interrupt = (signal: NodeJS.Signals): void => {
    if (!interrupted.signal.aborted) exitCode = EXIT_CODES[signal as keyof typeof EXIT_CODES];
    interrupted.abort();
  };
  // Never removed: a second Ctrl-C must not cut the shutdown short, and execa ends a process that has no listener.
  for (const signal of SIGNALS) process.on(signal, interrupt);
  // A step of a machine may never return; then only the watchdog hears a signal.
  nodeHost.watchdog.hear(SIGNALS, interrupt);
  await using room = await openRoom({ directory: path.join(directory, '.mailroom') });
  let result: TeamResult;
  try {
    result = await runTeam(room, run, interrupted.signal);
  } finally {
    await endTeam(room, agents);
  }
  if (result.status === 'not-started') {
    complain(result.why);
    return EXIT_FAILURE;
  }
  if (result.status === 'left') {
    tell(`\nInterrupted; nothing is lost. To resume, repeat the same command. (${directory})`);
    return exitCode;
  }
  const report: LoopReport | undefined = result.status === 'done' ? result.output : undefined;
  await releaseBranch(run.input.repository).catch((error: unknown) => complain(String(error)));
  markEnded(run, report?.outcome ?? result.status);
  if (report?.outcome === 'not-ready') return await endUnready(run);
  const why = result.status === 'error' ? `the workflow failed: ${result.error.message}` : 'the workflow was stopped';
  tell(
    report
      ? summaryText(report, run)
      : `\nNot delivered: ${why}. The same command starts a new run.\n\n${lookCloserText(run)}`,
  );
  const left = await leftBehindText(run);
  if (left !== '') tell(left);
  return report && isAllDone(report) ? EXIT_OK : EXIT_FAILURE;
}

/** Nothing was built and nobody was asked, so that nothing of the run stays in the repository. */
async function endUnready(run: Run): Promise<number> {
  await lookAtClean(run)
    .then((remains) => removeFromRepository(run, remains))
    .catch((error: unknown) => complain(String(error)));
  complain(
    `The repository is not ready for a team (the reason is above). No agent was asked anything, and nothing stays in the repository. The room of the attempt: ${run.directory}`,
  );
  return EXIT_USAGE;
}

type TeamResult = WorkflowResult<LoopReport> | { readonly status: 'not-started'; readonly why: string };

/** Starts the agents and runs the loop. The agents are not ended. */
async function runTeam(room: Room, run: Run, interrupted: AbortSignal): Promise<TeamResult> {
  const { directory, agents, input, inTmux } = run;
  const session = inTmux ? `mailroom-${path.basename(directory)}` : undefined;
  const team = { agents, directory, session };
  try {
    const { started, kept } = await startTeam(room, { ...team, signal: interrupted });
    const told = [...started.map((one) => `${one} started`), ...kept.map((one) => `${one} already running`)];
    tell(`agents: ${told.join(', ')}`);
  } catch (error) {
    return interrupted.aborted ? { status: 'left' } : { status: 'not-started', why: String(error) };
  }
  if (session !== undefined) tell(`to watch them: tmux attach -t ${session}`);
  const isOver = new AbortController();
  const keeping = keepTeam(room, { ...team, signal: AbortSignal.any([isOver.signal, interrupted]) });
  try {
    const told = createTeller();
    keepTelling(() => waitsOf(room, Date.now()), {
      since: told.silentMs,
      signal: AbortSignal.any([isOver.signal, interrupted]),
    });
    return await runWorkflow(room, machine, {
      input,
      signal: interrupted,
      onRecord: told.listener,
      // The file system was checked before the run was opened.
      force: true,
      file: machineFile('autonomous-dev'),
    });
  } finally {
    isOver.abort();
    await keeping;
  }
}

/**
 * Prints the events of every record after its commit. Records that are repeated after a crash were printed before. `silentMs` says
 * for how long nothing was printed.
 */
function createTeller(): { readonly listener: RecordListener; readonly silentMs: () => number } {
  const startMs = Date.now();
  let lastMs = performance.now();
  return {
    silentMs: () => performance.now() - lastMs,
    listener: (_address, record) => {
      if (!('commit' in record)) return;
      const since = `${((record.commit.at - startMs) / 1_000).toFixed(1).padStart(6)} s`;
      for (const event of record.commit.emitted) {
        lastMs = performance.now();
        tell(progressText(event as unknown as LoopProgress, since));
      }
    },
  };
}

const SILENT_MS_MAX = 60_000;
const TELL_EVERY_MS = 5_000;

/**
 * After each minute in which nothing was printed, prints what the run waits for, until the signal aborts. `since`: for how long nothing
 * was printed, in ms.
 */
export function keepTelling(
  waitsFor: () => readonly string[],
  { since, signal }: { readonly since: () => number; readonly signal: AbortSignal },
): void {
  let toldMs = 0;
  const timer = setInterval(() => {
    const silentMs = Math.min(since(), performance.now() - toldMs);
    if (silentMs < SILENT_MS_MAX) return;
    toldMs = performance.now();
    const waits = waitingLines(waitsFor());
    tell(`  waiting for ${waits.length === 0 ? 'mail of the agents' : waits.join('\n              ')}`);
  }, TELL_EVERY_MS);
  signal.addEventListener('abort', () => clearInterval(timer), { once: true });
}

const LOOK_EVERY_MS = 2_000;

/**
 * Restarts agents that died without leaving, until the signal aborts; each resumes what it held. Agents without `isKept` are
 * left alone: a team has to cope with an agent that falls silent.
 */
async function keepTeam(room: Room, { agents, directory, session, signal }: TeamOptions): Promise<void> {
  const kept = agents.filter(({ isKept }) => isKept);
  while (!signal.aborted && kept.length > 0) {
    await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => {});
    if (signal.aborted) return;
    const actors = room.actors();
    const dead = kept.filter(({ address }) =>
      actors.some(({ card, live }) => card.address === address && !live && card.leftAt === undefined),
    );
    if (dead.length === 0) continue;
    tell(`  died, restarting: ${dead.map(({ address }) => address).join(', ')}`);
    await startTeam(room, { agents: dead, directory, session, signal }).catch((error: unknown) => {
      if (!signal.aborted) complain(`  ${String(error)}`);
    });
  }
}
