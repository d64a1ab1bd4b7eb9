import { CONTENT_600_B, makeRoom } from '../bench-room.ts';
import { interleave, timeEach, timeEachSync, type Side } from '../measure.ts';
import { makeJsonInbox } from '../peers/json-inbox.ts';
import {
  closePlainFiles,
  deliverPlainly,
  makePlainMailbox,
  openPlainFiles,
  plainNames,
  sendPlainly,
} from '../peers/plain-files.ts';
import { loadSqlite, makeSqliteMailbox, SQLITE_MISSING } from '../peers/sqlite.ts';
import { compare, type Bench, type Outcome, type Row } from '../row.ts';
import { bySize, rounds } from '../size.ts';

const WORK = 'send (process): 600 B, signed, counted, logged';

/** A send that survives a kill, beside the bare system calls of a delivery and beside what others store mail in. */
export const sendRow: Row = {
  name: 'send',
  run: async (bench): Promise<Outcome[]> => {
    const count = bySize(bench, { full: 250, quick: 250, smoke: 5 });
    const rewrites = bySize(bench, { full: 10, quick: 10, smoke: 2 });
    const Sqlite = await loadSqlite();
    const plainly: Side = () => {
      const mailbox = makePlainMailbox(bench.freshDirectory());
      const names = plainNames(count);
      return timeEachSync(count, (index) => deliverPlainly(mailbox, names[index] ?? ''));
    };
    const callsOnly: Side = () => {
      const mailbox = makePlainMailbox(bench.freshDirectory());
      const files = openPlainFiles(bench.freshDirectory());
      const names = plainNames(count);
      const ns = timeEachSync(count, (index) => sendPlainly(mailbox, files, names[index] ?? ''));
      closePlainFiles(files);
      return ns;
    };
    const toSqlite: Side = () => {
      if (!Sqlite) return Number.NaN;
      const mailbox = makeSqliteMailbox(Sqlite, bench.freshDirectory());
      const names = plainNames(count);
      const ns = timeEachSync(count, (index) => mailbox.send(names[index] ?? ''));
      mailbox.close();
      return ns;
    };
    const samples = await interleave(
      {
        plainly,
        ours: () => timeSends(bench, count),
        callsOnly,
        toSqlite,
        toJsonInbox: () => {
          const inbox = makeJsonInbox(bench.freshDirectory());
          return timeEach(rewrites, (index) => inbox.send(index));
        },
      },
      rounds(bench),
    );
    const { ours } = samples;
    const sqlite = { work: WORK, floor: 'better-sqlite3 insert (WAL, NORMAL)' };
    return [
      compare({
        work: WORK,
        floor: 'open+write+close+link+unlink',
        samples: ours,
        floorSamples: samples.plainly,
        goal: { most: 2.5, unit: '×' },
      }),
      compare({
        work: 'the system calls of such a send, nothing else',
        floor: 'open+write+close+link+unlink',
        samples: samples.callsOnly,
        floorSamples: samples.plainly,
      }),
      Sqlite
        ? compare({ ...sqlite, samples: ours, floorSamples: samples.toSqlite, goal: { most: 1.5, unit: '×' } })
        : { work: `${WORK}, beside ${sqlite.floor}`, skipped: SQLITE_MISSING },
      compare({
        work: WORK,
        floor: 'JSON inbox of 300 rewritten under proper-lockfile',
        samples: ours,
        floorSamples: samples.toJsonInbox,
        goal: { least: 30, unit: '× faster' },
      }),
    ];
  },
};

/** The first send opens log and counter and is not counted: a process does that once. */
async function timeSends(bench: Bench, count: number): Promise<number> {
  const room = await makeRoom(bench, { addresses: ['alice', 'bob'] });
  const [alice] = room.agents;
  const send = async (): Promise<unknown> => alice?.send({ to: 'bob', type: 'INFO', content: CONTENT_600_B });
  await send();
  const ns = await timeEach(count, send);
  await room.close();
  return ns;
}
