import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { NUDGE_LINE } from '../../src/room/nudge.ts';
import { until } from '../hostile/until.ts';
import { openNudgeRoom } from './nudge-room.ts';
import { skipWithoutTmux, startTmux } from './tmux-server.ts';

/** How to start each shell without anybody's settings, and how it says what the last command ended with. */
const SHELLS: Readonly<Record<string, { readonly start: string; readonly status: string }>> = {
  bash: { start: 'bash --norc --noprofile -i', status: '$?' },
  'bash --posix': { start: 'bash --posix --norc --noprofile -i', status: '$?' },
  dash: { start: 'dash -i', status: '$?' },
  zsh: { start: 'zsh -f -i', status: '$?' },
  fish: { start: 'fish --no-config -i', status: '$status' },
  ksh: { start: 'ksh -i', status: '$?' },
  busybox: { start: 'busybox ash -i', status: '$?' },
  tcsh: { start: 'tcsh -f -i', status: '$?' },
};

const REQUIRED = ['bash', 'bash --posix', 'dash'];

function isThere(start: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${start.split(' ')[0]}`]).status === 0;
}

describe.skipIf(skipWithoutTmux)('a nudge typed into a shell', () => {
  const there = Object.entries(SHELLS).filter(([name, { start }]) => REQUIRED.includes(name) || isThere(start));

  test.each(there)('%s does nothing and succeeds', async (_name, { start, status }) => {
    await using tmux = await startTmux();
    const work = path.join(tmux.directory, 'work');
    const said = path.join(tmux.directory, 'said');
    fs.mkdirSync(work);
    const pane = await tmux.open(`cd ${work} && exec ${start}`);
    const type = (line: string): void => {
      tmux.run('send-keys', '-t', pane.pane, '-l', line);
      tmux.run('send-keys', '-t', pane.pane, 'Enter');
    };
    const firstSaid = `${said}-first`;
    type(`echo ready > ${firstSaid}`);
    await until('the shell answers', () => fs.existsSync(firstSaid));

    await using nudging = await openNudgeRoom(pane);
    await nudging.sendAndSettle();
    type(`echo status=${status} > ${said}`);
    await until('the shell answers again', () => fs.existsSync(said) && fs.readFileSync(said, 'utf8') !== '');
    expect(fs.readFileSync(said, 'utf8')).toBe('status=0\n');
    expect(fs.readdirSync(work)).toEqual([]);
    expect(nudging.nudges()).toMatchObject([{ outcome: 'nudged' }]);
    const screen = tmux.run('capture-pane', '-p', '-J', '-t', pane.pane);
    const [, after = ''] = screen.split(NUDGE_LINE);
    expect(after).not.toMatch(/not found|unknown|error|no match/i);
  });

  test('is tried in every shell of this machine', () => {
    console.log(`shells: ${there.map(([name]) => name).join(', ')}`);
    expect(there.map(([name]) => name)).toEqual(expect.arrayContaining(REQUIRED));
  });
});
