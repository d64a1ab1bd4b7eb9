import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openRoom, type Room } from 'agent-mailroom';
import { nodeHost, runWorkflow, type RecordListener, type WorkflowResult } from 'agent-mailroom/runtime';
import { machine } from '../autonomous-dev.ts';
import type { Progress } from '../autonomous-dev/progress.ts';
import { isAllDone, type LoopReport } from '../autonomous-dev/report.ts';
import { endTeam, startTeam, type TeamOptions } from './agents.ts';
import { leftBehindText } from './left-behind.ts';
import { machineFile } from '../shared/mailroom-command.ts';
import { markEnded, type Run } from './run-directory.ts';
import { complain, progressText, tell } from './show.ts';
import { lookCloserText, summaryText } from './summary.ts';

const EXIT_OK = 0;
const EXIT_FAILURE = 1;
/** 128 and the number of the signal, as shells count. */
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

const SIGNALS = Object.keys(EXIT_CODES) as (keyof typeof EXIT_CODES)[];

/** Runs it to its end, or until it is interrupted; resolves with the exit code. Nothing that it started is left then. */
export async function carryOut({ run, isResumed }: { run: Run; isResumed: boolean }): Promise<number> {
  const { directory, agents } = run;
  tell(isResumed ? `Going on with the run in ${directory}` : `A run of its own: ${directory}`);
  const interrupted = new AbortController();
  let exitCode: number = EXIT_FAILURE;
  const interrupt = (signal: NodeJS.Signals): void => {
    if (!interrupted.signal.aborted) exitCode = EXIT_CODES[signal as keyof typeof EXIT_CODES];
    interrupted.abort();
  };
  // Until this process ends: a second Ctrl-C does not cut the end short, and execa ends a process without a listener.
  for (const signal of SIGNALS) process.on(signal, interrupt);
  // What the machines do may never return, and then only the watchdog hears a signal.
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
    tell(`\nInterrupted; nothing is lost. To go on, give the same command again. (${directory})`);
    return exitCode;
  }
  const report: LoopReport | undefined = result.status === 'done' ? result.output : undefined;
  markEnded(run, report?.outcome ?? result.status);
  const why = result.status === 'error' ? `it failed: ${result.error.message}` : 'it was stopped from outside';
  tell(
    report
      ? summaryText(report, run)
      : `\nNot delivered: ${why}. The same command begins a new run.\n\n${lookCloserText(run)}`,
  );
  const left = await leftBehindText(run);
  if (left !== '') tell(left);
  return report && isAllDone(report) ? EXIT_OK : EXIT_FAILURE;
}

type TeamResult = WorkflowResult<LoopReport> | { readonly status: 'not-started'; readonly why: string };

/** Starts the agents and runs the loop. The agents stay. */
async function runTeam(room: Room, run: Run, interrupted: AbortSignal): Promise<TeamResult> {
  const { directory, agents, input, inTmux } = run;
  const session = inTmux ? `mailroom-${path.basename(directory)}` : undefined;
  const team = { agents, directory, session };
  try {
    const { started, kept } = await startTeam(room, { ...team, signal: interrupted });
    const told = [...started.map((one) => `${one} started`), ...kept.map((one) => `${one} was alive`)];
    tell(`agents: ${told.join(', ')}`);
  } catch (error) {
    return interrupted.aborted ? { status: 'left' } : { status: 'not-started', why: String(error) };
  }
  if (session !== undefined) tell(`watch them: tmux attach -t ${session}`);
  const isOver = new AbortController();
  const keeping = keepTeam(room, { ...team, signal: AbortSignal.any([isOver.signal, interrupted]) });
  try {
    return await runWorkflow(room, machine, {
      input,
      signal: interrupted,
      onRecord: createTeller(),
      // Where the run lies was looked at before it was opened.
      force: true,
      file: machineFile('autonomous-dev'),
    });
  } finally {
    isOver.abort();
    await keeping;
  }
}

/** Tells every record after it is true; what is repeated after a crash was told before. */
function createTeller(): RecordListener {
  const startMs = Date.now();
  return (_address, record) => {
    if (!('commit' in record)) return;
    const since = `${((record.commit.at - startMs) / 1_000).toFixed(1).padStart(6)} s`;
    for (const event of record.commit.emitted) tell(progressText(event as unknown as Progress, since));
  };
}

const LOOK_EVERY_MS = 2_000;

/**
 * Starts agents again that have died without leaving, until the signal aborts. Each goes on with what it held. Those that
 * are not to be kept are left alone: that an agent falls silent is a thing that a team has to get over.
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
    tell(`  died, and is started again: ${dead.map(({ address }) => address).join(', ')}`);
    await startTeam(room, { agents: dead, directory, session, signal }).catch((error: unknown) => {
      if (!signal.aborted) complain(`  ${String(error)}`);
    });
  }
}
