import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { expect, it } from 'vitest';
import { reply } from '../../src/cli/commands/reply.ts';
import { openRoom } from '../../src/index.ts';
import { nodeHost } from '../../src/runtime.ts';
import { SimulatedMachine } from '../../src/testing/crash/simulated-machine.ts';
import { bundleProgram } from '../crash/killed-child.ts';
import { readAll } from '../hostile/zoo-room.ts';
import { printedSeed } from '../processes/seed.ts';
import { choosesOneOf, REAL_KILL_STRIDE } from '../processes/stride.ts';
import { createCliRoom } from './cli-room.ts';
import { runInProcess } from './command-in-process.ts';

const SEED = printedSeed('reply-killed.slow.test.ts');
const isTried = choosesOneOf(REAL_KILL_STRIDE, SEED);
const CHANGES_MAX = 100;

// Each try of a reply had an id of its own, so one that was killed behind its link and typed again arrived twice.
it('a reply that is killed at any change and typed again arrives once, and says so', async () => {
  using room = await createCliRoom();
  const program = path.join(room.directory, '..', 'command.cjs');
  await bundleProgram(path.join(import.meta.dirname, '../../fixtures/crash/command.ts'), program);
  await using opened = await openRoom({ directory: room.room, durability: 'process' });
  const alice = opened.agent('alice');
  const machine = new SimulatedMachine({ host: nodeHost, seed: String(SEED), startMs: Date.now() });
  let delivered = 0;
  let realKills = 0;

  const simulated = async (n: number, words: readonly string[]): Promise<boolean> => {
    const child = machine.start();
    child.killAt(n, 'changes');
    return (await runInProcess(child, { command: reply, words })).wasKilled;
  };
  const real = (n: number, words: readonly string[]): boolean => {
    const { signal } = spawnSync(process.execPath, [program, String(n), ...words], {
      cwd: room.directory,
      env: room.env,
    });
    expect([null, 'SIGKILL']).toContain(signal);
    realKills += 1;
    return signal === 'SIGKILL';
  };
  /** Whether it was killed, and not at its end before. */
  const killedAndTypedAgain = async (n: number, kill: typeof real | typeof simulated): Promise<boolean> => {
    const { id } = await alice.send({ to: 'bob', type: 'QUESTION', content: `which port, ${n}?` });
    const words = ['reply', id, 'INFO', 'Port 8080.', '--as', 'bob', '--room', room.room];
    const wasKilled = await kill(n, words);
    const before = alice.list().unsettled;
    const again = await runInProcess(machine.start(), { command: reply, words: [...words, '--json'] });
    expect(again.code, again.stderr).toBe(0);
    expect(JSON.parse(again.stdout)).toMatchObject({ acknowledged: true, again: before.length === 1 });
    expect(again.stderr).toBe(
      before.length === 1 ? 'This answer had already arrived under the same id; it was not sent twice.\n' : '',
    );
    expect(await readAll(alice), `killed at change ${n}`).toMatchObject([{ content: 'Port 8080.', replyTo: id }]);
    expect(opened.status(id)).toMatchObject([{ state: 'acknowledged' }]);
    if (wasKilled) delivered += before.length;
    return wasKilled;
  };

  let killed = 0;
  while (await killedAndTypedAgain(killed + 1, simulated)) {
    killed += 1;
    expect(killed).toBeLessThan(CHANGES_MAX);
    if (isTried() && !(await killedAndTypedAgain(killed, real)))
      throw new Error(`a real process came to its end before change ${killed}`);
  }
  console.log(`killed at each of ${killed} places, really at ${realKills}; ${delivered} kills behind the delivery`);
  expect(delivered).toBeGreaterThan(0);
  expect(killed - delivered).toBeGreaterThan(5);
});
