import fs from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { until } from '../hostile/until.ts';
import { openRecorder, skipWithoutTmux, startTmux } from '../nudge/tmux-server.ts';
import { NUDGE_LINE } from '../../src/room/nudge.ts';
import { createCliRoom } from './cli-room.ts';

it.skipIf(skipWithoutTmux)(
  'nudges who joined from a pane, in the background, with the constant line alone',
  async () => {
    using room = await createCliRoom({ agents: ['alice'] });
    await using server = await startTmux();
    const { pane, recorded } = await openRecorder(server);
    const inPane = { TMUX: `${pane.socket},${pane.serverPid},0`, TMUX_PANE: pane.pane };
    const joined = await room.run(['join', 'bob'], { env: inPane });
    expect(joined).toMatchObject({ code: 0, stdout: 'export MAILROOM_AS=bob\n' });
    expect(await room.run(['whoami'], { env: inPane })).toMatchObject({ code: 0, stdout: 'bob\n' });
    expect(await room.json(['whoami'], { env: inPane })).toMatchObject({ source: 'tmux pane' });
    // Another pane of the same server, and the same pane of another server, are nobody.
    expect((await room.run(['whoami'], { env: { ...inPane, TMUX_PANE: '%99' } })).code).toBe(2);
    expect((await room.run(['whoami'], { env: { ...inPane, TMUX: '/tmp/other,1,0' } })).code).toBe(2);

    const sent = await room.run(['send', 'bob', 'INFO', 'never typed'], { as: 'alice' });
    expect(sent).toMatchObject({ code: 0, stderr: '' });
    await until('the nudge is typed', () => recorded().endsWith('\r'));
    expect(recorded()).toBe(`${NUDGE_LINE}\r`);
    const log = path.join(room.room, 'log/agent_messages.log');
    await until('the nudge is told', () => fs.readFileSync(log, 'utf8').includes('"event":"nudged"'));
    const findings = (await room.json(['doctor'])) as { check: string; text: string }[];
    expect(findings).toContainEqual(
      expect.objectContaining({ check: 'tmux', text: expect.stringContaining('bob can be') }),
    );
  },
);
