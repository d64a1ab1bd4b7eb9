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
   * How a run is killed. Default: `real`.
   *
   * `real`: each run is a process, and SIGKILL ends it.
   *
   * `simulated`: each run is a host in this process. In place of the call, and from then on, every call of its file system throws and
   * none reaches the disk, clean-up included; its timers and watches end, and for the next run its process is dead. Time stands still
   * while something happens and jumps to the next timer. A schedule takes a tenth of the CPU time, and the same seed leaves the
   * same bytes. It differs from a real kill in this: an activity that waits for something outside goes on to its end; of a module only
   * the file of the machine is loaded anew for each run, not what it imports; a command is not started, so a schedule with one
   * is done with real kills (see `realStride`); and a file in TypeScript must be one that this process can import.
   */
  readonly kills?: 'real' | 'simulated';
  /**
   * With simulated kills, every how many schedules one is done with real kills as well. Those that start a command are done only
   * so, and otherwise counted as `skipped`. Default: 50.
   */
  readonly realStride?: number;
  /**
   * Do the first run of a schedule in the process that has ended the one before, in another room, which saves a quarter; with simulated
   * kills, load the machine once. For machines whose modules keep nothing in variables: those would then have what a process that
   * starts does not have. Default: false.
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
  // A simulated run does not wait for anything that another one could use.
  const more = options.kills === 'simulated' ? 0 : CONCURRENCY - 1;
  const runners = [start(), ...Array.from({ length: more }, start)] as const;
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
  const { realStride = REAL_STRIDE, seed = nodeHost.clock.now() % 2 ** 31 } = options;
  const { undisturbed, isSimulated } = await runUndisturbed(options, { seed, runner: runners[0] });
  const { places, result, faults, directory, counts } = undisturbed;
  const failures: CrashFailure[] = faults.length > 0 ? [{ kills: [], faults, directory }] : [];
  const expected = comparedOf(options, result);
  const schedules = schedulesOf(options, { places, seed, isSound: faults.length === 0 });
  const report = { kills: 0, realKills: 0, skipped: 0, counts };
  const add = (ran: RanSchedule, kills: readonly number[]): void => {
    report.kills += ran.killed;
    report.counts = addCounts(report.counts, ran.counts);
    if (ran.faults.length > 0) failures.push({ kills, faults: ran.faults, directory: ran.directory });
  };
  const queue = [...schedules.entries()];
  const work = async (runner: CrashRunner): Promise<void> => {
    for (let entry = queue.shift(); entry; entry = queue.shift()) {
      const [number, kills] = entry;
      const ran = isSimulated
        ? await runSchedule(options, { way: simulatedWay(options, { seed, kills }), kills, expected })
        : STARTS_PROGRAM;
      if (ran !== STARTS_PROGRAM) add(ran, kills);
      if (options.kills === 'simulated' && (number + seed) % realStride !== 0) {
        if (ran === STARTS_PROGRAM) report.skipped += 1;
        continue;
      }
      const really = await runReally(options, { runner, kills, expected });
      report.realKills += really.killed;
      add(really, kills);
    }
  };
  await Promise.all(runners.map(work));
  return { schedules: schedules.length, places, seed, result, ...report, failures };
}

/** The run without kills. What starts a program in it does so in each schedule, and none is simulated. */
async function runUndisturbed(
  options: CrashMatrixOptions,
  { seed, runner }: { readonly seed: number; readonly runner: CrashRunner },
): Promise<{ readonly undisturbed: RanSchedule; readonly isSimulated: boolean }> {
  if (options.kills === 'simulated') {
    const undisturbed = await runSchedule(options, { way: simulatedWay(options, { seed, kills: [] }), kills: [] });
    if (undisturbed !== STARTS_PROGRAM) return { undisturbed, isSimulated: true };
  }
  return { undisturbed: await runReally(options, { runner, kills: [] }), isSimulated: false };
}

function schedulesOf(
  { only, stride = 1, pairs = 0, triples = 0 }: CrashMatrixOptions,
  { places, seed, isSound }: { readonly places: number; readonly seed: number; readonly isSound: boolean },
): (readonly number[])[] {
  const next = drawNumbers(seed);
  const draw = (): number => 1 + (next() % places);
  const schedules: (readonly number[])[] = [...(only ?? [])];
  // A run that fails by itself needs no kills.
  const stop = only || !isSound ? 0 : places;
  for (let place = 1; place <= stop; place += stride) schedules.push([place]);
  for (let pair = 0; isSound && pair < pairs; pair++) schedules.push([draw(), draw()]);
  for (let triple = 0; isSound && triple < triples; triple++) schedules.push([draw(), draw(), draw()]);
  return schedules;
}

/** In place of a schedule that no simulated process can do. */
const STARTS_PROGRAM = 'starts a program';

/** One way to do a schedule: in which room, and how a run of it is done. */
interface Way {
  readonly world: () => Promise<CrashRoom>;
  readonly run: (run: CrashRun, world: CrashRoom) => Promise<'killed' | RanToItsEnd>;
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

async function runReally(
  options: CrashMatrixOptions,
  { runner, ...schedule }: { runner: CrashRunner; kills: readonly number[]; expected?: string },
): Promise<RanSchedule> {
  const way: Way = {
    world: () => CrashRoom.make(options, { host: nodeHost }),
    run: (run, world) => runner.run(run, world),
  };
  const ran = await runSchedule(options, { way, ...schedule });
  if (ran === STARTS_PROGRAM) throw new TypeError('a real process may start programs');
  return ran;
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
): Promise<RanSchedule | typeof STARTS_PROGRAM> {
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
      return STARTS_PROGRAM;
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
