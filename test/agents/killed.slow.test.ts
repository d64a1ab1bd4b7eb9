import { afterAll, beforeAll, it } from 'vitest';
import { workers } from '../jobs/asking.ts';
import { REAL_KILL_STRIDE } from '../processes/stride.ts';
import { bundleAgent, type BundledAgent } from './bundled-agent.ts';
import { createKilledRoom } from './killed-room.ts';
import { createRandom } from '../run/seed.ts';

const random = createRandom();

/** What the agent writes is tried at every place by a simulation; this is for what lies between, while the command runs. */
const RANDOM_KILLS = REAL_KILL_STRIDE === 1 ? 8 : 2;
/** Long enough that the command is often running when everything is killed. */
const SLOW_S = 0.3;

let agent: BundledAgent;
beforeAll(async () => {
  agent = await bundleAgent();
});
afterAll(() => agent[Symbol.dispose]());

it('sends one reply when it and all that it started are killed at any time, and the next agent too', async () => {
  const usual = await createKilledRoom({ stepS: SLOW_S });
  const startMs = performance.now();
  await agent.run([usual.directory, 'bob', usual.line, '0']);
  const latestMs = 1.3 * (performance.now() - startMs);
  usual.remove();
  let left = RANDOM_KILLS;
  const ran: number[] = [];
  await workers(async () => {
    while (left > 0) {
      const kill = left--;
      const room = await createKilledRoom({ stepS: SLOW_S });
      try {
        for (const killAfterMs of [(latestMs * kill) / RANDOM_KILLS, random() * latestMs]) {
          await agent.run([room.directory, 'bob', room.line, '0'], { killAfterMs });
          const before = room.stage();
          room.killJobs();
          // A command that had answered is not asked again.
          if (['answered, not stored', 'stored', 'sent', 'acknowledged'].includes(before)) {
            const runs = room.runs();
            await agent.run([room.directory, 'bob', room.line, '0']);
            if (room.runs() !== runs) throw new Error(`it was ${before}, and the command was run again`);
          }
        }
        await agent.run([room.directory, 'bob', room.line, '0']);
        await room.assertAnsweredOnce();
        ran.push(room.runs());
      } finally {
        room.killJobs();
        room.remove();
      }
    }
  });
  console.log(`${2 * RANDOM_KILLS} kills; the command was run ${ran.join(' ')} times`);
});
