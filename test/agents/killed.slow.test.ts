import { afterAll, beforeAll, expect, it } from 'vitest';
import { workers } from '../jobs/asking.ts';
import { isTried, STRIDE } from '../processes/stride.ts';
import { bundleAgent, type BundledAgent } from './bundled-agent.ts';
import { createKilledRoom } from './killed-room.ts';

const CALLS_MAX = 600;
const RANDOM_KILLS = 12;
/** So that it is often running when everything is killed. */
const SLOW_S = 0.3;
const STAGES = ['claimed or before', 'to be run', 'running', 'answered, not stored', 'stored', 'sent', 'acknowledged'];

let agent: BundledAgent;
beforeAll(async () => {
  agent = await bundleAgent();
});
afterAll(() => agent[Symbol.dispose]());

it('sends one reply and runs the command once when it is killed in place of any call that changes something or waits', async () => {
  let calls: number | undefined;
  let n = 0;
  const stages = new Map<string, number>();
  const count = (stage: string): unknown => stages.set(stage, (stages.get(stage) ?? 0) + 1);
  await workers(async () => {
    while (calls === undefined || n < calls) {
      n += 1;
      const at = n;
      if (!isTried(at)) continue;
      if (at > CALLS_MAX) throw new Error(`an agent makes more than ${CALLS_MAX} calls`);
      const room = await createKilledRoom();
      try {
        const signal = await agent.run([room.directory, 'bob', room.line, String(at)]);
        if (signal !== 'SIGKILL') calls = Math.min(calls ?? at, at - 1);
        else count(room.stage());
        await agent.run([room.directory, 'bob', room.line, '0']);
        await room.assertAnsweredOnce();
        // Only the agent was killed: what it had begun went on.
        expect(room.runs()).toBe(1);
      } catch (cause) {
        throw new Error(`killed at call ${at}`, { cause });
      } finally {
        room.killJobs();
        room.remove();
      }
    }
  });
  const counts = STAGES.map((stage) => `${stage} ${stages.get(stage) ?? 0}`).join(', ');
  console.log(`killed at 1 of ${STRIDE} of ${calls} calls; it was then: ${counts}`);
  // Whether it is seen running is a matter of time, everything else of what the agent does.
  expect(STAGES.filter((stage) => stage !== 'running' && !stages.has(stage))).toEqual([]);
});

it('sends one reply when it and all that it started are killed at any time, and the next one too', async () => {
  const usual = await createKilledRoom(SLOW_S);
  const startMs = performance.now();
  await agent.run([usual.directory, 'bob', usual.line, '0']);
  const latestMs = 1.3 * (performance.now() - startMs);
  usual.remove();
  let left = RANDOM_KILLS;
  const ran: number[] = [];
  await workers(async () => {
    while (left > 0) {
      const kill = left--;
      const room = await createKilledRoom(SLOW_S);
      try {
        for (const killAfterMs of [(latestMs * kill) / RANDOM_KILLS, Math.random() * latestMs]) {
          await agent.run([room.directory, 'bob', room.line, '0'], { killAfterMs });
          const before = room.stage();
          room.killJobs();
          // What had answered is not asked again.
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
