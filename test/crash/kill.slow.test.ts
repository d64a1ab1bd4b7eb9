import { afterAll, beforeAll, expect, test } from 'vitest';
import { killSweep } from '../processes/kill-sweep.ts';
import { bundleScenario } from './killed-child.ts';
import { expectPromisesKept } from './promises.ts';
import { createTemplate } from './room-template.ts';
import { SCENARIOS } from './scenarios.ts';

let child: Awaited<ReturnType<typeof bundleScenario>>;
beforeAll(async () => {
  child = await bundleScenario();
});
afterAll(() => child.remove());

test.each(SCENARIOS)('a kill in place of any call keeps every promise: $title', async (scenario) => {
  const template = await createTemplate(scenario.prepare);
  try {
    const rooms = new Map<number, string>();
    let reported = 0;
    const calls = await killSweep(
      child.program,
      (n) => {
        const directory = template.copy();
        rooms.set(n, directory);
        return [scenario.operation, directory, String(n), JSON.stringify(scenario.args ?? {})];
      },
      async (n, { stdout }) => {
        const directory = rooms.get(n) ?? '';
        const hasSucceeded = stdout !== '';
        reported += Number(hasSucceeded);
        await expectPromisesKept(scenario, { directory, hasSucceeded });
        template.discard(directory);
      },
    );
    console.log(`${scenario.title}: ${calls} calls, ${calls} kills; ${reported} ended after it reported success`);
    expect(calls).toBeGreaterThan(0);
    expect(reported).toBeGreaterThan(0);
  } finally {
    template.remove();
  }
});
