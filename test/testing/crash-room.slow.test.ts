import { fork } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { initRoom, openRoom } from '../../src/index.ts';
import { nodeHost } from '../../src/runtime.ts';
import { crashProgram } from '../../src/testing/crash/runner.ts';
import { CrashRoom } from '../../src/testing/crash/room.ts';

const fixture = (name: string): string => path.join(import.meta.dirname, '..', '..', 'fixtures', 'testing', name);

it('a run ends with the process that asked for it', async () => {
  const cwd = fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-test-'));
  const { directory } = await initRoom({ cwd });
  const { program, nodeArgs } = crashProgram({ typeScript: undefined });
  const child = fork(program, [], { execArgv: [...nodeArgs] });
  const exited = once(child, 'exit');
  try {
    const workflows = [{ file: fixture('first-wins.mjs'), name: 'machine', address: 'm' }];
    child.send({ directory, durability: 'process', killAt: 0, workflows });
    await using room = await openRoom({ directory });
    while (!room.actors().some(({ card }) => card.address === 'm')) await sleep(20);
    child.disconnect();
    expect(await exited).toEqual([null, 'SIGKILL']);
  } finally {
    child.kill('SIGKILL');
    fs.rmSync(cwd, { recursive: true });
  }
});

it('an agent that never ends what it does about a message does not keep its room', async () => {
  let begin: (value?: unknown) => void = () => {};
  const begun = new Promise((resolve) => {
    begin = resolve;
  });
  const world = await CrashRoom.make(
    {
      agents: {
        bob: () => {
          begin();
          return new Promise(() => {});
        },
      },
    },
    { host: nodeHost },
  );
  const eve = await world.room.join('eve');
  await eve.send({ to: 'bob', type: 'INFO', content: 'hello' });
  await begun;
  await world.close({ keep: false });
  expect(fs.existsSync(world.directory)).toBe(false);
});
