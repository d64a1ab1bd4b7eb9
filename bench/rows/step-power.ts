import { makeCounter } from '../counter.ts';
import { interleave, timeEach, timeEachSync, type Side } from '../measure.ts';
import { makeSyncedAppends } from '../peers/plain-steps.ts';
import { makeSqliteSteps } from '../peers/sqlite-steps.ts';
import { loadSqlite, SQLITE_MISSING } from '../peers/sqlite.ts';
import { compare, type Outcome, type Row } from '../row.ts';
import { bySize } from '../size.ts';
import { timeBacklog } from './step.ts';

const WORK = 'durable step (power)';

/** The same step where all of it survives a power loss, beside the cheapest way to make one record do so. */
export const stepPowerRow: Row = {
  name: 'step-power',
  run: async (bench): Promise<Outcome[]> => {
    const count = bySize(bench, { full: 250, quick: 250, smoke: 5 });
    const synced = bySize(bench, { full: 48, quick: 32, smoke: 2 });
    const Sqlite = await loadSqlite();
    const appended: Side = async () => {
      const appends = makeSyncedAppends(bench.freshDirectory());
      await appends.append();
      const ns = await timeEach(synced, () => appends.append());
      appends.close();
      return ns;
    };
    const inSqlite: Side = () => {
      if (!Sqlite) return Number.NaN;
      const machine = makeCounter(bench.workflows);
      const given = { machine, directory: bench.freshDirectory(), waiting: synced };
      const steps = makeSqliteSteps(Sqlite, { ...given, synchronous: 'FULL', does: 'signed' });
      const ns = timeEachSync(synced, () => steps.step());
      steps.close();
      return ns;
    };
    const samples = await interleave(
      { appended, ours: () => timeBacklog(bench, { count, durability: 'power' }), inSqlite },
      bySize(bench, {
        full: { counted: 31, warmUp: 4 },
        quick: { counted: 11, warmUp: 3 },
        smoke: { counted: 1, warmUp: 0 },
      }),
    );
    const sqlite = {
      work: WORK,
      floor: 'one transaction of better-sqlite3 (WAL, FULL), verified and signed, each synced',
    };
    return [
      compare({
        work: WORK,
        floor: 'append of such a record + fdatasync',
        samples: samples.ours,
        floorSamples: samples.appended,
        goal: { most: 2.6, unit: '×' },
        note: `per message of ${count} that wait`,
      }),
      Sqlite
        ? compare({ ...sqlite, samples: samples.ours, floorSamples: samples.inSqlite, goal: { most: 1.3, unit: '×' } })
        : { work: `${WORK}, beside ${sqlite.floor}`, skipped: SQLITE_MISSING },
    ];
  },
};
