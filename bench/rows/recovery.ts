import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { makeCounterRoom, runCounter, type CounterRoom } from '../counter.ts';
import { interleave } from '../measure.ts';
import { compare, type Bench, type Outcome, type Row } from '../row.ts';
import { bySize } from '../size.ts';

const GOAL = { most: 1.5, unit: '×' } as const;

/** Whether opening a workflow follows how much of it is left, or how long it has lived. */
export const recoveryRow: Row = {
  name: 'recovery',
  run: async (bench): Promise<Outcome[]> => {
    const short = bySize(bench, { full: 100, quick: 100, smoke: 2 });
    const long = bySize(bench, { full: 10_000, quick: 10_000, smoke: 20 });
    const young = await live(bench, short);
    const old = await live(bench, long);
    const grown = { young: [] as number[], old: [] as number[] };
    const recover = (name: 'young' | 'old', { directory }: CounterRoom, round: number): number => {
      const { openNs, heapBytes } = openInFreshProcess(bench, directory);
      if (round >= rounds.warmUp) grown[name].push(heapBytes / 1_000);
      return openNs;
    };
    const rounds = bySize(bench, {
      full: { counted: 31, warmUp: 2 },
      quick: { counted: 11, warmUp: 1 },
      smoke: { counted: 1, warmUp: 0 },
    });
    const samples = await interleave(
      { young: (round) => recover('young', young, round), old: (round) => recover('old', old, round) },
      rounds,
    );
    await Promise.all([young.close(), old.close()]);
    const commits = `${long.toLocaleString('en')} commits`;
    const floor = `the same at ${short}`;
    return [
      compare({
        work: `opening a workflow with ${commits}, in a fresh process`,
        floor,
        samples: samples.old,
        floorSamples: samples.young,
        goal: GOAL,
      }),
      compare({
        work: `memory that this takes`,
        floor,
        samples: grown.old,
        floorSamples: grown.young,
        goal: GOAL,
        note: 'kB of heap instead of µs',
      }),
    ];
  },
};

/** A workflow that has taken so many messages, and was left in good order. */
async function live(bench: Bench, commits: number): Promise<CounterRoom> {
  const room = await makeCounterRoom(bench);
  const running = await runCounter(bench, room, { durability: 'process' });
  for (let handled = 0; handled < commits;) {
    const batch = Math.min(commits - handled, BATCH);
    for (let sent = 0; sent < batch; sent++) await room.send();
    handled += batch;
    await running.handled(handled);
  }
  await running.close();
  return room;
}

const BATCH = 500;

function openInFreshProcess({ dist }: Bench, room: string): { openNs: number; heapBytes: number } {
  const program = fileURLToPath(new URL('../children/recover.ts', import.meta.url));
  const args = ['--expose-gc', '--import', 'tsx', program, dist, room];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ended with ${status}: ${stderr}`);
  return JSON.parse(stdout) as { openNs: number; heapBytes: number };
}
