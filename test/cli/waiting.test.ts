import { spawn, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../hostile/until.ts';
import { createCliRoom, type CliRoom } from './cli-room.ts';

let room: CliRoom;
beforeAll(async () => {
  room = await createCliRoom({ agents: ['alice', 'bob', 'carol', 'dave'] });
});
afterAll(() => room[Symbol.dispose]());

const started = new Set<ChildProcess>();
afterEach(() => {
  for (const child of started) child.kill('SIGKILL');
  started.clear();
});

interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  stdout(): string;
}

function start(words: readonly string[], as: string): Running {
  const child = spawn(path.join(room.bin, 'mailroom'), words, {
    cwd: room.directory,
    env: { ...room.env, MAILROOM_AS: as },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  started.add(child);
  let stdout = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.on('close', (code, signal) => {
      started.delete(child);
      resolve({ code, signal });
    });
  });
  return { child, ended, stdout: () => stdout };
}

const sendTo = (to: string, content: string, ...options: string[]): Promise<unknown> =>
  room.run(['send', to, 'INFO', content, ...options], { as: 'alice' });

describe('read --wait', () => {
  it('ends as soon as a message is there, and acknowledges it', async () => {
    const reading = start(['read', '--wait', '5m', '--json'], 'bob');
    await sendTo('bob', 'at last');
    expect(await reading.ended).toEqual({ code: 0, signal: null });
    expect(JSON.parse(reading.stdout())).toMatchObject([{ content: 'at last' }]);
    expect(await room.json(['inbox'], { as: 'bob' })).toEqual([]);
  });

  it('ends with 4 when none came', async () => {
    expect(await room.run(['read', '--wait', '200ms'], { as: 'bob' })).toMatchObject({ code: 4, stdout: '' });
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('is ended by %s with %i', async (signal, code) => {
    const waiting = start(['read', '--wait', '5m'], 'bob');
    // Watching its own mailbox is what it does when it waits; before that the signal would end it the usual way.
    await until('it waits', () => isWaiting(waiting.child));
    waiting.child.kill(signal);
    expect(await waiting.ended).toEqual({ code, signal: null });
  });
});

describe('inbox --wait', () => {
  it('lists what waits already, and claims nothing', async () => {
    await sendTo('bob', 'here already');
    const listed = await room.json(['inbox', '--wait', '5m'], { as: 'bob' });
    expect(listed).toMatchObject([{ content: 'here already', state: 'delivered', verified: true }]);
    expect(await room.json(['inbox', '--wait', '1ms'], { as: 'bob' })).toEqual(listed);
    await room.run(['read'], { as: 'bob' });
  });

  it('ends as soon as there is mail that nobody has claimed, and lists only that', async () => {
    await sendTo('bob', 'held');
    await room.run(['read', '--hold'], { as: 'bob' });
    // What no reader would believe wakes nobody.
    fs.writeFileSync(
      path.join(room.room, 'actors/bob/mailbox/new/01890a5d-ac96-774b-bcce-b302099a8057.alice.json'),
      'forged',
    );
    const waiting = start(['inbox', '--wait', '5m', '--json'], 'bob');
    await until('it waits', () => isWaiting(waiting.child));
    expect(waiting.stdout()).toBe('');
    await sendTo('bob', 'at last');
    expect(await waiting.ended).toEqual({ code: 0, signal: null });
    expect(JSON.parse(waiting.stdout())).toMatchObject([{ content: 'at last', state: 'delivered', attempt: 0 }]);
    expect(await room.json(['inbox'], { as: 'bob' })).toMatchObject([{ state: 'claimed' }, { state: 'delivered' }]);
    await room.run(['read'], { as: 'bob' });
  });

  it('ends with 4 when none came, and prints nothing', async () => {
    expect(await room.run(['inbox', '--wait', '200ms', '--headers'], { as: 'bob' })).toMatchObject({
      code: 4,
      stdout: '',
      stderr: expect.stringContaining('To keep waiting: mailroom inbox --wait 200ms'),
    });
  });

  it('is ended by SIGTERM', async () => {
    const waiting = start(['inbox', '--wait', '5m'], 'bob');
    await until('it waits', () => isWaiting(waiting.child));
    waiting.child.kill('SIGTERM');
    expect(await waiting.ended).toEqual({ code: 143, signal: null });
  });
});

describe('--headers', () => {
  it('shows nothing that a sender could write freely', async () => {
    await room.run(['read'], { as: 'carol' });
    await sendTo('carol', 'SECRET text', '--data', '{"SECRET":1}', '--thread', 'SECRET thread');
    const [{ id = '' } = {}] = (await room.json(['inbox'], { as: 'carol' })) as { id?: string }[];
    const rows = await room.run(['inbox', '--headers'], { as: 'carol' });
    expect(rows.stdout).toMatch(new RegExp(`^${id.slice(-8)} {2}\\d+s {2}waiting {2}alice {2}INFO {2}verified\\n$`));
    const facts = { id, from: 'alice', type: 'INFO', verified: true };
    expect(await room.json(['inbox', '--headers', '--wait', '5m'], { as: 'carol' })).toEqual([
      { ...facts, state: 'delivered', attempt: 0 },
    ]);
    const watched = await room.run(['watch', '--headers', '--limit', '1'], { as: 'carol' });
    expect(watched.stdout).toBe(`From alice  INFO  id ${id.slice(-8)}  verified\n`);
    const all = await room.run(['watch', '--headers', '--all', '--limit', '1'], { as: 'alice' });
    expect(all.stdout).toMatch(/^\w+ {2}From alice {2}INFO {2}id [0-9a-f]{8} {2}verified\n$/);
    const line = await room.json(['watch', '--headers', '--limit', '1'], { as: 'carol' });
    expect(line).toEqual({ ...facts, recipient: 'carol' });
    await room.run(['read'], { as: 'carol' });
  });
});

describe('send --wait-for', () => {
  it('ends when the recipient has claimed, or acknowledged, the message', async () => {
    const claimed = start(['send', 'carol', 'INFO', 'one', '--wait-for', 'claimed', '--timeout', '1m'], 'alice');
    await until('it is delivered', () => claimed.stdout().startsWith('delivered'));
    await room.run(['read', '--hold'], { as: 'carol' });
    expect(await claimed.ended).toEqual({ code: 0, signal: null });

    const acked = start(['send', 'carol', 'INFO', 'two', '--wait-for', 'acked', '--timeout', '1m'], 'alice');
    await until('it is delivered', () => acked.stdout().startsWith('delivered'));
    const [held] = (await room.json(['read', '--hold'], { as: 'carol' })) as { id: string }[];
    await room.run(['ack', held?.id ?? ''], { as: 'carol' });
    expect(await acked.ended).toEqual({ code: 0, signal: null });
  });

  it('ends with 4 when it took too long, and the message stays delivered', async () => {
    const ran = await room.run(['send', 'dave', 'INFO', 'x', '--wait-for', 'acked', '--timeout', '100ms', '--json'], {
      as: 'alice',
    });
    expect(ran.code).toBe(4);
    const { id } = JSON.parse(ran.stdout) as { id: string };
    expect(JSON.parse(ran.stderr)).toMatchObject({ error: { code: 'TIMEOUT' } });
    expect(await room.json(['status', id])).toMatchObject([{ recipient: 'dave', state: 'delivered' }]);
  });
});

describe('watch and log --follow', () => {
  it('stream what arrives for one agent, beginning with what waits, and claim nothing', async () => {
    await room.run(['read'], { as: 'dave' });
    await sendTo('dave', 'waits already');
    const watching = start(['watch', '--limit', '2'], 'dave');
    await until('the first line', () => watching.stdout().includes('waits already'));
    await sendTo('dave', 'arrives');
    expect(await watching.ended).toEqual({ code: 0, signal: null });
    expect(watching.stdout()).toMatch(
      /^From alice {2}INFO .*id [0-9a-f]{8} {2}waits already\nFrom alice {2}INFO .* {2}arrives\n$/,
    );
    expect(await room.json(['inbox'], { as: 'dave' })).toMatchObject([{ state: 'delivered' }, { state: 'delivered' }]);
  });

  it('stream the mail of the whole room as JSON lines, also what its reader takes at once', async () => {
    for (const name of ['bob', 'carol', 'dave']) await room.run(['read'], { as: name });
    const watching = start(['watch', '--all', '--json', '--limit', '3'], 'alice');
    const lines = (): { recipient: string; content: string; verified: boolean }[] =>
      watching
        .stdout()
        .trimEnd()
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line));
    await sendTo('bob', 'first');
    await until('the first line', () => lines().length === 1);
    await sendTo('carol', 'second');
    await room.run(['read'], { as: 'carol' });
    await sendTo('dave', 'third');
    expect(await watching.ended).toEqual({ code: 0, signal: null });
    expect(lines().map(({ recipient, content, verified }) => [recipient, content, verified])).toEqual([
      ['bob', 'first', true],
      ['carol', 'second', true],
      ['dave', 'third', true],
    ]);
  });

  it('go on with the log until Ctrl-C', async () => {
    const following = start(['log', '--follow', '--limit', '1'], 'alice');
    await until('the last line', () => following.stdout() !== '');
    await sendTo('bob', 'seen in the log');
    await until('the new line', () => following.stdout().includes('"seen in the log"'));
    following.child.kill('SIGINT');
    expect(await following.ended).toEqual({ code: 130, signal: null });
  });
});

/** Whether the process holds an inotify descriptor; where that cannot be told, any time is as good as another. */
function isWaiting(child: ChildProcess): boolean {
  const directory = `/proc/${child.pid}/fd`;
  if (!fs.existsSync(directory)) return true;
  return fs.readdirSync(directory).some((fd) => {
    try {
      return fs.readlinkSync(`${directory}/${fd}`).includes('inotify');
    } catch {
      return false;
    }
  });
}
