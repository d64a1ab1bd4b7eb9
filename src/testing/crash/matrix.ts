import { InvalidInput } from '../../errors.ts';
import { nodeHost } from '../../host/node-host.ts';
import type { Durability } from '../../mailbox/mailbox.ts';
import type { Agent } from '../../room/agent.ts';
import type { Mail } from '../../room/mail.ts';
import type { Room } from '../../room/room.ts';
import { checkJournals, type JournalCounts } from './check-journals.ts';
import { CrashRoom } from './room.ts';
import { CrashRunner } from './runner.ts';
import type { CrashResult, CrashRun, RanToItsEnd } from './run-workflows.ts';
import { SimulatedMachine } from './simulated-machine.ts';
import { runSimulated, StartsProgram } from './simulated-runner.ts';

const CONCURRENCY = 4;
/** What the clock of a simulated machine shows first. */
const SIMULATED_START_MS = Date.UTC(2026, 0, 1);
const REAL_STRIDE = 50;

/** A workflow under test. */
export interface CrashedWorkflow {
  /** The file that exports the machine: JavaScript, or TypeScript, which is slower: through tsx, or by a Node that strips types. */
  readonly file: string;
  /** Its export; `machine` when not given. */
  readonly name?: string;
  /** Its export with which a FAILED one is tried again, as by `mailroom run --retry-failed` when the code is mended. */
  readonly mended?: string;
  readonly address: string;
  /** What it begins with; a function gets the directory of the schedule's own room, beside which it may leave traces. */
  readonly input?: unknown;
}

export interface CrashMatrixOptions {
  /** All of them run in one process; a run is over when the first has ended. */
  readonly workflows: readonly [CrashedWorkflow, ...CrashedWorkflow[]];
  /** Who else is in the room, and what each does about a message, which is acknowledged afterwards. */
  readonly agents?: Readonly<Record<string, (mail: Mail, agent: Agent) => Promise<void> | void>>;
  /** What is wrong with a finished run, a sentence each; beside what is always checked. Without it and `compares` the first workflow has to end as done. */
  readonly check?: (finished: FinishedRun) => readonly string[] | Promise<readonly string[]>;
  /** What of the result every run has to share, where not all of it can, such as the ids of messages; all when not given. */
  readonly compares?: (result: CrashResult) => unknown;
  /** Schedules in which two runs in a row are killed, at random places; none when not given. */
  readonly pairs?: number;
  /** The same with three. */
  readonly triples?: number;
  /** Every how many calls a single kill is tried; 1, every one, when not given. */
  readonly stride?: number;
  readonly seed?: number;
  /** Only these schedules, such as the `kills` of a failure, to look at it again. */
  readonly only?: readonly (readonly number[])[];
  readonly durability?: Durability;
  /**
   * How a run is killed. `real`: each run is a process, killed by SIGKILL. `simulated`: each run is a host in this process whose
   * ports stop answering at the kill: from that call on every call of its file system throws and none reaches the disk, its timers
   * and watches end, and the next run has another process identity. That takes a tenth of the time, and the same seed gives the
   * same bytes. What it does not simulate: an activity that waits for something outside when its host is killed goes on to its end;
   * only the file of a machine is imported anew for each run, not what it imports; and it starts no commands, so a schedule that
   * does is left to real kills. A file in TypeScript must be one that this process can import. Default: `real`.
   */
  readonly kills?: 'real' | 'simulated';
  /** With simulated kills: of how many schedules one is also done with real ones, or only so where it cannot be simulated. Default: 50. */
  readonly realStride?: number;
  /**
   * Do the first run of a schedule in the process that has ended the one before, in another room, which saves a quarter. For
   * machines whose modules keep nothing in variables: those would then have what a process that starts does not have.
   */
  readonly reuseProcesses?: boolean;
}

export interface FinishedRun {
  readonly room: Room;
  readonly result: CrashResult;
  /** The calls in place of which runs were killed; none for the run without a kill. */
  readonly kills: readonly number[];
}

export interface CrashReport {
  readonly schedules: number;
  /** Runs that were killed, simulated and real; some schedules end before their kill. */
  readonly kills: number;
  /** Those of them that were killed by SIGKILL. */
  readonly realKills: number;
  /** Schedules that cannot be simulated and were not among those that are done with real kills. */
  readonly skipped: number;
  /** Calls that change something in a run without kills: the places where it can die. */
  readonly places: number;
  readonly seed: number;
  /** How the first workflow ended in the run without kills. */
  readonly result: CrashResult;
  /** Summed over all schedules. */
  readonly counts: JournalCounts;
  readonly failures: readonly CrashFailure[];
}

export interface CrashFailure {
  readonly kills: readonly number[];
  readonly faults: readonly string[];
  /** The room as it was left, to look at: `MAILROOM_DIR=… mailroom why …`. */
  readonly directory: string;
}

/**
 * Kills a workflow by SIGKILL in place of every call that changes something on the disk, one kill a schedule, then at random
 * pairs of places; runs it to its end each time and checks that it ended like the run that nobody killed: the same result,
 * each message taken once, each message sent once, timers at their original time, each journal replayable, nothing left
 * undone. Real processes, real files, in a temporary directory. Throws InvalidInput for a stride that cannot be.
 */
export async function crashMatrix(options: CrashMatrixOptions): Promise<CrashReport> {
  const { stride = 1, realStride = REAL_STRIDE } = options;
  for (const [name, value] of Object.entries({ stride, realStride })) {
    if (!(Number.isSafeInteger(value) && value > 0))
      throw new InvalidInput(`crashMatrix(): the ${name} is ${value}: expected a whole number from 1 on.`);
  }
  const typeScript = options.workflows.find(({ file }) => /\.[cm]?ts$/.test(file))?.file;
  const start = (): CrashRunner => new CrashRunner({ typeScript, reuses: options.reuseProcesses ?? false });
  const runners = [start(), ...Array.from({ length: CONCURRENCY - 1 }, start)] as const;
  try {
    return await runAll(options, runners);
  } finally {
    await Promise.all(runners.map((runner) => runner.close()));
  }
}

async function runAll(
  options: CrashMatrixOptions,
  runners: readonly [CrashRunner, ...CrashRunner[]],
): Promise<CrashReport> {
  const {
    pairs = 0,
    triples = 0,
    stride = 1,
    realStride = REAL_STRIDE,
    seed = nodeHost.clock.now() % 2 ** 31,
  } = options;
  const [first, ...others] = runners;
  const isSimulated = options.kills === 'simulated';
  const simulated = isSimulated
    ? await runSchedule(options, { way: simulatedWay(options, { seed, kills: [] }), kills: [] })
    : undefined;
  // What starts a program even when nobody kills it does so in each schedule.
  const undisturbed =
    simulated && simulated !== 'starts a program'
      ? simulated
      : await runSchedule(options, { way: realWay(options, first), kills: [] });
  if (undisturbed === 'starts a program') throw new Error('a real process may start programs');
  const { places, result, faults, directory } = undisturbed;
  const failures: CrashFailure[] = faults.length > 0 ? [{ kills: [], faults, directory }] : [];
  const expected = comparedOf(options, result);
  const next = drawNumbers(seed);
  const draw = (): number => 1 + (next() % places);
  const schedules: (readonly number[])[] = [...(options.only ?? [])];
  // A run that fails by itself needs no kills.
  const isSound = faults.length === 0;
  const stop = options.only || !isSound ? 0 : places;
  for (let place = 1; place <= stop; place += stride) schedules.push([place]);
  for (let pair = 0; isSound && pair < pairs; pair++) schedules.push([draw(), draw()]);
  for (let triple = 0; isSound && triple < triples; triple++) schedules.push([draw(), draw(), draw()]);
  const { counts } = undisturbed;
  const report = {
    schedules: schedules.length,
    kills: 0,
    realKills: 0,
    skipped: 0,
    places,
    seed,
    result,
    counts,
    failures,
  };
  const add = (ran: RanSchedule, kills: readonly number[], { isReal }: { isReal: boolean }): void => {
    report.kills += ran.killed;
    if (isReal) report.realKills += ran.killed;
    report.counts = addCounts(report.counts, ran.counts);
    if (ran.faults.length > 0) report.failures.push({ kills, faults: ran.faults, directory: ran.directory });
  };
  const queue = [...schedules.entries()];
  const work = async (runner: CrashRunner): Promise<void> => {
    for (let entry = queue.shift(); entry; entry = queue.shift()) {
      const [number, kills] = entry;
      const ran =
        simulated === undefined || simulated === 'starts a program'
          ? 'starts a program'
          : await runSchedule(options, { way: simulatedWay(options, { seed, kills }), kills, expected });
      const isReal = !isSimulated || (number + seed) % realStride === 0;
      if (ran !== 'starts a program') add(ran, kills, { isReal: false });
      else if (!isReal) report.skipped += 1;
      if (!isReal) continue;
      const really = await runSchedule(options, { way: realWay(options, runner), kills, expected });
      if (really !== 'starts a program') add(really, kills, { isReal: true });
    }
  };
  await Promise.all([first, ...others].map(work));
  return report;
}

/** One way to do a schedule: in which room, and how a run of it is done. */
interface Way {
  readonly world: () => Promise<CrashRoom>;
  readonly run: (run: CrashRun, world: CrashRoom) => Promise<'killed' | RanToItsEnd>;
}

function realWay(options: CrashMatrixOptions, runner: CrashRunner): Way {
  return {
    world: () => CrashRoom.make(options, { host: nodeHost }),
    run: (run, world) => runner.run(run, world),
  };
}

/** Each schedule has a machine of its own, and what is random in it follows from the seed and the kills. */
function simulatedWay(options: CrashMatrixOptions, { seed, kills }: { seed: number; kills: readonly number[] }): Way {
  const machine = new SimulatedMachine({
    host: nodeHost,
    seed: [seed, ...kills].join(' '),
    startMs: SIMULATED_START_MS,
  });
  const reuses = options.reuseProcesses ?? false;
  return {
    world: () => CrashRoom.make(options, { host: machine.start().host, outside: () => machine.time.outside() }),
    run: (run, { failed }) => runSimulated(run, { machine, reuses, failed }),
  };
}

interface RanSchedule {
  readonly places: number;
  readonly killed: number;
  readonly result: CrashResult;
  readonly counts: JournalCounts;
  readonly faults: readonly string[];
  readonly directory: string;
}

async function runSchedule(
  options: CrashMatrixOptions,
  { way, kills, expected }: { way: Way; kills: readonly number[]; expected?: string },
): Promise<RanSchedule | 'starts a program'> {
  const world = await way.world();
  const { directory } = world;
  const runOnce = (killAt: number): Promise<'killed' | RanToItsEnd> =>
    way.run({ ...toldOf(options, directory), directory, killAt }, world);
  let killed = 0;
  let ran: RanSchedule;
  try {
    for (const killAt of kills) {
      if ((await runOnce(killAt)) !== 'killed') break;
      killed += 1;
    }
    const last = await runOnce(0);
    if (last === 'killed') throw new Error('the last run was killed by somebody else');
    await world.idle();
    const { result, changes: places } = last;
    const { faults, counts } = checkJournals(world.room.context);
    const compared = comparedOf(options, result);
    const differs = expected !== undefined && compared !== expected;
    const wrong = differs ? [`the result is ${compared}, without kills it is ${expected}`] : [];
    // A machine that fails at its start fails the same after each kill.
    const mayFail = expected !== undefined || options.compares || options.check;
    if (result.status !== 'done' && !mayFail)
      wrong.push(`it ended as ${JSON.stringify(result)}: if that is right, say so by \`compares\` or \`check\``);
    const own = await world.outside(async () => (await options.check?.({ room: world.room, result, kills })) ?? []);
    ran = { places, killed, result, counts, faults: [...wrong, ...faults, ...own], directory };
  } catch (error) {
    if (error instanceof StartsProgram) {
      await world.close({ keep: false });
      return 'starts a program';
    }
    const faults = [error instanceof Error ? error.message : String(error), ...world.whereabouts()];
    ran = { places: 0, killed, result: { status: 'left' }, counts: NO_COUNTS, faults, directory };
  }
  await world.close({ keep: ran.faults.length > 0 });
  return ran;
}

function comparedOf({ compares }: CrashMatrixOptions, result: CrashResult): string {
  return JSON.stringify(compares ? compares(result) : result);
}

function toldOf(
  { workflows, durability = 'process' }: CrashMatrixOptions,
  directory: string,
): Pick<CrashRun, 'workflows' | 'durability'> {
  return {
    durability,
    workflows: workflows.map(({ file, name = 'machine', mended, address, input }) => ({
      file,
      name,
      ...(mended === undefined ? {} : { mended }),
      address,
      input: typeof input === 'function' ? (input as (directory: string) => unknown)(directory) : input,
    })),
  };
}

const NO_COUNTS: JournalCounts = { steps: 0, taken: 0, sent: 0, timers: 0 };

function addCounts(a: JournalCounts, b: JournalCounts): JournalCounts {
  return { steps: a.steps + b.steps, taken: a.taken + b.taken, sent: a.sent + b.sent, timers: a.timers + b.timers };
}

const BITS = 2 ** 32;

/** Whole numbers from 0 to 2³² − 1 that look random and are the same for the same seed (mulberry32). */
export function drawNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) % BITS;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}
