import fs from 'node:fs';
import path from 'node:path';
import { makeRoom } from '../bench-room.ts';
import { interleave, median, quantile, type Samples } from '../measure.ts';
import { compare, type Outcome, type Result, type Row } from '../row.ts';
import { bySize } from '../size.ts';
import { timeProcess } from '../time-process.ts';

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
    const started = { node: bench.node, room: room.directory };
    const run = (args: readonly string[], input = ''): number => timeProcess(started, args, input);
    const event = JSON.stringify({ session_id: 'measured', cwd: room.directory });
    run([program, 'hook', 'claude', 'SessionStart'], event);
    const samples = await interleave(
      {
        nothing: () => run(['-e', '0']),
        crypto: () => run(['-e', "require('node:crypto')"]),
        version: () => run([program, '--version']),
        help: () => run([program, 'help']),
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
    const goal = { most: 1.2, unit: '×' } as const;
    const { send, inbox } = samples;
    return [
      compare({ work: 'mailroom send, whole process', ...floor, samples: send, goal }),
      beyondCrypto('mailroom send, whole process', send, samples.crypto),
      compare({ work: 'mailroom inbox, whole process', ...floor, samples: inbox, goal }),
      beyondCrypto('mailroom inbox, whole process', inbox, samples.crypto),
      compare({ work: 'mailroom --version, whole process', ...floor, samples: samples.version, goal }),
      compare({ work: 'mailroom help, whole process', ...floor, samples: samples.help, goal }),
      compare({
        work: 'mailroom hook that finds no mail, whole process',
        ...floor,
        samples: samples.hook,
        goal: { most: 1.3, unit: '×' },
      }),
    ];
  },
};

/** How much longer the work takes than to load what others sign with, in ms. */
function beyondCrypto(work: string, samples: Samples, crypto: Samples): Result {
  const each = samples.map((us, index) => (us - (crypto[index] ?? us)) / 1_000);
  const value = median(each);
  const goal = { most: 3, unit: ' ms' } as const;
  return {
    work,
    floor: `node -e "require('node:crypto')", and so much more`,
    workUs: median(samples),
    floorUs: median(crypto),
    value,
    spread: [quantile(each, 0.25), quantile(each, 0.75)],
    rounds: each.length,
    goal,
    met: value <= goal.most,
  };
}
