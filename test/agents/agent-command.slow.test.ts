import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../processes/child.ts';
import { createRandom } from '../run/seed.ts';
import { createAgentRoom, processesWith, type AgentRoom } from './agent-room.ts';

let room: AgentRoom;
beforeEach(async () => {
  room = await createAgentRoom();
});
afterEach(() => room[Symbol.asyncDispose]());

/** The answer arrives before its question is acknowledged. */
const PATIENCE = { timeout: 30_000 };
const BALLOT = { type: 'object', properties: { option: { enum: ['a', 'b'] } }, required: ['option'] };

describe('a command', () => {
  it('answers a question with its output, in the thread, to the asker', async () => {
    await room.start('bob', '--exec', 'wc -w', '--stdin', 'content');
    const id = await room.send('bob', 'QUESTION', 'how many words are here');
    expect(await room.receive()).toMatchObject({ from: 'bob', type: 'INFO', content: '5', replyTo: id, threadId: id });
    await expect.poll(() => room.state(id), PATIENCE).toBe('acknowledged');
  });

  it('reads a prompt that fences the mail, with mail that needs no answer once per thread', async () => {
    const bob = await room.start('bob', '--exec', 'cat');
    await room.send('bob', 'INFO', 'The port is 8080.');
    const { content, threadId = '' } = await room.ask('bob', 'Which port?');
    expect(content).toMatch(/From: alice \(verified\)[^]*<<<MAIL ([0-9a-f]{32})\nThe port is 8080\.\nMAIL \1>>>/);
    expect(content).toMatch(/<<<MAIL ([0-9a-f]{32})\nWhich port\?\nMAIL \1>>>/);
    const next = await room.ask('bob', 'And now?', '--thread', threadId);
    expect(next.content).not.toContain('8080');
    expect(bob.told()).toContain('noted: The port is 8080.');
  });

  it('takes only mail sent to itself with --no-broadcasts', async () => {
    const bob = await room.start('bob', '--exec', 'cat', '--no-broadcasts');
    await room.start('carol', '--exec', 'cat');
    const told = await room.cli.run(['broadcast', 'INFO', 'The port is 8080.'], { as: 'alice' });
    expect(told).toMatchObject({ code: 0 });
    expect(told.stdout).toContain('carol');
    expect(told.stdout).not.toContain('bob');
    expect((await room.ask('bob', 'Which port?')).content).not.toContain('8080');
    expect(bob.told()).not.toContain('noted');
  });

  it('may read JSON and answer JSON, with data and a type that the asker accepts', async () => {
    room.script(
      'answer.mjs',
      `import { readFileSync } from 'node:fs';
const { address, message } = JSON.parse(readFileSync(0, 'utf8'));
const data = { address, from: message.from, verified: message.verified, env: process.env.MAILROOM_FROM };
console.log(JSON.stringify({ content: message.content.toUpperCase(), data, type: message.data?.want }));`,
    );
    await room.start('bob', '--exec', 'node answer.mjs', '--stdin', 'json');
    const data = { address: 'bob', from: 'alice', verified: true, env: 'alice' };
    expect(await room.ask('bob', 'hello')).toMatchObject({ type: 'INFO', content: 'HELLO', data });
    expect(await room.ask('bob', 'hello', '--data', '{"want":"COMPLETED"}')).toMatchObject({ type: 'COMPLETED' });
    expect(await room.ask('bob', 'hello', '--data', '{"want":"QUESTION"}')).toMatchObject({ type: 'INFO' });
  });

  it('may use mailroom itself, as the agent', async () => {
    await room.start('bob', '--exec', 'mailroom whoami');
    expect(await room.ask('bob', 'who are you?')).toMatchObject({ content: 'bob' });
  });

  it('is asked messages of the types in --types, and reports its events as JSON lines', async () => {
    const bob = await room.start('bob', '--exec', 'echo ok', '--types', 'CHALLENGE,VERDICT', '--json', '--limit', '2');
    await room.send('bob', 'VERDICT', 'guilty');
    expect(await room.receive()).toMatchObject({ content: 'ok' });
    await room.send('bob', 'CHALLENGE', 'no');
    expect(await room.receive()).toMatchObject({ content: 'ok' });
    expect(await bob.ended).toBe(0);
    const lines = bob
      .stdout()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { event: string; type: string });
    expect(lines.map(({ event, type }) => `${event} ${type}`)).toEqual([
      'asked VERDICT',
      'answered VERDICT',
      'asked CHALLENGE',
      'answered CHALLENGE',
    ]);
  });
});

describe('a command that fails', () => {
  it('is retried, and its question is answered once it works', async () => {
    const bob = await room.start(
      'bob',
      '--backoff',
      '100ms',
      '--exec',
      'echo x >> tries; test $(wc -l < tries) = 3 && echo done',
    );
    expect(await room.ask('bob', 'try')).toMatchObject({ content: 'done', type: 'INFO' });
    expect(bob.told()).toContain('failed (2), retry in');
  });

  it('sends a failure reply with the last line of its stderr', async () => {
    await room.start('bob', '--tries', '2', '--backoff', '50ms', '--exec', 'echo no key >&2; exit 3');
    const id = await room.send('bob', 'QUESTION', 'try');
    const reply = await room.receive();
    expect(reply).toMatchObject({ type: 'BLOCKED', replyTo: id, data: { failed: true, tries: 2 } });
    expect(reply.content).toMatch(/run 2 times\. The command ended with exit code 3; .* no key$/);
    await expect.poll(() => room.state(id), PATIENCE).toBe('acknowledged');
  });

  it.each([
    ['finds no program', ['--exec', 'true; no-such-command'], /exit code 127.*not found/],
    ['writes nothing', ['--exec', 'true'], /wrote no answer/],
    ['takes too long', ['--timeout', '300ms', '--exec', 'echo begun; sleep 300'], /took too long/],
    ['falls silent', ['--idle', '300ms', '--exec', 'echo begun; sleep 300'], /wrote nothing for too long/],
    ['floods', ['--output', '10', '--exec', 'yes'], /wrote more than it may/],
  ])('because it %s says so', async (_, options, why) => {
    await room.start('bob', '--tries', '1', ...options);
    const reply = await room.ask('bob', 'try');
    expect(reply.type).toBe('BLOCKED');
    expect(reply.content).toMatch(why);
    await until('nothing of it is left', () => processesWith(`MAILROOM_DIR=${room.cli.room}`).length === 0);
  });
});

describe('an answer with a reply schema', () => {
  const data = JSON.stringify({ replySchema: BALLOT });

  it('is checked, requested again with the faults, and sent as data', async () => {
    room.script(
      'vote.mjs',
      `import { readFileSync } from 'node:fs';
const { correction } = JSON.parse(readFileSync(0, 'utf8'));
console.log(correction ? JSON.stringify({ option: 'b' }) : 'option c');`,
    );
    const bob = await room.start('bob', '--exec', 'node vote.mjs', '--stdin', 'json');
    expect(await room.ask('bob', 'vote', '--data', data)).toMatchObject({ type: 'INFO', data: { option: 'b' } });
    expect(bob.told()).toContain('asked (round 2)');
  });

  it('is requested again twice, then reported as a failure', async () => {
    await room.start('bob', '--exec', `echo x >> tries; echo '{"option":"c"}'`);
    const reply = await room.ask('bob', 'vote', '--data', data);
    expect(reply).toMatchObject({ type: 'BLOCKED', data: { failed: true, tries: 3 } });
    expect(reply.content).toMatch(/answered 3 times.*At option: Invalid[^]*\{"option":"c"\}/);
    expect(fs.readFileSync(path.join(room.cli.directory, 'tries'), 'utf8')).toBe('x\nx\nx\n');
  });

  it('is never requested if the schema is invalid', async () => {
    await room.start('bob', '--exec', 'echo x >> tries; echo {}');
    const reply = await room.ask('bob', 'vote', '--data', '{"replySchema":{"type":"foo"}}');
    expect(reply.content).toMatch(/was not run\. The replySchema .* cannot be used/);
    expect(fs.existsSync(path.join(room.cli.directory, 'tries'))).toBe(false);
  });
});

it('cuts an answer that is larger than a message, and says so', async () => {
  await room.start('bob', '--exec', `head -c 900000 /dev/zero | tr '\\0' '"'`);
  const { content } = await room.ask('bob', 'much');
  expect(content).toMatch(/^"+\n\(These are \d+ of 900000 characters\.\)$/);
  expect(content.length).toBeGreaterThan(100_000);
});

describe('ending', () => {
  /** Of a process of its own; the others are told to an agent within this process. */
  const APART: NodeJS.Signals = createRandom()() < 0.5 ? 'SIGINT' : 'SIGHUP';

  it.each([
    ['SIGINT', 130],
    ['SIGHUP', 129],
  ] as const)('with %s ends the command, gives the question back and exits with %i', async (signal, code) => {
    const start = signal === APART ? room.startApart : room.start;
    const bob = await start('bob', '--exec', 'echo x >> runs; sleep 300 & sleep 300');
    const id = await room.send('bob', 'QUESTION', 'wait');
    await until('the command runs', () => fs.existsSync(path.join(room.cli.directory, 'runs')));
    bob.kill(signal);
    expect(await bob.ended).toBe(code);
    expect(await room.state(id)).toBe('released');
    expect(processesWith(`MAILROOM_DIR=${room.cli.room}`)).toEqual([]);
    await room.start('bob', '--exec', 'echo here');
    // The stored round is run, so the command is still the earlier one.
    await until('it is asked again', () => runs() === 2);
  });

  it('by SIGKILL leaves the command running, and the next agent takes its answer', async () => {
    const line = 'echo x >> runs; while ! test -e go; do sleep 0.05; done; echo late';
    const first = await room.startApart('bob', '--exec', line);
    const id = await room.send('bob', 'QUESTION', 'wait');
    await until('the command runs', () => runs() === 1);
    first.kill('SIGKILL');
    expect(await first.ended).toBe('SIGKILL');
    await room.start('bob', '--exec', line);
    fs.writeFileSync(path.join(room.cli.directory, 'go'), '');
    expect(await room.receive()).toMatchObject({ content: 'late', replyTo: id });
    expect(runs()).toBe(1);
  });

  it('with its host takes no new question, sends the current answer, and runs nothing more', async () => {
    using host = startHost();
    const line = 'echo x >> runs; while ! test -e go; do sleep 0.05; done; echo late';
    const bob = await room.start('bob', '--host', String(host.pid), '--exec', line);
    const first = await room.send('bob', 'QUESTION', 'wait');
    await until('the command runs', () => runs() === 1);
    const second = await room.send('bob', 'QUESTION', 'and then');
    host.kill();
    await until('it knows', () => bob.told().includes(`Its host, process ${host.pid}, has ended`));
    fs.writeFileSync(path.join(room.cli.directory, 'go'), '');
    expect(await bob.ended).toBe(0);
    expect([await room.state(first), await room.state(second)]).toEqual(['acknowledged', 'delivered']);
    expect(await room.receive()).toMatchObject({ content: 'late', replyTo: first });
    expect(runs()).toBe(1);
    expect(processesWith(`MAILROOM_DIR=${room.cli.room}`)).toEqual([]);
    await room.start('bob', '--exec', line);
    expect(await room.receive()).toMatchObject({ content: 'late', replyTo: second });
  });

  it('with its host is immediate when it answers nothing, even between two attempts', async () => {
    using host = startHost();
    const words = ['--host', String(host.pid), '--backoff', '1h', '--exec', 'echo x >> runs; exit 1'];
    const bob = await room.start('bob', ...words);
    const carol = await room.start('carol', ...words);
    const id = await room.send('bob', 'QUESTION', 'try');
    await until('it has failed', () => bob.told().includes('retry in'));
    host.kill();
    expect([await bob.ended, await carol.ended]).toEqual([0, 0]);
    expect([await room.state(id), runs()]).toEqual(['released', 1]);
  });

  it('refuses a second agent under the same address', async () => {
    await room.start('bob', '--exec', 'echo 1');
    expect(await (await room.startApart('bob', '--exec', 'echo 2')).ended).toBe(6);
  });

  const runs = (): number => {
    const file = path.join(room.cli.directory, 'runs');
    return fs.existsSync(file) ? fs.readFileSync(file, 'utf8').split('\n').length - 1 : 0;
  };
});

/** A process that an agent works for. */
function startHost(): Disposable & { readonly pid: number | undefined; kill(): void } {
  const host = spawn('sleep', ['600'], { stdio: 'ignore' });
  const kill = (): void => void host.kill('SIGKILL');
  return { pid: host.pid, kill, [Symbol.dispose]: kill };
}

it('ends the exchange of two agents that answer everything', async () => {
  const bob = await room.start('bob', '--types', 'INFO,BLOCKED', '--exec', 'echo from bob');
  const carol = await room.start('carol', '--types', 'INFO,BLOCKED', '--exec', 'echo from carol');
  await room.cli.run(['send', 'carol', 'INFO', 'hello', '--as', 'bob']);
  await until('carol has answered, and bob has noted that', () => bob.told().includes('noted: from carol'));
  expect(carol.told()).not.toContain('noted');
  expect(bob.told()).not.toContain('answered');
});

it.each([
  [['bob'], /Neither --exec nor --preset is given/],
  [['bob', '--exec', 'x', '--preset', 'claude'], /--exec and --preset exclude each other/],
  [['bob', '--exec', 'x', 'y'], /Unexpected argument "y"/],
  [['bob', '--preset', 'claude', '--stdin', 'json'], /a preset knows what its program reads/],
  [['bob', '--exec', 'x', '--host', '999999999'], /there is no process with this pid/],
  [['bob', '--exec', 'x', '--host', 'npm'], /--host is "npm": there is no process/],
  [['bob', '--preset', 'cluade'], /Did you mean claude\?/],
  [['bob', '--exec', 'no-such-command --quiet'], /There is no program no-such-command in the PATH to answer the mail/],
  [['bob', '--exec', './no-such-command'], /There is no program \/.*\/no-such-command to answer the mail/],
  [['bob', '--exec', 'x', '--trust-directory', '.'], /--trust-directory requires --preset/],
  [['bob', '--preset', 'codex', '--trust-directory', '/usr'], /the program would run in .*, which is not inside it/],
  [['bob', '--exec', 'x', '--types', 'info'], /not a message type/],
])('refuses %j', async (words, error) => {
  const refused = await room.start(...words);
  expect(await refused.ended).toBe(2);
  expect(refused.told()).toMatch(error);
});

it('refuses a preset whose program is missing, before it joins', async () => {
  fs.rmSync(path.join(room.cli.bin, 'codex'));
  const refused = await room.start('bob', '--preset', 'codex');
  expect(await refused.ended).toBe(2);
  expect(refused.told()).toContain('There is no program codex in the PATH');
  expect(fs.existsSync(path.join(room.cli.room, 'actors/bob'))).toBe(false);
});
