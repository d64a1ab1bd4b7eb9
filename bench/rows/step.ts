import fs from 'node:fs';
import { COUNTER, makeCounter, makeCounterRoom, runCounter } from '../counter.ts';
import { interleave, timeEachSync, type Side } from '../measure.ts';
import {
  closePlainFiles,
  deliverPlainly,
  makePlainMailbox,
  openPlainFiles,
  openPlainJournal,
  plainNames,
  readPlainly,
  stepPlainly,
} from '../peers/plain-files.ts';
import { makePlainSteps } from '../peers/plain-steps.ts';
import { makeSqliteSteps, type SqliteStepsOptions } from '../peers/sqlite-steps.ts';
import { loadSqlite, SQLITE_MISSING } from '../peers/sqlite.ts';
import { compare, type Bench, type Outcome, type Row } from '../row.ts';
import { bySize } from '../size.ts';

const WORK = 'durable step (process): verify, transition, commit, send one, acknowledge';

/** One step of a workflow that survives a kill, out of a backlog that waits in its mailbox. */
export const stepRow: Row = {
  name: 'step',
  run: async (bench): Promise<Outcome[]> => {
    const count = bySize(bench, { full: 500, quick: 500, smoke: 5 });
    const alone = bySize(bench, { full: 50, quick: 50, smoke: 2 });
    const Sqlite = await loadSqlite();
    const plainly: Side = () => {
      const steps = makePlainSteps(makeCounter(bench.workflows), bench.freshDirectory());
      const ns = timeEachSync(count, () => steps.step());
      steps.close();
      return ns;
    };
    const inSqlite =
      (does: SqliteStepsOptions['does']): Side =>
      () => {
        if (!Sqlite) return Number.NaN;
        const machine = makeCounter(bench.workflows);
        const given = { machine, directory: bench.freshDirectory(), waiting: count, does };
        const steps = makeSqliteSteps(Sqlite, { ...given, synchronous: 'NORMAL' });
        const ns = timeEachSync(count, () => steps.step());
        steps.close();
        return ns;
      };
    const samples = await interleave(
      {
        plainly,
        ours: () => timeBacklog(bench, { count, durability: 'process' }),
        callsOnly: () => timeCallsOnly(bench, count),
        unsigned: () => timeUnsigned(bench, count),
        sqliteBare: inSqlite('bare'),
        sqliteSigned: inSqlite('signed'),
        sqliteKept: inSqlite('kept'),
        alone: () => timeOneByOne(bench, alone),
      },
      bySize(bench, {
        full: { counted: 31, warmUp: 9 },
        quick: { counted: 11, warmUp: 6 },
        smoke: { counted: 1, warmUp: 0 },
      }),
    );
    const plainStep = 'transition() + getPersistedSnapshot + JSON.stringify + one append';
    const sqlite = 'one transaction of better-sqlite3 (WAL, NORMAL)';
    return [
      compare({
        work: WORK,
        floor: plainStep,
        samples: samples.ours,
        floorSamples: samples.plainly,
        goal: { most: 3, unit: '×' },
        note: `per message of ${count} that wait`,
      }),
      compare({
        work: 'the system calls of such a step, nothing else',
        floor: plainStep,
        samples: samples.callsOnly,
        floorSamples: samples.plainly,
      }),
      compare({
        work: 'the floor with its mail in files: read, moved, answered; not verified, signed, counted, logged',
        floor: plainStep,
        samples: samples.unsigned,
        floorSamples: samples.plainly,
      }),
      ...(Sqlite
        ? [
            compare({
              work: WORK,
              floor: `${sqlite}, verified and signed`,
              samples: samples.ours,
              floorSamples: samples.sqliteSigned,
              goal: { most: 1.1, unit: '×' },
            }),
            compare({
              work: WORK,
              floor: `${sqlite}, neither verified nor signed`,
              samples: samples.ours,
              floorSamples: samples.sqliteBare,
            }),
            compare({
              work: WORK,
              floor: `${sqlite}, verified, signed, counted, logged, the step kept`,
              samples: samples.ours,
              floorSamples: samples.sqliteKept,
            }),
          ]
        : [{ work: `${WORK}, beside ${sqlite}`, skipped: SQLITE_MISSING }]),
      compare({
        work: `a message to ${COUNTER}, which is idle, until its answer lies in the sender's mailbox (process)`,
        floor: 'the durable step of a backlog above',
        samples: samples.alone,
        floorSamples: samples.ours,
      }),
    ];
  },
};

/** Until all of them are acknowledged and their answers delivered; what opening the workflow takes is not counted. */
export async function timeBacklog(
  bench: Bench,
  { count, durability }: { count: number; durability: 'process' | 'power' },
): Promise<number> {
  const room = await makeCounterRoom(bench);
  for (let sent = 0; sent < count; sent++) await room.send();
  const running = await runCounter(bench, room, { durability });
  const end = await running.handled(count);
  const ns = Number(end - running.lookedAt());
  await running.close();
  await room.close();
  return ns / count;
}

function timeCallsOnly(bench: Bench, count: number): number {
  const mailbox = makePlainMailbox(bench.freshDirectory());
  const answers = makePlainMailbox(bench.freshDirectory());
  const files = openPlainFiles(bench.freshDirectory());
  const journal = openPlainJournal(bench.freshDirectory());
  const names = plainNames(count);
  for (const name of names) deliverPlainly(mailbox, name);
  const ns = timeEachSync(count, (index) =>
    stepPlainly(mailbox, { files, journal, answers }, { name: names[index] ?? '', index }),
  );
  closePlainFiles(files);
  fs.closeSync(journal.fd);
  return ns;
}

/** What no workflow with files for mail can do without, and no check, no signature and no line in a log. */
function timeUnsigned(bench: Bench, count: number): number {
  const mailbox = makePlainMailbox(bench.freshDirectory());
  const answers = makePlainMailbox(bench.freshDirectory());
  const steps = makePlainSteps(makeCounter(bench.workflows), bench.freshDirectory());
  const names = plainNames(count);
  for (const name of names) deliverPlainly(mailbox, name);
  const ns = timeEachSync(count, (index) => {
    const name = names[index] ?? '';
    readPlainly(mailbox, name);
    steps.step();
    fs.renameSync(`${mailbox.new}/${name}`, `${mailbox.done}/${name}`);
    deliverPlainly(answers, name);
  });
  steps.close();
  return ns;
}

/** Each is sent when the one before was answered. */
async function timeOneByOne(bench: Bench, count: number): Promise<number> {
  const room = await makeCounterRoom(bench);
  const running = await runCounter(bench, room, { durability: 'process' });
  await room.send();
  await running.handled(1);
  let ns = 0;
  for (let index = 0; index < count; index++) {
    const start = process.hrtime.bigint();
    const handled = running.handled(index + 2);
    await room.send();
    ns += Number((await handled) - start);
  }
  await running.close();
  await room.close();
  return ns / count;
}
