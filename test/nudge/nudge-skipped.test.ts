import fs from 'node:fs';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { nodeHost } from '../../src/host/node-host.ts';
import type { TmuxPane } from '../../src/index.ts';
import type { RunResult } from '../../src/runtime.ts';
import { currentPane } from '../../src/room/nudge.ts';
import { contextOf } from '../../src/room/room.ts';
import { systemError } from '../faults/faulty-files.ts';
import { until } from '../hostile/until.ts';
import { readAll } from '../hostile/zoo-room.ts';
import { openNudgeRoom } from './nudge-room.ts';
import { openRecorder, skipWithoutTmux, startTmux } from './tmux-server.ts';

/** This test's own process stands in for a live one where the one on the card should be. */
const self = nodeHost.processes.self();

afterEach(() => vi.unstubAllEnvs());

/** Sends to bob with this pane on his card: the message arrives, and the nudge is skipped for the reason in the log. */
async function expectSkipped(pane: TmuxPane, why: string | RegExp): Promise<void> {
  await using nudging = await openNudgeRoom(pane);
  await nudging.sendAndSettle('first');
  await nudging.sendAndSettle('second');
  const expected = { outcome: 'skipped', detail: expect.stringMatching(why) };
  expect(nudging.nudges()).toMatchObject([expected, expected]);
  expect((await readAll(nudging.zoo.bob)).map(({ content }) => content)).toEqual(['first', 'second']);
}

describe.skipIf(skipWithoutTmux)('a nudge is skipped, and the message arrives, when', () => {
  test('the pane was closed', async () => {
    await using tmux = await startTmux();
    const { pane } = await openRecorder(tmux);
    tmux.run('kill-pane', '-t', pane.pane);
    await until('its process ended', () => !nodeHost.processes.isAlive(pane.process));
    await expectSkipped(pane, 'the process of pane %1 has ended');
  });

  test('the pane was closed and its process lives on', async () => {
    await using tmux = await startTmux();
    const { pane } = await openRecorder(tmux);
    tmux.run('kill-pane', '-t', pane.pane);
    await expectSkipped({ ...pane, process: self }, 'pane %1 is a different one now');
  });

  test('another process runs in the pane', async () => {
    await using tmux = await startTmux();
    const { pane, recorded } = await openRecorder(tmux);
    tmux.run('respawn-pane', '-k', '-t', pane.pane, 'cat');
    await until('its process ended', () => !nodeHost.processes.isAlive(pane.process));
    await expectSkipped(pane, 'the process of pane %1 has ended');
    await expectSkipped({ ...pane, process: self }, 'pane %1 is a different one now');
    expect(recorded()).toBe('');
  });

  test('the pid of its process has been reused', async () => {
    await using tmux = await startTmux();
    const { pane, recorded } = await openRecorder(tmux);
    await expectSkipped({ ...pane, process: { ...pane.process, startTime: '1' } }, 'has ended');
    await expectSkipped({ ...pane, process: { ...pane.process, bootId: 'another' } }, 'has ended');
    expect(recorded()).toBe('');
  });

  test('another server has its socket', async () => {
    await using tmux = await startTmux();
    const { pane, recorded } = await openRecorder(tmux);
    await expectSkipped({ ...pane, serverPid: pane.serverPid + 1 }, 'pane %1 is a different one now');
    expect(recorded()).toBe('');
  });

  test('the server is dead and its socket remains', async () => {
    await using tmux = await startTmux();
    const { pane } = await openRecorder(tmux);
    process.kill(tmux.pid, 'SIGKILL');
    await until('the server ended', () => !nodeHost.processes.identify(tmux.pid));
    expect(fs.existsSync(pane.socket)).toBe(true);
    await expectSkipped(
      { ...pane, process: self },
      /tmux does not answer at .*: (?:no server running|error connecting)/,
    );
  });

  test('there is no socket', async () => {
    await using tmux = await startTmux();
    const { pane } = await openRecorder(tmux);
    const socket = `${tmux.directory}/nothing`;
    await expectSkipped({ ...pane, socket, process: self }, `tmux does not answer at ${socket}: .*No such file`);
  });

  test('tmux is not installed', async () => {
    await using tmux = await startTmux();
    const { pane, recorded } = await openRecorder(tmux);
    vi.stubEnv('PATH', tmux.directory);
    await expectSkipped(pane, /tmux does not answer at .*ENOENT/);
    expect(recorded()).toBe('');
  });

  test('the server is stopped: the send finishes while the nudge still waits for it', async () => {
    await using tmux = await startTmux();
    const { pane, recorded } = await openRecorder(tmux);
    await using nudging = await openNudgeRoom(pane);
    process.kill(tmux.pid, 'SIGSTOP');
    await nudging.alice.send({ to: 'bob', type: 'INFO', content: 'x' });
    expect(nudging.nudges()).toEqual([]);
    await contextOf(nudging.room).nudges.settled();
    expect(nudging.nudges()).toMatchObject([
      { outcome: 'skipped', detail: expect.stringContaining('does not answer') },
    ]);
    expect(await readAll(nudging.zoo.bob)).toHaveLength(1);
    expect(recorded()).toBe('');
  });
});

test('an agent that joins where tmux does not answer has no pane on its card', async () => {
  const nowhere = { TMUX: '/nowhere/sock,1,0', TMUX_PANE: '%0' };
  for (const env of [
    {},
    nowhere,
    { ...nowhere, TMUX: '' },
    { ...nowhere, TMUX_PANE: '%0; kill-server' },
    { TMUX: 'x' },
  ]) {
    expect(await currentPane(nodeHost, env)).toBeUndefined();
  }
});

const PANE: TmuxPane = { socket: '/nowhere/sock', serverPid: 1, pane: '%0', process: self };

test('a send finishes before tmux is asked anything it could wait for', async () => {
  const events: string[] = [];
  let answer: (result: RunResult) => void = () => {};
  const processes = {
    ...nodeHost.processes,
    run: (_file: string, args: readonly string[]): Promise<RunResult> => {
      events.push(`tmux was asked: ${args[2]}`);
      return new Promise((resolve) => (answer = resolve));
    },
  };
  await using nudging = await openNudgeRoom(PANE, { processes });
  await nudging.alice.send({ to: 'bob', type: 'INFO', content: 'x' });
  events.push('the send is over');
  await until('tmux was asked', () => events.some((event) => event.startsWith('tmux')));
  events.push('tmux answers');
  answer({ exitCode: 1, stdout: '', stderr: '' });
  await contextOf(nudging.room).nudges.settled();
  expect(events.filter((event) => !event.startsWith('tmux was'))).toEqual(['the send is over', 'tmux answers']);
  expect(nudging.nudges()).toMatchObject([{ outcome: 'skipped' }]);
});

test('a card that cannot be read after the delivery costs the nudge, not the report', async () => {
  let isBroken = false;
  const open = (...args: Parameters<typeof nodeHost.files.open>): number => {
    if (isBroken && args[0].endsWith('card.json')) throw systemError('EMFILE', { name: 'open', path: args[0] });
    return nodeHost.files.open(...args);
  };
  await using nudging = await openNudgeRoom(PANE, { files: { ...nodeHost.files, open } });
  isBroken = true;
  const { outcomes } = await nudging.alice.send({ to: 'bob', type: 'INFO', content: 'x' });
  expect(outcomes).toEqual({ bob: { outcome: 'delivered', again: false } });
});
