import { expect, test } from 'vitest';
import { MailroomError } from '../../src/errors.ts';
import type { FileSystem } from '../../src/host/file-system.ts';
import { countCalls, failAt, FAULTS, shortWriteAt, type FaultyFiles } from '../faults/faulty-files.ts';
import { unsyncedFiles } from '../faults/fault-sweep.ts';
import { isTried } from '../processes/stride.ts';
import { countDescriptors, runFaulty, type FaultRun } from './fault-run.ts';
import { fingerprint } from './fingerprint.ts';
import { expectRepeatable, expectTrueOutcome } from './promises.ts';
import { createTemplate, type RoomTemplate } from './room-template.ts';
import type { Scenario } from './scenario.ts';
import { SCENARIOS } from './scenarios.ts';

interface Fault {
  readonly title: string;
  /** Which calls it can happen to; all of them when not given. */
  readonly calls?: RegExp;
  readonly isLasting?: boolean;
  readonly at: (files: FileSystem, n: number) => FaultyFiles;
}

const EVERY_FAULT: readonly Fault[] = [
  ...FAULTS.map((error): Fault => ({ title: error, at: (files, n) => failAt(files, { n, error }) })),
  {
    title: 'EIO after the work',
    calls: /^(?:link|rename|unlink|mkdir|rmdir|fsync) /,
    at: (files, n) => failAt(files, { n, error: 'EIO', when: 'after' }),
  },
  { title: 'EIO from then on', isLasting: true, at: (files, n) => failAt(files, { n, error: 'EIO', lasting: true }) },
  { title: 'a write of half the bytes', calls: /^write /, at: (files, n) => shortWriteAt(files, { n }) },
  { title: 'a write of nothing', calls: /^write /, at: (files, n) => shortWriteAt(files, { n, bytes: 0 }) },
];

test.each(SCENARIOS)('a fault at any call is told truly and can be got over: $title', async (scenario) => {
  const template = await createTemplate(scenario.prepare);
  const sweep: Sweep = { scenario, template, states: new Set(), outcomes: new Map() };
  try {
    const counting = countCalls(unsyncedFiles);
    const sound = await tryOnce(sweep, counting);
    expect(sound.error).toBeUndefined();
    let faults = 0;
    for (const [kind, fault] of EVERY_FAULT.entries()) {
      for (const [index, step] of counting.steps.entries()) {
        if ((fault.calls && !fault.calls.test(step)) || !isTried(index + kind)) continue;
        const counted = countDescriptors(unsyncedFiles);
        const faulty = fault.at(counted.files, index + 1);
        try {
          const run = await tryOnce(sweep, faulty, { counted, isLasting: fault.isLasting === true });
          if (!faulty.fired) continue;
          expectHelpful(scenario, run);
          expectKnown(scenario, run, step);
        } catch (error) {
          throw new Error(`${fault.title} at call ${index + 1}, ${faulty.steps[index]}: ${String(error)}`, {
            cause: error,
          });
        }
        faults += 1;
      }
    }
    const outcomes = [...sweep.outcomes].map(([outcome, count]) => `${count} ${outcome}`).join(', ');
    console.log(
      `${scenario.title}: ${counting.steps.length} calls, ${faults} faults left ${sweep.states.size} states; ${outcomes}`,
    );
  } finally {
    template.remove();
  }
});

/** After which failures nobody can know whether a new message arrived: its link, and the sync of the link. */
const LEAVES_OPEN = /^link |^(?:open|fsync|close) .*\/mailbox\/new$/;

/** What no public function does: here the system's own error comes out, and names the path. */
const BELOW_THE_ROOM: readonly string[] = ['retry dead', 'sweep'];

interface Sweep {
  readonly scenario: Scenario;
  readonly template: RoomTemplate;
  /** What rooms were left in, with what was reported, and are known to be all right. */
  readonly states: Set<string>;
  readonly outcomes: Map<string, number>;
}

async function tryOnce(
  { scenario, template, states, outcomes }: Sweep,
  faulty: FaultyFiles,
  { counted = countDescriptors(unsyncedFiles), isLasting = false } = {},
): Promise<FaultRun> {
  const directory = template.copy();
  const run = await runFaulty(scenario, { directory, faulty, counted });
  const told = outcomeOf(run);
  outcomes.set(told, (outcomes.get(told) ?? 0) + 1);
  expect(run.leaked, 'descriptors left open').toBe(0);
  // What a disk that stays broken keeps from being undone is as after a kill.
  const { liesIn: _, isAlive: __, ...killed } = run;
  const seen = isLasting && !told.includes('failed') ? killed : run;
  await expectTrueOutcome(scenario, seen);
  const state = `${told} ${String(isLasting)}\n${fingerprint(directory)}`;
  if (!states.has(state)) await expectRepeatable(scenario, seen);
  states.add(state);
  template.discard(directory);
  return run;
}

function outcomeOf({ error, hasSucceeded }: FaultRun): string {
  if (error === undefined) return hasSucceeded ? 'succeeded' : 'partly';
  if (!(error instanceof MailroomError)) return 'raw';
  return 'outcome' in error ? String(error.outcome) : error.code;
}

/** Of a message that nobody sent before, only few steps leave open what became of it. */
function expectKnown({ subject }: Scenario, run: FaultRun, step: string): void {
  const isUnknown = subject?.isNewEachTime === true && outcomeOf(run) === 'unknown';
  expect(!isUnknown || LEAVES_OPEN.test(step), `unknown after ${step}`).toBe(true);
}

/** Every error says what failed, where, and what to do. */
function expectHelpful({ operation }: Scenario, { error, directory }: FaultRun): void {
  if (error === undefined) return;
  const isRaw = BELOW_THE_ROOM.includes(operation);
  expect(error).toBeInstanceOf(isRaw ? Error : MailroomError);
  const { message, hint } = error as MailroomError;
  expect(`${message} ${hint}`).toMatch(new RegExp(isRaw ? directory : `${directory}|bob|alice`));
  expect(isRaw || hint !== undefined, `a hint with: ${message}`).toBe(true);
}
