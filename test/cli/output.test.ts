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
async function runIntoClosedPipe(line: string, as: string): Promise<{ code: number | null; stderr: string }> {
  const child = spawn('/bin/sh', ['-c', `read go; exec ${line}`], {
    cwd: room.directory,
    env: { ...room.env, MAILROOM_AS: as },
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

describe('a full pipe that somebody made non-blocking', () => {
  it('gets all of a large message in the end, and only then is it acknowledged', async () => {
    const content = 'x'.repeat(200_000);
    await room.run(['send', 'bob', 'INFO', '-'], { as: 'alice', stdin: content });
    const reader = `
import fcntl, os, subprocess
r, w = os.pipe()
fcntl.fcntl(w, fcntl.F_SETFL, fcntl.fcntl(w, fcntl.F_GETFL) | os.O_NONBLOCK)
child = subprocess.Popen(["mailroom", "read", "--json"], stdout=w)
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
