import type { Agent } from '../../src/index.ts';
import { CONTENT_600_B, makeRoom } from '../bench-room.ts';
import { interleave, timeEachSync } from '../measure.ts';
import {
  closePlainFiles,
  deliverPlainly,
  makePlainMailbox,
  openPlainFiles,
  plainNames,
  receivePlainly,
  takePlainly,
} from '../peers/plain-files.ts';
import { compare, type Bench, type Outcome, type Row } from '../row.ts';
import { bySize, rounds } from '../size.ts';

/** What a reader does with each message, beside the bare system calls of a claim and an acknowledgement. */
export const receiveRow: Row = {
  name: 'receive',
  run: async (bench): Promise<Outcome[]> => {
    const count = bySize(bench, { full: 250, quick: 250, smoke: 5 });
    const samples = await interleave(
      {
        plainly: () => {
          const mailbox = makePlainMailbox(bench.freshDirectory());
          const names = plainNames(count);
          for (const name of names) deliverPlainly(mailbox, name);
          return timeEachSync(count, (index) => receivePlainly(mailbox, names[index] ?? ''));
        },
        ours: () => timeReceiving(bench, count),
        callsOnly: () => {
          const mailbox = makePlainMailbox(bench.freshDirectory());
          const files = openPlainFiles(bench.freshDirectory());
          const names = plainNames(count);
          for (const name of names) deliverPlainly(mailbox, name);
          const ns = timeEachSync(count, (index) => takePlainly(mailbox, files, names[index] ?? ''));
          closePlainFiles(files);
          return ns;
        },
      },
      rounds(bench),
    );
    return [
      compare({
        work: 'receive: verify, claim, acknowledge, logged',
        floor: 'open+read+close+2 renames',
        samples: samples.ours,
        floorSamples: samples.plainly,
        goal: { most: 2.5, unit: '×' },
      }),
      compare({
        work: 'the system calls of such a receive, nothing else',
        floor: 'open+read+close+2 renames',
        samples: samples.callsOnly,
        floorSamples: samples.plainly,
      }),
    ];
  },
};

async function timeReceiving(bench: Bench, count: number): Promise<number> {
  const room = await makeRoom(bench, { addresses: ['alice', 'bob'] });
  const [alice, bob] = room.agents;
  if (!alice || !bob) throw new Error('the room has lost its agents');
  for (let sent = 0; sent < count; sent++) await alice.send({ to: 'bob', type: 'INFO', content: CONTENT_600_B });
  const ns = await timeDrain(bob, count);
  await room.close();
  return ns;
}

/** Reads and acknowledges all that waits; ns per message. Throws when it is another number than expected. */
export async function timeDrain(reader: Agent, expected: number): Promise<number> {
  const start = process.hrtime.bigint();
  let received = 0;
  for await (const mail of reader.inbox({ wait: false })) {
    await mail.ack();
    received += 1;
  }
  const ns = Number(process.hrtime.bigint() - start);
  if (received !== expected) throw new Error(`${received} messages were received, ${expected} were sent`);
  return ns / received;
}
