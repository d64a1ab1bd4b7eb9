import { InvalidInput } from '../../errors.ts';
import { nodeHost } from '../../host/node-host.ts';
import type { Durability } from '../../mailbox/mailbox.ts';
import type { Agent } from '../../room/agent.ts';
import type { Mail } from '../../room/mail.ts';
import { contextOf, type Room } from '../../room/room.ts';
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
  /** The absolute path of the file that exports the machine. TypeScript is slower than JavaScript: it needs tsx or a Node that strips types. */
  readonly file: string;
  /** The name of the export. Default: `machine`. */
  readonly name?: string;
  /** The name of the export that retries the workflow if it is FAILED, as `mailroom run --retry-failed` with fixed code. Default: it is not retried. */
  readonly mended?: string;
  /** The workflow's address. */
  readonly address: string;
  /** The machine's input, or a function that makes it from the directory of the schedule's room. Default: none. */
  readonly input?: unknown;
}

/** What `crashMatrix` kills, and how it checks the runs. */
export interface CrashMatrixOptions {
  /** The workflows, all run in one process. A run ends when the first has ended. */
  readonly workflows: readonly [CrashedWorkflow, ...CrashedWorkflow[]];
  /** The agents of the room by address, and what each does with a message, which is then acknowledged. Default: none. */
  readonly agents?: Readonly<Record<string, (mail: Mail, agent: Agent) => Promise<void> | void>>;
  /** Returns what is wrong with a finished run, a sentence each. Without `check` and `compares` the first workflow must end as `done`. */
  readonly check?: (finished: FinishedRun) => readonly string[] | Promise<readonly string[]>;
  /** Returns the part of the result that all runs must share, such as all but message ids. Default: the whole result. */
  readonly compares?: (result: CrashResult) => unknown;
  /** How many schedules kill two runs in a row, at random places. Default: 0. */
  readonly pairs?: number;
  /** How many schedules kill three runs in a row, at random places. Default: 0. */
  readonly triples?: number;
  /** Kill at every n-th place only. Default: 1, every place. */
  readonly stride?: number;
  /** The seed of the random places. Default: the time. */
  readonly seed?: number;
  /** Run only these schedules, such as the `kills` of a failure. Default: all. */
  readonly only?: readonly (readonly number[])[];
  /** The durability of the runs. Default: `process`. */
  readonly durability?: Durability;
  /**
   * How a run is killed. `real`: each run is a process, killed by SIGKILL. `simulated`: each run is a host in this process, whose
   * file system throws from the kill on without reaching the disk; its timers and watchers end, and the next run has another process
   * identity. Simulated kills take a tenth of the time, and the same seed gives the same bytes. Limits of the simulation: an activity
   * that waits for something outside runs on after the kill; only the machine's own file is imported again for each run; a schedule
   * that starts a command is left to real kills; a TypeScript file must be one that this process can import. Default: `real`.
   */
  readonly kills?: 'real' | 'simulated';
  /** With simulated kills, one of this many schedules is also run with real ones, or only so if it cannot be simulated. Default: 50. */
  readonly realStride?: number;
  /**
   * Run the first run of each schedule in the process that ended the schedule before, which saves a quarter of the time. Only for
   * machines whose modules keep no state in variables. Default: false.
   */
  readonly reuseProcesses?: boolean;
}

/** A run of the crash matrix that reached its end, for `check`. */
export interface FinishedRun {
  /** The room of the run. */
  readonly room: Room;
  /** How the first workflow ended. */
  readonly result: CrashResult;
  /** The places where the runs of the schedule were killed; none in the run without kills. */
  readonly kills: readonly number[];
}

/** What `crashMatrix` found. */
export interface CrashReport {
  /** How many schedules were run, in addition to the run without kills. */
  readonly schedules: number;
  /** How many runs were killed, simulated or real. A schedule can end before its kill. */
  readonly kills: number;
  /** How many runs were killed by SIGKILL. */
  readonly realKills: number;
  /** How many schedules could not be simulated and were not among those with real kills. */
  readonly skipped: number;
  /** How many calls of the run without kills change something: the places to kill at. */
  readonly places: number;
  /** The seed of the random places. */
  readonly seed: number;
  /** How the first workflow ended in the run without kills. */
  readonly result: CrashResult;
  /** What all journals together have, over all schedules. */
  readonly counts: JournalCounts;
  /** The schedules with faults; none if the workflow survives every kill. */
  readonly failures: readonly CrashFailure[];
}

/** A schedule with faults. */
export interface CrashFailure {
  /** The places where its runs were killed, for `only`. */
  readonly kills: readonly number[];
  /** What is wrong, a sentence each. */
  readonly faults: readonly string[];
  /** The room of the schedule, which is kept: `MAILROOM_DIR=<directory> mailroom why <address>`. */
  readonly directory: string;
}

/**
 * Kills a workflow in place of every call that changes something on the disk, one kill per schedule, then at random pairs and
 * triples of places. Each schedule is run to its end and compared with the run without kills: the same result, each message
 * taken once and sent once, timers at their original time, every journal replayable, nothing left undone.
 *
 * @throws `InvalidInput` for a stride that is not a whole number from 1.
 *
 * @example
 * ```ts
 * import { crashMatrix } from 'agent-mailroom/testing';
 *
 * const report = await crashMatrix({
 *   workflows: [{ file: '/work/project/ship.mjs', address: 'ship', input: { branch: 'add-port' } }],
 *   agents: { alice: async (mail, agent) => void (await agent.reply(mail, { type: 'INFO', content: 'Yes.' })) },
 *   pairs: 20,
 * });
 * if (report.failures.length > 0) throw new Error(JSON.stringify(report.failures, undefined, 2));
 * ```
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
    const { faults, counts } = checkJournals(contextOf(world.room));
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
