import fs from 'node:fs';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCliRoom, type CliRoom } from './cli-room.ts';

let room: CliRoom;
beforeAll(async () => {
  room = await createCliRoom();
});
afterAll(() => room[Symbol.dispose]());

/** Runs a command whose output nobody reads any more when it begins. */
async function runIntoClosedPipe(
  line: string,
  as: string,
  { directory, env } = room,
): Promise<{ code: number | null; stderr: string }> {
  const child = spawn('/bin/sh', ['-c', `read go; exec ${line}`], {
    cwd: directory,
    env: { ...env, MAILROOM_AS: as },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  child.stdout.destroy();
  await once(child.stdout, 'close');
  child.stdin.end('go\n');
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stderr };
}

describe('an output that was closed', () => {
  it('acknowledges nothing, and the mail waits again', async () => {
    for (const content of ['one', 'two']) await room.run(['send', 'bob', 'INFO', content], { as: 'alice' });
    for (const options of ['', '--json', '--hold']) {
      const { code, stderr } = await runIntoClosedPipe(`mailroom read ${options}`, 'bob');
      expect(code, stderr).toBe(1);
      expect(stderr).toMatch(/^The output was closed; 2 of 2 messages were not printed and wait again\.\n$/);
    }
    expect(await room.json(['inbox'], { as: 'bob' })).toMatchObject([{ state: 'released' }, { state: 'released' }]);
    expect(await room.json(['read'], { as: 'bob' })).toMatchObject([{ content: 'one' }, { content: 'two' }]);
  });

  it('ends every other command quietly', async () => {
    await room.run(['send', 'bob', 'INFO', 'x'], { as: 'alice' });
    for (const command of ['inbox', 'agents', 'log', 'help', 'doctor', 'whoami', 'watch', 'log --follow']) {
      expect(await runIntoClosedPipe(`mailroom ${command}`, 'bob'), command).toEqual({ code: 0, stderr: '' });
    }
    // It was sent all the same, and says so by its exit code alone.
    expect(await runIntoClosedPipe('mailroom send bob INFO y', 'alice')).toEqual({ code: 0, stderr: '' });
    expect(await room.json(['read'], { as: 'bob' })).toHaveLength(2);
  });
});

describe('an output that was never there', () => {
  it.each(['>&-', '1<>/dev/null'])('acknowledges nothing when it is %s', async (redirected) => {
    await room.run(['send', 'bob', 'INFO', 'unseen'], { as: 'alice' });
    for (const options of ['', '--json', '--hold']) {
      const ran = await room.shell(`mailroom read ${options} ${redirected}`, { as: 'bob' });
      expect(ran.code, ran.stderr).toBe(1);
    }
    expect(await room.json(['read'], { as: 'bob' })).toMatchObject([{ content: 'unseen' }]);
  });

  it('is another thing than one that somebody throws away', async () => {
    await room.run(['send', 'bob', 'INFO', 'unwanted'], { as: 'alice' });
    expect(await room.shell('mailroom read > /dev/null', { as: 'bob' })).toMatchObject({ code: 0, stderr: '' });
    expect(await room.json(['read'], { as: 'bob' })).toEqual([]);
  });
});

describe('an output that cannot be written', () => {
  const full = (line: string, as: string) => room.shell(`mailroom ${line} > /dev/full`, { as });
  const idOf = async (content: string): Promise<string> => {
    const sent = (await room.json(['send', 'bob', 'INFO', content], { as: 'alice' })) as { id: string };
    return sent.id;
  };

  it('leaves true what was done: exit code and stderr say that it was, and to repeat nothing', async () => {
    const [held, given] = [await idOf('held'), await idOf('given back')];
    await room.run(['read', '--hold'], { as: 'bob' });
    const elsewhere = `${room.directory}/elsewhere`;
    const refused = `${room.room}/actors/bob/mailbox/dead/refused/00000000-0000-4000-8000-000000000000`;
    const why = { name: `${held.slice(0, -1)}0.alice.json`, reason: 'unknown-key', detail: 'x', at: '' };
    fs.writeFileSync(refused, 'whatever it is');
    fs.writeFileSync(`${refused}.why.json`, JSON.stringify(why));
    const done: readonly (readonly [line: string, as: string, report: string])[] = [
      ['send bob INFO once', 'alice', 'delivered  '],
      ['broadcast INFO once', 'alice', 'to bob'],
      [`renew ${held}`, 'bob', `claimed  ${held.slice(-8)}`],
      [`ack ${held}`, 'bob', `acknowledged  ${held.slice(-8)}`],
      [`release ${given}`, 'bob', `released  ${given.slice(-8)}`],
      ['dead retry --refused', 'bob', 'released  '],
      ['purge', 'bob', '0 messages of 0 days deleted'],
      ['join carol', 'carol', 'export MAILROOM_AS=carol'],
      [`init --room ${elsewhere}`, 'bob', elsewhere],
    ];
    for (const [line, as, report] of done) {
      const { code, stderr } = await full(line, as);
      expect({ line, code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining(report) as string });
      expect(stderr, line).toMatch(
        /^mailroom: The output could not be written \(ENOSPC.*Do not repeat the command; it/,
      );
      expect(stderr.toLowerCase(), line).not.toContain('then repeat');
    }
    for (const line of ['send bob INFO twice', 'leave']) {
      const { code, stderr } = await full(`${line} --json`, 'alice');
      expect(code, line).toBe(0);
      expect(JSON.parse(stderr.split('\n')[0] ?? ''), line).toMatchObject({ warning: { code: 'ENOSPC' } });
    }
    const mail = (await room.json(['inbox'], { as: 'bob' })) as { content: string }[];
    expect(mail.map(({ content }) => content)).toEqual(['given back', 'once', 'once', 'twice']);
    await room.run(['read'], { as: 'bob' });
    await room.run(['join', 'alice', '--take-over']);
  });

  it('fails a command that only shows something, which may be repeated', async () => {
    for (const line of ['agents', 'log', 'help', 'whoami', 'doctor']) {
      const { code, stderr } = await full(line, 'bob');
      expect(code, line).not.toBe(0);
      expect(stderr, line).toMatch(
        /^mailroom: The output could not be written \(ENOSPC.*\n.*then repeat the command\.\n$/,
      );
    }
    const { stderr } = await full('agents --json', 'bob');
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'ENOSPC' } });
  });

  it('hides no failure of the command itself, whatever became of the output', async () => {
    using small = await createCliRoom({ limits: { newMessagesMax: 1 } });
    await small.run(['send', 'bob', 'INFO', 'fills the mailbox'], { as: 'alice' });
    const line = 'mailroom send bob INFO refused';
    const ran = [
      await small.shell(`${line} > /dev/full`, { as: 'alice' }),
      await small.shell(`${line} >&-`, { as: 'alice' }),
      await runIntoClosedPipe(line, 'alice', small),
    ];
    for (const { code, stderr } of ran) {
      expect({ code, stderr }).toMatchObject({
        code: 6,
        stderr: expect.stringContaining('It is safe to repeat it with its id') as string,
      });
    }
    const [{ id } = { id: '' }] = (await small.json(['inbox'], { as: 'bob' })) as { id: string }[];
    const acknowledged = await runIntoClosedPipe(`mailroom ack ${id} ffffffff`, 'bob', small);
    expect(acknowledged).toMatchObject({ code: 3, stderr: expect.stringContaining('has no message') as string });
  });
});

describe('a full pipe that somebody made non-blocking', () => {
  it('gets all of a large message in the end, and only then is it acknowledged', async () => {
    const content = 'x'.repeat(200_000);
    await room.run(['send', 'bob', 'INFO', '-'], { as: 'alice', stdin: content });
    const reader = `
import fcntl, os, subprocess
r, w = os.pipe()
fcntl.fcntl(w, fcntl.F_SETFL, fcntl.fcntl(w, fcntl.F_GETFL) | os.O_NONBLOCK)
child = subprocess.Popen(["mailroom", "read", "--json", "--max-bytes", "1000000"], stdout=w)
os.close(w)
first = os.read(r, 1)
states = subprocess.run(["mailroom", "inbox", "--json"], capture_output=True, text=True).stdout
rest = 0
while True:
    got = os.read(r, 4096)
    if not got: break
    rest += len(got)
print('"state":"claimed"' in states, 1 + rest > 200000, child.wait())
`;
    const ran = await room.shell('python3 -', { as: 'bob', stdin: reader });
    expect(ran.stdout, ran.stderr).toBe('True True 0\n');
    expect(await room.json(['inbox'], { as: 'bob' })).toEqual([]);
  });
});
