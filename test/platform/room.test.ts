import { spawn, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { actorLayout, roomLayout } from '../../src/message/layout.ts';
import { createCliRoom, type CliRoom } from '../cli/cli-room.ts';
import { until } from '../hostile/until.ts';
import { openRecorder, skipWithoutTmux, startTmux } from '../nudge/tmux-server.ts';
import { createProject, GREETER } from '../runtime/cli-machines.ts';

const started = new Set<ChildProcess>();
afterEach(() => {
  for (const child of started) child.kill('SIGKILL');
  started.clear();
});

/** Runs a workflow with the command in the room's bin. */
function run(
  room: CliRoom,
  args: readonly string[],
): { child: ChildProcess; told: () => string; ended: Promise<string> } {
  const child = spawn(process.execPath, [fs.realpathSync(path.join(room.bin, 'mailroom')), ...args], {
    cwd: room.directory,
    env: { ...room.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.add(child);
  let told = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (told += text));
  const ended = new Promise<string>((resolve) => child.once('close', (code, signal) => resolve(`${code ?? signal}`)));
  return { child, told: () => told, ended };
}

test('mail is sent, awaited, replied to and acknowledged', async () => {
  using room = await createCliRoom();
  const waiting = room.run(['read', '--wait', '60s', '--json'], { as: 'bob' });
  expect(await room.run(['send', 'bob', 'QUESTION', 'do you hear me'], { as: 'alice' })).toMatchObject({
    code: 0,
    stderr: '',
  });
  const read = await waiting;
  expect(JSON.parse(read.stdout)).toMatchObject([{ from: 'alice', content: 'do you hear me' }]);
  const findings = (await room.json(['doctor'])) as { check: string; level: string; text: string }[];
  console.log(findings.map(({ check, level, text }) => `${level}  ${check}: ${text}`).join('\n'));
  expect(findings.filter(({ level }) => level === 'wrong')).toEqual([]);
});

test('a killed workflow resumes where it was, and one that is told to stop ends', async () => {
  using room = await createProject({ 'greeter.mjs': GREETER });
  const first = run(room, ['run', 'greeter.mjs']);
  await until(
    () => `it runs: ${first.told()}`,
    () => first.told().includes('→ waiting'),
  );
  const second = await room.run(['run', 'greeter.mjs']);
  expect([second.code, second.stdout]).toEqual([6, '']);
  first.child.kill('SIGKILL');
  await first.ended;
  const third = run(room, ['run', 'greeter.mjs']);
  const journal = path.join(actorLayout(roomLayout(room.room), 'greeter').journal, '1.jsonl');
  await until(
    () => `it is taken over: ${third.told()}`,
    () => fs.readFileSync(journal, 'utf8').split('"open"').length === 3,
  );
  third.child.kill('SIGTERM');
  expect(['143', 'SIGTERM']).toContain(await third.ended);
  const last = run(room, ['run', 'greeter.mjs']);
  await room.run(['send', 'greeter', 'GO', 'now'], { as: 'alice' });
  expect(await last.ended).toBe('0');
  expect(last.told()).toContain('hello nobody');
});

test.skipIf(skipWithoutTmux)('an agent in a tmux pane can be nudged', async () => {
  using room = await createCliRoom({ agents: ['alice'] });
  await using server = await startTmux();
  const { pane } = await openRecorder(server);
  const env = { TMUX: `${pane.socket},${pane.serverPid},0`, TMUX_PANE: pane.pane };
  expect(await room.run(['join', 'bob'], { env })).toMatchObject({ code: 0 });
  expect(await room.run(['send', 'bob', 'INFO', 'never typed'], { as: 'alice' })).toMatchObject({
    code: 0,
    stderr: '',
  });
  await until('the pane has its count', () => server.unread(pane) === '1');
  await until('the window has the bell flag', () => server.isBellFlagged(pane));
});
