import fs from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ALL_HOSTILE_TEXT } from '../../fixtures/zoo/hostile-text.ts';
import { errnoOf } from '../../src/host/file-system.ts';
import { nodeProcesses } from '../../src/host/node-processes.ts';
import { openRoom } from '../../src/index.ts';
import type { Processes } from '../../src/runtime.ts';
import { actorLayout, roomLayout } from '../../src/message/layout.ts';
import { NUDGE_TEXT } from '../../src/room/nudge.ts';
import { contextOf } from '../../src/room/room.ts';
import { until } from '../hostile/until.ts';
import { readAll } from '../hostile/zoo-room.ts';
import { openNudgeRoom, type NudgeRoom } from './nudge-room.ts';
import { openRecorder, openViewer, skipWithoutTmux, startTmux } from './tmux-server.ts';

const OUTSTANDING_MS = 10 * 60_000;
const RANG = 'rang the bell; no client shows the pane; @mailroom_unread is 1';

/** The path of the mark that says that a number of messages is shown. */
function markOf({ zoo }: NudgeRoom): string {
  return actorLayout(roomLayout(zoo.directory), 'bob').nudged;
}

/** Bob reads and acknowledges `limit` messages, and the number on his pane is updated. */
async function readSome(nudging: NudgeRoom, limit: number): Promise<void> {
  nudging.advance(10);
  let read = 0;
  for await (const mail of nudging.zoo.bob.inbox({ wait: false })) {
    await mail.ack();
    read += 1;
    if (read === limit) break;
  }
  expect(read).toBe(limit);
  await contextOf(nudging.room).nudges.settled();
}

/** Calls `hook` before the first tmux command of this name runs. */
function beforeCommand(name: string, hook: () => Promise<unknown>): Processes {
  let isFirst = true;
  return {
    ...nodeProcesses,
    run: async (...[file, args, options]: Parameters<Processes['run']>) => {
      if (isFirst && args.includes(name)) {
        isFirst = false;
        await hook();
      }
      return nodeProcesses.run(file, args, options);
    },
  };
}

/** Whether a terminal accepts no more output, as after Ctrl-S. Writes a NUL, which shows nothing. */
function isStopped(tty: string): boolean {
  const { O_WRONLY, O_NOCTTY, O_NONBLOCK } = fs.constants;
  const fd = fs.openSync(tty, O_WRONLY | O_NOCTTY | O_NONBLOCK);
  try {
    return fs.writeSync(fd, '\0') === 0;
  } catch (error) {
    if (errnoOf(error) === 'EAGAIN') return true;
    throw error;
  } finally {
    fs.closeSync(fd);
  }
}

describe.skipIf(skipWithoutTmux)('a nudge, through a real tmux', () => {
  test('shows the constant text to viewers of the pane, whatever the message, the card and the names say', async () => {
    await using tmux = await startTmux();
    const { pane } = await openRecorder(tmux);
    await using viewer = await openViewer(tmux);
    tmux.run('select-window', '-t', pane.pane);
    await using nudging = await openNudgeRoom(pane);
    const { room, alice } = nudging;
    const hostile = `${ALL_HOSTILE_TEXT}\r\n'; touch owned; "$(touch owned)" \`touch owned\` %0 #{pid} #(touch owned)`;
    await room.join('bob', { tmux: pane, program: hostile, skills: [hostile] });
    await alice.send({
      to: 'bob',
      type: 'INFO',
      content: hostile,
      data: { [hostile]: hostile },
      threadId: ALL_HOSTILE_TEXT.slice(0, 100),
    });
    await contextOf(room).nudges.settled();
    await until('the message is shown', () => viewer.screen().includes(NUDGE_TEXT));
    expect(viewer.screen()).not.toContain('owned');
    expect(fs.readdirSync(tmux.directory)).not.toContain('owned');
    const [client] = tmux.run('list-clients', '-F', '#{client_name}').split('\n');
    const detail = `rang the bell; showed a message in ${client}; @mailroom_unread is 1`;
    expect(nudging.nudges()).toMatchObject([{ outcome: 'nudged', to: 'bob', detail }]);
  });

  test('shows its message only if the pane is on the screen', async () => {
    await using tmux = await startTmux();
    const { pane } = await openRecorder(tmux);
    await using viewer = await openViewer(tmux);
    await using nudging = await openNudgeRoom(pane);
    const nudge = async (): Promise<string | undefined> => {
      await nudging.sendAndSettle();
      await readSome(nudging, 1);
      return nudging.nudges().at(-1)?.detail;
    };
    const isShown = expect.stringContaining('showed a message in');
    const isHidden = expect.stringContaining('no client shows the pane');
    expect(await nudge()).toEqual(isHidden);
    const other = tmux.run('split-window', '-t', pane.pane, '-P', '-F', '#{pane_id}', 'cat');
    tmux.run('select-window', '-t', pane.pane);
    expect(await nudge()).toEqual(isShown);
    tmux.run('resize-pane', '-Z', '-t', other);
    expect(await nudge()).toEqual(isHidden);
    tmux.run('select-pane', '-Z', '-t', pane.pane);
    expect(await nudge()).toEqual(isShown);
    await until('the message is shown', () => viewer.screen().includes(NUDGE_TEXT));
  });

  test('rings once until bob looks at his mail or ten minutes have passed, and counts what arrives meanwhile', async () => {
    await using tmux = await startTmux();
    const { pane } = await openRecorder(tmux);
    await using nudging = await openNudgeRoom(pane);
    for (let sent = 0; sent < 3; sent++) await nudging.sendAndSettle();
    expect(tmux.unread(pane)).toBe('3');
    await readSome(nudging, 3);
    await nudging.sendAndSettle();
    nudging.advance(OUTSTANDING_MS - 20);
    await nudging.sendAndSettle();
    await nudging.sendAndSettle();
    await nudging.sendAndSettle();
    const outstanding = 'an earlier nudge is outstanding; @mailroom_unread is';
    expect(nudging.nudges().map(({ detail }) => detail)).toEqual([
      RANG,
      `${outstanding} 2`,
      `${outstanding} 3`,
      RANG,
      `${outstanding} 2`,
      RANG.replace('1', '3'),
      `${outstanding} 4`,
    ]);
  });

  test('counts down with every read, and leaves nothing behind when nothing waits', async () => {
    await using tmux = await startTmux();
    const { pane } = await openRecorder(tmux);
    await using nudging = await openNudgeRoom(pane);
    for (let sent = 0; sent < 3; sent++) await nudging.sendAndSettle();
    await readSome(nudging, 1);
    expect(tmux.unread(pane)).toBe('2');
    const [waiting] = nudging.zoo.bob.list().unsettled;
    await nudging.zoo.bob.acknowledge(waiting?.message.id ?? '');
    await contextOf(nudging.room).nudges.settled();
    expect(tmux.unread(pane)).toBe('1');
    await readSome(nudging, 1);
    expect(tmux.unread(pane)).toBe('');
    expect(fs.existsSync(markOf(nudging))).toBe(false);
  });

  test('counts down when waiting mail is given up instead of read', async () => {
    await using tmux = await startTmux();
    const { pane } = await openRecorder(tmux);
    await using nudging = await openNudgeRoom(pane);
    await nudging.alice.send({ to: 'bob', type: 'INFO', content: 'x', expiresInMs: 60_000 });
    await contextOf(nudging.room).nudges.settled();
    expect(tmux.unread(pane)).toBe('1');
    nudging.advance(120_000);
    expect(await readAll(nudging.zoo.bob)).toEqual([]);
    await contextOf(nudging.room).nudges.settled();
    expect(tmux.unread(pane)).toBe('');
  });

  test('shows nothing if the mail was read before it fires', async () => {
    await using tmux = await startTmux();
    const { pane } = await openRecorder(tmux);
    const processes = beforeCommand('display-message', () => readAll(nudging.zoo.bob));
    await using nudging: NudgeRoom = await openNudgeRoom(pane, { processes });
    await nudging.sendAndSettle();
    const detail = 'its mail was read meanwhile; @mailroom_unread is 0';
    expect(nudging.nudges()).toMatchObject([{ outcome: 'skipped', detail }]);
    expect(tmux.isBellFlagged(pane)).toBe(false);
    expect(tmux.unread(pane)).toBe('');
    expect(fs.existsSync(markOf(nudging))).toBe(false);
  });

  test('leaves the right number if another process reads mail while the number is set', async () => {
    await using tmux = await startTmux();
    const { pane } = await openRecorder(tmux);
    const processes = beforeCommand('set-option', async () => {
      await using elsewhere = await openRoom({ directory: nudging.zoo.directory, nudge: () => {} });
      await readAll(elsewhere.agent('bob'));
    });
    await using nudging: NudgeRoom = await openNudgeRoom(pane, { processes });
    await nudging.sendAndSettle();
    expect(tmux.unread(pane)).toBe('');
    expect(fs.existsSync(markOf(nudging))).toBe(false);
    const detail = 'rang the bell; no client shows the pane; @mailroom_unread is 0';
    expect(nudging.nudges()).toMatchObject([{ outcome: 'nudged', detail }]);
  });

  test('neither waits for a stopped terminal nor claims to have rung there, and the next message tries again', async () => {
    await using tmux = await startTmux();
    const pane = await tmux.open('stty ixon; exec cat');
    const tty = tmux.run('display-message', '-p', '-t', pane.pane, '#{pane_tty}');
    const press = async (key: string, takes: 'stopped' | 'running'): Promise<void> => {
      tmux.run('send-keys', '-t', pane.pane, key);
      await until(`the terminal is ${takes}`, () => isStopped(tty) === (takes === 'stopped'));
    };
    await press('C-s', 'stopped');
    await using nudging = await openNudgeRoom(pane);
    await nudging.sendAndSettle();
    const failed = `the bell did not ring: ${tty} accepts no output (EAGAIN); no client shows the pane; @mailroom_unread is 1`;
    expect(nudging.nudges()).toMatchObject([{ outcome: 'failed', detail: failed }]);
    expect(tmux.unread(pane)).toBe('1');
    await press('C-q', 'running');
    await nudging.sendAndSettle();
    expect(nudging.nudges().at(-1)).toMatchObject({ outcome: 'nudged', detail: RANG.replace('1', '2') });
  });

  test('asks tmux nothing for a read, unless a number is shown', async () => {
    await using tmux = await startTmux();
    const { pane } = await openRecorder(tmux);
    let commands = 0;
    const processes: Processes = {
      ...nodeProcesses,
      run: (...given) => {
        commands += 1;
        return nodeProcesses.run(...given);
      },
    };
    await using nudging = await openNudgeRoom(pane, { processes });
    await using elsewhere = await openRoom({ directory: nudging.zoo.directory, nudge: () => {} });
    await elsewhere.agent('alice').send({ to: 'bob', type: 'INFO', content: 'x' });
    await readSome(nudging, 1);
    expect(commands).toBe(0);
    await nudging.sendAndSettle();
    commands = 0;
    await readSome(nudging, 1);
    expect(commands).toBeGreaterThan(0);
  });

  test('reaches an agent that joined under an older version', async () => {
    await using tmux = await startTmux();
    const recorder = await openRecorder(tmux);
    await using nudging = await openNudgeRoom(recorder.pane);
    const { card } = actorLayout(roomLayout(nudging.zoo.directory), 'bob');
    const { socket, serverPid, pane, process } = recorder.pane;
    // As version 0.1.0 wrote it, and the mark of a nudge that version 0.1.0 had typed.
    const written = `{"v":1,"address":"bob","kind":"agent","skills":[],"accepts":[],"broadcasts":true,"process":${JSON.stringify(process)},"tmux":{"socket":"${socket}","serverPid":${serverPid},"pane":"${pane}","process":${JSON.stringify(process)}},"joinedAt":"2026-11-01T12:00:00.000Z"}\n`;
    fs.writeFileSync(`${card}.new`, written);
    fs.renameSync(`${card}.new`, card);
    fs.writeFileSync(markOf(nudging), '');
    fs.utimesSync(markOf(nudging), 0, 0);
    await nudging.sendAndSettle();
    expect(nudging.nudges()).toMatchObject([{ outcome: 'nudged', detail: RANG }]);
    await readSome(nudging, 1);
    expect(tmux.unread(recorder.pane)).toBe('');
    tmux.run('send-keys', '-t', pane, '-l', 'END');
    await until('the pane has what was typed last', () => recorder.recorded().endsWith('END'));
    expect(recorder.recorded()).toBe('END');
  });
});

test('the text of a nudge has nothing that tmux expands, and fits into a status line', () => {
  expect(NUDGE_TEXT).toMatch(/^[\w .:,]{1,79}$/);
});
