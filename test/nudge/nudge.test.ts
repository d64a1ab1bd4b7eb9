import { describe, expect, test } from 'vitest';
import { ALL_HOSTILE_TEXT } from '../../fixtures/zoo/hostile-text.ts';
import { nodeProcesses } from '../../src/host/node-processes.ts';
import { NUDGE_LINE } from '../../src/room/nudge.ts';
import { until } from '../hostile/until.ts';
import { readAll } from '../hostile/zoo-room.ts';
import { openNudgeRoom } from './nudge-room.ts';
import { openRecorder, skipWithoutTmux, startTmux } from './tmux-server.ts';

const OUTSTANDING_MS = 10 * 60_000;
const NUDGE = `${NUDGE_LINE}\r`;

describe.skipIf(skipWithoutTmux)('a nudge, through a real tmux', () => {
  test('is the constant line and Enter, byte for byte, whatever the message, the card and the names say', async () => {
    await using tmux = await startTmux();
    const { pane, recorded } = await openRecorder(tmux);
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
    await Promise.all(room.context.nudging);
    tmux.run('send-keys', '-t', pane.pane, '-l', 'END');
    await until('the pane has what was typed last', () => recorded().endsWith('END'));
    expect(recorded()).toBe(`${NUDGE}END`);
    expect(nudging.nudges()).toMatchObject([{ outcome: 'nudged', to: 'bob' }]);
    expect(nudging.sleptMs).toEqual([300]);
    console.log(`${recorded().length - 'END'.length} bytes typed: ${JSON.stringify(NUDGE)}`);
  });

  test('is outstanding until bob looks at his mail or ten minutes have passed, and only then comes another', async () => {
    await using tmux = await startTmux();
    const { pane, recorded } = await openRecorder(tmux);
    await using nudging = await openNudgeRoom(pane);
    const { zoo } = nudging;
    const expectTyped = async (count: number): Promise<void> => {
      await until(`${count} nudges are typed`, () => recorded().length >= NUDGE.length * count);
      expect(recorded()).toBe(NUDGE.repeat(count));
    };
    for (let sent = 0; sent < 5; sent++) await nudging.sendAndSettle();
    await expectTyped(1);
    nudging.advance(10);
    expect(await readAll(zoo.bob)).toHaveLength(5);
    await nudging.sendAndSettle();
    await expectTyped(2);
    nudging.advance(OUTSTANDING_MS - 20);
    await nudging.sendAndSettle();
    await expectTyped(2);
    await nudging.sendAndSettle();
    await nudging.sendAndSettle();
    await expectTyped(3);
    const outcomes = nudging.nudges().map(({ outcome, detail }) => detail ?? outcome);
    const waits = 'an earlier nudge is outstanding';
    expect(outcomes).toEqual(['nudged', waits, waits, waits, waits, 'nudged', waits, 'nudged', waits]);
  });

  test('waits while the pane shows its history, where keys are commands, and types nothing then', async () => {
    await using tmux = await startTmux();
    const { pane, recorded } = await openRecorder(tmux);
    await using nudging = await openNudgeRoom(pane);
    for (const keys of ['vi', 'emacs']) {
      tmux.run('set-option', '-g', 'mode-keys', keys);
      tmux.run('copy-mode', '-t', pane.pane);
      await nudging.sendAndSettle();
    }
    expect(nudging.nudges().map(({ detail }) => detail)).toEqual(
      Array.from({ length: 2 }, () => `pane ${pane.pane} shows its history`),
    );
    expect(tmux.run('list-buffers')).toBe('');
    tmux.run('send-keys', '-t', pane.pane, '-X', 'cancel');
    await nudging.sendAndSettle();
    await until('the nudge is typed', () => recorded().length >= NUDGE.length);
    expect(recorded()).toBe(NUDGE);
  });

  test('only ends what it began when Enter failed, so the line never stands there twice', async () => {
    await using tmux = await startTmux();
    const { pane, recorded } = await openRecorder(tmux);
    let failures = 2;
    const processes = {
      ...nodeProcesses,
      run: async (...[file, args, options]: Parameters<typeof nodeProcesses.run>) => {
        if (args.at(-1) === 'Enter' && failures-- > 0) return { exitCode: 1, stdout: '', stderr: 'no current client' };
        return nodeProcesses.run(file, args, options);
      },
    };
    await using nudging = await openNudgeRoom(pane, { processes });
    await nudging.sendAndSettle();
    await until('Enter is typed', () => recorded().endsWith('\r'));
    expect(recorded()).toBe(NUDGE);
    expect(nudging.sleptMs).toEqual([300, 500, 300, 1_000, 300]);
  });
});
