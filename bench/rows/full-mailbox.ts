import { CONTENT_600_B, makeRoom, type BenchRoom } from '../bench-room.ts';
import { interleave, timeEach, timeEachSync } from '../measure.ts';
import { deliverPlainly, makePlainMailbox, plainNames } from '../peers/plain-files.ts';
import { compare, type Bench, type Outcome, type Row } from '../row.ts';
import { bySize } from '../size.ts';
import { timeDrain } from './receive.ts';

const MESSAGE = { to: 'bob', type: 'INFO', content: CONTENT_600_B } as const;

/** Whether the cost of one message follows what else lies in the mailbox. */
export const fullMailboxRow: Row = {
  name: 'full-mailbox',
  run: async (bench): Promise<Outcome[]> => {
    const held = bySize(bench, { full: 10_000, quick: 10_000, smoke: 20 });
    const sent = bySize(bench, { full: 500, quick: 250, smoke: 5 });
    const rounds = bySize(bench, {
      full: { counted: 15, warmUp: 2 },
      quick: { counted: 5, warmUp: 1 },
      smoke: { counted: 1, warmUp: 0 },
    });
    // Filled once a round, outside of what is timed: first sent into, then drained.
    let filled: BenchRoom | undefined;
    const samples = await interleave(
      {
        sendEmpty: async () => {
          const room = await makeRoom(bench, { addresses: ['alice', 'bob'] });
          await send(room, 1);
          const ns = await send(room, sent);
          await room.close();
          return ns;
        },
        sendFull: async () => {
          filled = await makeRoom(bench, { addresses: ['alice', 'bob', 'carol'] });
          // By another sender, so that only the mailbox is full and not also the counter of who is timed.
          for (let done = 0; done < held; done++) await filled.agents[2]?.send(MESSAGE);
          await send(filled, 1);
          return send(filled, sent);
        },
        linkEmpty: () => timeLinks(bench, { held: 0, linked: sent }),
        linkFull: () => timeLinks(bench, { held, linked: sent }),
        drainEmpty: async () => {
          const room = await makeRoom(bench, { addresses: ['alice', 'bob'] });
          await send(room, sent);
          const ns = await drain(room, sent);
          await room.close();
          return ns;
        },
        drainFull: async () => {
          if (!filled) throw new Error('there is no full mailbox');
          const ns = await drain(filled, held + 1 + sent);
          await filled.close();
          return ns;
        },
      },
      rounds,
    );
    const holds = `a mailbox that holds ${held.toLocaleString('en')}`;
    return [
      compare({
        work: `send into ${holds}`,
        floor: 'the same at 0',
        samples: samples.sendFull,
        floorSamples: samples.sendEmpty,
        goal: { most: 1.3, unit: '×' },
      }),
      compare({
        work: `open+write+close+link+unlink into a directory that holds ${held.toLocaleString('en')}, nothing else`,
        floor: 'the same at 0',
        samples: samples.linkFull,
        floorSamples: samples.linkEmpty,
      }),
      compare({
        work: `drain ${holds}, per message`,
        floor: 'the same at 0',
        samples: samples.drainFull,
        floorSamples: samples.drainEmpty,
        goal: { most: 1.5, unit: '×' },
        note: `at 0: ${sent} messages`,
      }),
    ];
  },
};

function timeLinks(bench: Bench, { held, linked }: { held: number; linked: number }): number {
  const mailbox = makePlainMailbox(bench.freshDirectory());
  for (const name of plainNames(held)) deliverPlainly(mailbox, name);
  const names = plainNames(linked);
  return timeEachSync(linked, (index) => deliverPlainly(mailbox, names[index] ?? ''));
}

function send({ agents: [alice] }: BenchRoom, count: number): Promise<number> {
  return timeEach(count, async () => alice?.send(MESSAGE));
}

async function drain({ agents: [, bob] }: BenchRoom, expected: number): Promise<number> {
  if (!bob) throw new Error('nobody is there to read');
  return timeDrain(bob, expected);
}
