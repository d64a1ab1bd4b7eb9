import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { expect, it } from 'vitest';
import { openRoom } from '../../src/index.ts';
import { bundleProgram } from '../crash/killed-child.ts';
import { readAll } from '../hostile/zoo-room.ts';
import { createCliRoom } from './cli-room.ts';

const CHANGES_MAX = 100;

// Each try of a reply had an id of its own, so one that was killed behind its link and typed again arrived twice.
it('a reply that is killed at any change and typed again arrives once, and says so', async () => {
  using room = await createCliRoom();
  const program = path.join(room.directory, '..', 'command.cjs');
  await bundleProgram(path.join(import.meta.dirname, '../../fixtures/crash/command.ts'), program);
  await using opened = await openRoom({ directory: room.room, durability: 'process' });
  const alice = opened.agent('alice');
  let killed = 0;
  let delivered = 0;
  for (let n = 1; n <= CHANGES_MAX; n++) {
    const { id } = await alice.send({ to: 'bob', type: 'QUESTION', content: `which port, ${n}?` });
    const words = ['reply', id, 'INFO', 'Port 8080.'];
    const { signal } = spawnSync(process.execPath, [program, String(n), ...words], {
      cwd: room.directory,
      env: { ...room.env, MAILROOM_AS: 'bob' },
    });
    const before = alice.list().unsettled;
    const again = await room.run([...words, '--json'], { as: 'bob' });
    expect(again.code, again.stderr).toBe(0);
    expect(JSON.parse(again.stdout)).toMatchObject({ acknowledged: true, again: before.length === 1 });
    expect(again.stderr).toBe(
      before.length === 1 ? 'This answer had already arrived under the same id; it was not sent twice.\n' : '',
    );
    expect(await readAll(alice), `killed at change ${n}`).toMatchObject([{ content: 'Port 8080.', replyTo: id }]);
    expect(opened.status(id)).toMatchObject([{ state: 'acknowledged' }]);
    if (signal === null) break;
    expect(signal).toBe('SIGKILL');
    killed += 1;
    delivered += before.length;
  }
  console.log(`${killed} places to be killed at, ${delivered} of them behind the delivery`);
  expect(delivered).toBeGreaterThan(0);
  expect(killed - delivered).toBeGreaterThan(5);
});
