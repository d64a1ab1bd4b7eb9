import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { LoopInput } from '../../machines/autonomous-dev/input.ts';
import { lookCloserText } from '../../machines/team/summary.ts';
import { initRoom, openRoom } from '../../src/index.ts';

test('the printed commands run this program, even if the shell has none or another one of its name', async () => {
  const outer = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "mailroom-look it's-")));
  try {
    await initRoom({ cwd: outer });
    await using room = await openRoom({ cwd: outer });
    await room.join('alice');
    for (const name of ['mailroom', 'npx'])
      fs.writeFileSync(path.join(outer, name), '#!/bin/sh\nexit 99\n', { mode: 0o755 });
    const input = { repository: { directory: outer, branch: 'mailroom/x' } } as unknown as LoopInput;
    const text = lookCloserText({ v: 2, name: 'x', directory: outer, input, agents: [], inTmux: false });
    const commands = text.split('\n').filter((line) => line.includes('MAILROOM_DIR='));
    const PATH = `${outer}:${path.dirname(process.execPath)}:/usr/bin:/bin`;
    const ran = commands.map((line) => spawnSync('sh', ['-c', line], { cwd: '/', env: { PATH }, encoding: 'utf8' }));
    // The workflow was never run.
    expect(ran.map(({ status }) => status)).toEqual([3, 3, 0]);
    expect(ran[2]?.stdout).toContain('alice');
  } finally {
    fs.rmSync(outer, { recursive: true, force: true });
  }
});
