import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { makeRoom } from '../bench-room.ts';
import { interleave } from '../measure.ts';
import { compare, type Outcome, type Row } from '../row.ts';
import { bySize } from '../size.ts';

const WAITING = 10;

/** Whole processes, as an agent starts them: one per message, one per look. */
export const cliRow: Row = {
  name: 'cli',
  run: async (bench): Promise<Outcome[]> => {
    const program = path.join(bench.dist, 'cli', 'mailroom.cjs');
    if (!fs.existsSync(program)) {
      return [{ work: 'CLI send and inbox, whole process', skipped: `${program} is not built: npm run build` }];
    }
    const room = await makeRoom(bench, { addresses: ['alice', 'bob', 'carol'] });
    for (let sent = 0; sent < WAITING; sent++)
      await room.agents[0]?.send({ to: 'bob', type: 'INFO', content: 'Hello.' });
    await room.close();
    const run = (args: readonly string[], input = ''): number => timeProcess(room.directory, args, input);
    const event = JSON.stringify({ session_id: 'measured', cwd: room.directory });
    run([program, 'hook', 'claude', 'SessionStart'], event);
    const samples = await interleave(
      {
        nothing: () => run(['-e', '0']),
        send: () => run([program, 'send', 'carol', 'INFO', 'The tests pass.', '--as', 'alice']),
        inbox: () => run([program, 'inbox', '--as', 'bob']),
        hook: () => run([program, 'hook', 'claude', 'PostToolBatch'], event),
      },
      bySize(bench, {
        full: { counted: 61, warmUp: 4 },
        quick: { counted: 21, warmUp: 2 },
        smoke: { counted: 1, warmUp: 0 },
      }),
    );
    const floor = { floor: 'node -e 0', floorSamples: samples.nothing } as const;
    const goal = { most: 1.25, unit: '×' } as const;
    return [
      compare({ work: 'mailroom send, whole process', ...floor, samples: samples.send, goal }),
      compare({ work: 'mailroom inbox, whole process', ...floor, samples: samples.inbox, goal }),
      compare({
        work: 'mailroom hook that finds no mail, whole process',
        ...floor,
        samples: samples.hook,
        goal: { most: 1.3, unit: '×' },
      }),
    ];
  },
};

function timeProcess(room: string, args: readonly string[], input: string): number {
  const env = { PATH: process.env['PATH'], HOME: process.env['HOME'], MAILROOM_DIR: room };
  const start = process.hrtime.bigint();
  const { status, stderr } = spawnSync(process.execPath, args, { env, input, stdio: ['pipe', 'ignore', 'pipe'] });
  const ns = Number(process.hrtime.bigint() - start);
  if (status !== 0) throw new Error(`node ${args.join(' ')} ended with ${status}: ${String(stderr)}`);
  return ns;
}
