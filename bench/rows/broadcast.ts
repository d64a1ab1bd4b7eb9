import fs from 'node:fs';
import { CONTENT_600_B, makeRoom } from '../bench-room.ts';
import { interleave, timeEach, timeEachSync } from '../measure.ts';
import { makePlainMailbox, plainNames, writePlainly } from '../peers/plain-files.ts';
import { compare, type Bench, type Outcome, type Result, type Row } from '../row.ts';
import { bySize, rounds } from '../size.ts';

/** One broadcast to many, beside one file written and linked as often. */
export const broadcastRow: Row = {
  name: 'broadcast',
  run: async (bench): Promise<Outcome[]> => {
    if (bench.size === 'smoke') return [await timeBroadcasts(bench, { readers: 3, most: 2.5 })];
    return [
      await timeBroadcasts(bench, { readers: 10, most: 2.5 }),
      await timeBroadcasts(bench, { readers: 100, most: 1.6 }),
      await timeBroadcasts(bench, { readers: 1_000, most: 1.6 }),
    ];
  },
};

async function timeBroadcasts(bench: Bench, { readers, most }: { readers: number; most: number }): Promise<Result> {
  const addresses = Array.from({ length: readers }, (_, index) => `agent-${index}`);
  const perRound = Math.max(
    1,
    Math.min(20, Math.round(bySize(bench, { full: 1_000, quick: 500, smoke: 3 }) / readers)),
  );
  const room = await makeRoom(bench, { addresses: ['alice', ...addresses] });
  const [alice] = room.agents;
  const fresh = bench.freshDirectory();
  const mailboxes = addresses.map((address) => makePlainMailbox(fresh, address));
  const [first] = mailboxes;
  if (!alice || !first) throw new Error('nobody is there to broadcast to');
  const samples = await interleave(
    {
      linked: () => {
        const names = plainNames(perRound);
        return timeEachSync(perRound, (index) => {
          const name = names[index] ?? '';
          const staged = writePlainly(first, name);
          for (const mailbox of mailboxes) fs.linkSync(staged, `${mailbox.new}/${name}`);
          fs.unlinkSync(staged);
        });
      },
      ours: () => timeEach(perRound, () => alice.broadcast({ type: 'INFO', content: CONTENT_600_B })),
    },
    rounds(bench),
  );
  await room.close();
  return compare({
    work: `broadcast to ${readers}`,
    floor: `one write + ${readers} links`,
    samples: samples.ours,
    floorSamples: samples.linked,
    goal: { most, unit: '×' },
  });
}
