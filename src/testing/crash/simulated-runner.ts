import { loadWorkflows, runWorkflows, type CrashRun, type RanToItsEnd } from './run-workflows.ts';
import type { SimulatedMachine } from './simulated-machine.ts';

const RUN_MS_MAX = 120_000;

/** Numbers the processes of all runs, so that each has modules of its own. */
let processes = 0;

/** A run that wanted to start a program, which a simulated process does not. */
export class StartsProgram extends Error {
  constructor(file: string) {
    super(`the run starts ${file}, which outlives a process: it cannot be simulated`);
    this.name = 'StartsProgram';
  }
}

/**
 * Does a run in a simulated process of its own. Its files of machines are imported anew, because a process that starts has no
 * variables yet; with `reuses` they are not. Throws StartsProgram, what the run throws, and at once with what `failed` rejects with.
 */
export async function runSimulated(
  run: CrashRun,
  {
    machine,
    reuses,
    failed,
  }: { readonly machine: SimulatedMachine; readonly reuses: boolean; readonly failed: Promise<never> },
): Promise<'killed' | RanToItsEnd> {
  processes += 1;
  const child = machine.start();
  const release = machine.time.hold();
  const loaded = await loadWorkflows(run.workflows, reuses ? '' : `?process=${processes}`).finally(release);
  child.killAt(run.killAt, 'changes');
  const over = new AbortController();
  const late = machine.time
    .clockOf(over)
    .sleep(RUN_MS_MAX, over.signal)
    .then(() => {
      if (!over.signal.aborted) throw new Error(`a run took more than ${RUN_MS_MAX} ms`);
    });
  const ran = child.run(async (host) => {
    const result = await runWorkflows(host, run, loaded);
    return { changes: child.calls, result };
  });
  try {
    const ended = await Promise.race([ran, failed, late]);
    if (child.startedOther !== undefined) throw new StartsProgram(child.startedOther);
    return !ended || ended === 'killed' ? 'killed' : ended.value;
  } finally {
    over.abort();
    child.kill();
    await ran.catch(() => {});
  }
}
