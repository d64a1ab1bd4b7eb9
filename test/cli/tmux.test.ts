import fs from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { until } from '../hostile/until.ts';
import { openRecorder, skipWithoutTmux, startTmux } from '../nudge/tmux-server.ts';
import { createCliRoom } from './cli-room.ts';

it.skipIf(skipWithoutTmux)(
  'nudges in the background who joined from a pane, presses no key, and counts down with read and ack',
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

    const unread = (count: string): Promise<void> =>
      until(`${count || 'nothing'} is shown`, () => server.unread(pane) === count);
    for (const count of ['1', '2']) {
      const sent = await room.run(['send', 'bob', 'INFO', 'never typed'], { as: 'alice' });
      expect(sent).toMatchObject({ code: 0, stderr: '' });
      await unread(count);
    }
    await until('the window has the bell flag', () => server.isBellFlagged(pane));
    const log = path.join(room.room, 'log/agent_messages.log');
    await until('the nudge is logged', () => fs.readFileSync(log, 'utf8').includes('"outcome":"nudged"'));
    const findings = (await room.json(['doctor'])) as { check: string; text: string }[];
    expect(findings).toContainEqual(
      expect.objectContaining({ check: 'tmux', text: `bob can be nudged in pane ${pane.pane}` }),
    );

    await room.json(['read', '--limit', '1'], { env: inPane });
    await unread('1');
    const [waiting] = (await room.json(['inbox'], { env: inPane })) as { id: string }[];
    await room.json(['ack', waiting?.id ?? ''], { env: inPane });
    await unread('');
    await until('no count is shown any more', () => !fs.existsSync(path.join(room.room, 'actors/bob/nudged')));
    server.run('send-keys', '-t', pane.pane, '-l', 'END');
    await until('the pane has what was typed last', () => recorded().endsWith('END'));
    expect(recorded()).toBe('END');
  },
);
