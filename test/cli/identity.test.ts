import { spawn } from 'node:child_process';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { until } from '../hostile/until.ts';
import { openRoom } from '../../src/index.ts';
import { createCliRoom, type CliRoom } from './cli-room.ts';

let room: CliRoom;
beforeAll(async () => {
  room = await createCliRoom();
});
afterAll(() => room[Symbol.dispose]());

it('is --as before MAILROOM_AS, on either side of the command', async () => {
  expect(await room.run(['whoami'], { as: 'alice' })).toMatchObject({ code: 0, stdout: 'alice\n' });
  expect(await room.run(['whoami', '--as', 'bob'], { as: 'alice' })).toMatchObject({ code: 0, stdout: 'bob\n' });
  expect(await room.run(['--as', 'bob', 'whoami'], { as: 'alice' })).toMatchObject({ code: 0, stdout: 'bob\n' });
  expect(await room.run(['--as=bob', 'whoami'], { as: 'alice' })).toMatchObject({ code: 0, stdout: 'bob\n' });
  expect(await room.json(['whoami'], { as: 'bob' })).toEqual({
    address: 'bob',
    source: 'MAILROOM_AS',
    room: room.room,
  });
});

it('is asked for with the very command to repeat, which then works in a shell', async () => {
  const words = ['send', 'bob', 'INFO', `it's "quoted" $HOME`];
  const ran = await room.run(words);
  expect(ran.code).toBe(2);
  expect(ran.stderr).toContain('Joined: alice, bob.');
  const commands = ran.stderr.match(/^ +mailroom --as .*$/gm) ?? [];
  expect(commands).toHaveLength(2);
  expect((await room.shell(commands[0] ?? '')).code).toBe(0);
  expect(await room.json(['read'], { as: 'bob' })).toMatchObject([{ from: 'alice', content: words[3] }]);
  const asJson = await room.run([...words, '--json']);
  expect(JSON.parse(asJson.stderr)).toMatchObject({ error: { code: 'IDENTITY_UNKNOWN' } });
});

it('is never somebody who has not joined', async () => {
  const ran = await room.run(['send', 'bob', 'INFO', 'x', '--as', 'alise']);
  expect(ran.code).toBe(3);
  expect(ran.stderr).toContain('Did you mean alice? Then: mailroom send bob INFO x --as alice');
  expect((await room.run(['whoami'], { as: 'nobody-here' })).code).toBe(3);
});

it('is not given to a second session while the first one runs, unless it is taken over', async () => {
  // The shell leads its session and stays until its input ends, as the shell in a terminal does.
  const shell = spawn('/bin/sh', ['-c', 'mailroom join frank; read end'], {
    cwd: room.directory,
    env: { ...room.env },
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const ended = new Promise((resolve) => shell.on('close', resolve));
  try {
    await using opened = await openRoom({ cwd: room.directory });
    await until('frank has joined', () => opened.actors().some(({ card, live }) => card.address === 'frank' && live));
    const second = await room.run(['join', 'frank'], { session: true });
    expect(second).toMatchObject({ code: 6, stdout: '' });
    expect(second.stderr).toContain('or take the address from it with --take-over');
    const taken = await room.run(['join', 'frank', '--take-over'], { session: true });
    expect(taken).toMatchObject({ code: 0, stdout: 'export MAILROOM_AS=frank\n' });
  } finally {
    shell.stdin.end('\n');
    await ended;
  }
});

it('asks a room that nobody has joined to be joined', async () => {
  using empty = await createCliRoom({ agents: [] });
  const ran = await empty.run(['inbox']);
  expect(ran.code).toBe(2);
  expect(ran.stderr).toContain('eval "$(mailroom join alice)"');
});
