import { expect, it } from 'vitest';
import { whereabouts } from '../../src/journal/describe.ts';
import { nodeHost } from '../../src/host/node-host.ts';
import { explore } from '../../src/testing.ts';
import { activity } from '../../src/workflow.ts';
import { eventually, WorkflowRoom } from '../runtime/workflow-room.ts';
import { exited, reviewer, ship, shipSystem } from './ship-system.ts';
import { amount } from '../run/amount.ts';
import { SEED } from '../run/seed.ts';

const RUNS = amount(5, { long: 16 });
const PATIENCE_MS = 60;
const LINGERING_MS_MAX = 25;

/** Numbers from 0 on below n, always the same. */
function drawer(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((state / 2 ** 31) * n);
  };
}

it('ends in a real room in no way that the exploration does not know', async () => {
  const known = new Set(explore(shipSystem).ends.map(({ summary }) => summary));
  const seed = SEED;
  const draw = drawer(seed);
  const linger = (): Promise<void> => nodeHost.clock.sleep(draw(LINGERING_MS_MAX));
  const one = <T>(outcomes: readonly (() => T)[]): T => (outcomes[draw(outcomes.length)] ?? (() => undefined as T))();
  const fail = (): never => {
    throw new Error('it cannot');
  };
  const runTests = activity(async () =>
    linger().then(() => one([() => exited(0), () => exited(0), () => exited(0), () => exited(1), fail])),
  );
  const read = activity(async (_input: { of: string }) =>
    linger().then(() => one([() => ({ approved: true }), () => ({ approved: draw(2) === 0 }), fail])),
  );
  // What a machine waits for is its author's, how it comes about is the test's.
  const realShip = ship.provide({ actors: { runTests: runTests as never }, delays: { patience: PATIENCE_MS } });
  const realReviewer = reviewer.provide({ actors: { read } });
  const ends = new Map<string, number>();
  for (let run = 0; run < RUNS; run++) {
    await using room = await WorkflowRoom.make({ limits: { pollMs: 20 } });
    const bob = await (await room.open()).join('bob');
    const { host } = await room.run(realReviewer, { address: 'reviewer' });
    const { result } = await host.run(realShip, { address: 'ship' });
    await bob.send({ to: 'ship', type: 'GO', content: '', data: { change: 'c1' } });
    if (draw(3) === 0) {
      await linger();
      await bob.send({ to: 'ship', type: 'CANCEL', content: '' });
    }
    await result;
    const asked = await eventually('the reviewer is free', () => {
      const state = room.state('reviewer')?.state;
      return state && Object.keys(state.calls).length === 0 ? state : undefined;
    });
    const end = room.state('ship')?.state;
    await host.close();
    if (!end) throw new Error('it has not begun');
    const summary = `ship: ${whereabouts(end)}, reviewer: ${whereabouts(asked)}`;
    ends.set(summary, (ends.get(summary) ?? 0) + 1);
  }
  console.log(`real runs, seed ${seed}: ${JSON.stringify(Object.fromEntries(ends))}`);
  for (const summary of ends.keys()) expect(known).toContain(summary);
  expect(ends.size).toBeGreaterThan(1);
});
