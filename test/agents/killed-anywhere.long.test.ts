import { afterAll, beforeAll, expect, it } from 'vitest';
import { workers } from '../jobs/asking.ts';
import { bundleAgent, type BundledAgent } from './bundled-agent.ts';
import { createKilledRoom } from './killed-room.ts';

const CALLS_MAX = 600;
const STAGES = ['claimed or before', 'to be run', 'running', 'answered, not stored', 'stored', 'sent', 'acknowledged'];

let agent: BundledAgent;
beforeAll(async () => {
  agent = await bundleAgent();
});
afterAll(() => agent[Symbol.dispose]());

it.each(['shell', 'claude'] as const)(
  'sends one reply and asks %s once when it is killed at any call that changes something or waits',
  async (asks) => {
    let calls: number | undefined;
    let n = 0;
    const stages = new Map<string, number>();
    const count = (stage: string): unknown => stages.set(stage, (stages.get(stage) ?? 0) + 1);
    await workers(async () => {
      while (calls === undefined || n < calls) {
        n += 1;
        const at = n;
        if (at > CALLS_MAX) throw new Error(`an agent makes more than ${CALLS_MAX} calls`);
        const room = await createKilledRoom({ asks });
        try {
          const signal = await agent.run([room.directory, 'bob', room.line, String(at)]);
          if (signal !== 'SIGKILL') calls = Math.min(calls ?? at, at - 1);
          else count(room.stage());
          await agent.run([room.directory, 'bob', room.line, '0']);
          await room.assertAnsweredOnce();
          // Only the agent was killed; what it had started kept running.
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
    console.log(`killed at each of ${calls} calls; it was then: ${counts}`);
    // Whether it is seen running depends on timing; everything else depends on the agent.
    expect(STAGES.filter((stage) => stage !== 'running' && !stages.has(stage))).toEqual([]);
  },
);
