import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createCliRoom, type CliRoom } from './cli-room.ts';

let room: CliRoom;
beforeEach(async () => {
  room = await createCliRoom();
});
afterEach(() => room[Symbol.dispose]());

const CODEX = { CODEX_SANDBOX_NETWORK_DISABLED: '1' };
const CLAUDE = { SANDBOX_RUNTIME: '1' };
/** unshare(1) and mount(8) need root. */
const isRoot = process.getuid?.() === 0;

function inReadOnlyRoom(line: string, env: Readonly<Record<string, string>>) {
  const mount = `mount --bind ${room.room} ${room.room} && mount -o remount,ro,bind ${room.room}`;
  return room.shell(`unshare -m sh -c '${mount} && exec ${line}'`, { as: 'alice', env });
}

test.runIf(isRoot)(
  'in a sandbox that may not write to the room, each command names the setting for it in one line',
  async () => {
    await room.run(['send', 'alice', 'INFO', 'x'], { as: 'bob' });
    for (const line of ['mailroom send bob INFO x', 'mailroom read', 'mailroom read --wait 1s']) {
      const codex = await inReadOnlyRoom(line, CODEX);
      expect(codex.code, line).not.toBe(0);
      expect(codex.stderr).toContain(
        `The sandbox of Codex may not write to the room. The setting that allows it: writable_roots = ["${room.room}"] below [sandbox_workspace_write] in ~/.codex/config.toml\n`,
      );
      const claude = await inReadOnlyRoom(line, CLAUDE);
      expect(claude.stderr).toContain('sandbox.filesystem.allowWrite');
      expect((await inReadOnlyRoom(line, {})).stderr).not.toContain('sandbox');
    }
  },
);

test('another error in a sandbox is told as it is', async () => {
  const missing = await room.run(['send', 'nobody', 'INFO', 'x'], { as: 'alice', env: CODEX });
  expect(missing.stderr).not.toContain('sandbox');
  fs.rmSync(path.join(room.room, 'keys'), { recursive: true });
  const damaged = await room.run(['send', 'bob', 'INFO', 'x'], { as: 'alice', env: CODEX });
  expect(damaged.stderr).not.toContain('sandbox');
});
