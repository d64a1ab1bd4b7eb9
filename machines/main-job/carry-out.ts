import path from 'node:path';
import { openRoom } from 'agent-mailroom';
import { runWorkflow, type RecordListener } from 'agent-mailroom/runtime';
import { machine } from '../autonomous-dev.ts';
import type { Progress } from '../autonomous-dev/progress.ts';
import { isAllDone, type LoopReport } from '../autonomous-dev/report.ts';
import { endTeam, startTeam } from './agents.ts';
import { keepTeam } from './keep-team.ts';
import { leftBehindText } from './left-behind.ts';
import { markEnded, type Run } from './run-directory.ts';
import { progressText } from './show.ts';
import { lookCloserText, summaryText } from './summary.ts';

const EXIT_OK = 0;
const EXIT_FAILURE = 1;
const EXIT_INTERRUPTED = 130;
const EXIT_TERMINATED = 143;

/** Runs it to its end, or until it is interrupted; resolves with the exit code. */
export async function carryOut({ run, isResumed }: { run: Run; isResumed: boolean }): Promise<number> {
  const { directory, agents, input, inTmux } = run;
  console.log(isResumed ? `Going on with the run in ${directory}` : `A run of its own: ${directory}`);
  const interrupted = new AbortController();
  let exitCode = EXIT_INTERRUPTED;
  const onSignal = (signal: NodeJS.Signals): void => {
    exitCode = signal === 'SIGINT' ? EXIT_INTERRUPTED : EXIT_TERMINATED;
    interrupted.abort();
  };
  // Stay until the end: execa ends a process whose only listener is its own.
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  await using room = await openRoom({ directory: path.join(directory, '.mailroom') });
  const session = inTmux ? `mailroom-${path.basename(directory)}` : undefined;
  const team = await startTeam(room, { agents, directory, session }).catch((error: unknown) => String(error));
  if (typeof team === 'string') {
    console.error(team);
    await endTeam(room, agents);
    return EXIT_FAILURE;
  }
  const { started, kept } = team;
  console.log(
    `agents: ${[...started.map((one) => `${one} started`), ...kept.map((one) => `${one} was alive`)].join(', ')}`,
  );
  if (session !== undefined) console.log(`watch them: tmux attach -t ${session}`);
  const isOver = new AbortController();
  const keeping = keepTeam(room, { agents, directory, session, signal: isOver.signal });
  const result = await runWorkflow(room, machine, {
    input,
    signal: interrupted.signal,
    onRecord: createTeller(),
    file: new URL('../autonomous-dev.ts', import.meta.url).pathname,
  });
  process.off('SIGINT', onSignal);
  process.off('SIGTERM', onSignal);
  isOver.abort();
  await keeping;
  await endTeam(room, agents);
  if (result.status === 'left') {
    console.log(`\nInterrupted; nothing is lost. To go on, give the same command again. (${directory})`);
    return exitCode;
  }
  const report: LoopReport | undefined = result.status === 'done' ? result.output : undefined;
  markEnded(run, report?.outcome ?? result.status);
  const why = result.status === 'error' ? `it failed: ${result.error.message}` : 'it was stopped from outside';
  console.log(
    report
      ? summaryText(report, run)
      : `\nNot delivered: ${why}. The same command begins a new run.\n\n${lookCloserText(run)}`,
  );
  const left = await leftBehindText(run);
  if (left !== '') console.log(left);
  return report && isAllDone(report) ? EXIT_OK : EXIT_FAILURE;
}

/** Tells every record after it is true; what is repeated after a crash was told before. */
function createTeller(): RecordListener {
  const startMs = Date.now();
  return (_address, record) => {
    if (!('commit' in record)) return;
    const since = `${((record.commit.at - startMs) / 1_000).toFixed(1).padStart(6)} s`;
    for (const event of record.commit.emitted) console.log(progressText(event as unknown as Progress, since));
  };
}
