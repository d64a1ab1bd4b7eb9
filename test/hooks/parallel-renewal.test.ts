import { expect, test } from 'vitest';
import { nodeHost } from '../../src/host/node-host.ts';
import { openHookRoom } from './hook-room.ts';

const MINUTE_MS = 60_000;

test('two hooks that renew a lease at the same time both keep it', async () => {
  await using room = await openHookRoom();
  const options = { program: 'codex' };
  const { fire } = room.session('one', options);
  await fire('SessionStart');
  await room.send('the port?', 'codex-1');
  await fire('UserPromptSubmit');
  room.clock.advance(20 * MINUTE_MS);
  let other: Promise<string> | undefined;
  // The other hook reads what was shown before this one has renewed it, and is done a moment later.
  const files = {
    ...nodeHost.files,
    rename: (from: string, to: string): void => {
      if (!other && to.includes('/shown/')) {
        room.clock.advance(7);
        other = room.session('one', options).fire('PostToolUse');
      }
      nodeHost.files.rename(from, to);
    },
  };
  await room.session('one', { ...options, files }).fire('PostToolUse');
  expect(await other).toBe('');
  room.clock.advance(35 * MINUTE_MS);
  expect(await fire('Stop')).toBe('');
  expect(room.names('codex-1', 'done')).toHaveLength(1);
});
