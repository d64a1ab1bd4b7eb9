import { spawn, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { CliRoom } from '../cli/cli-room.ts';
import { choice } from '../run/amount.ts';
import { createProject, handlesSignals, SPINNING } from './cli-machines.ts';
import { eventually } from './workflow-room.ts';

interface Hosting extends AsyncDisposable {
  readonly child: ChildProcess;
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null; stdout: string; stderr: string }>;
}

/** Of what never returns: a loop that sleeps holds the thread like one that does not, which is in the long set and in `watchdog.test.ts`. */
const LOOPS = choice(['1'], () => false);

/** Runs the machine in a process; `spin` is which of its functions never returns. */
function host(room: CliRoom, spin = ''): Hosting {
  const child = spawn(path.join(room.bin, 'mailroom'), ['run', 'spinning.mjs'], {
    cwd: room.directory,
    env: { ...room.env, SPIN: spin, LOOPS: LOOPS.join() },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (data: Buffer) => (stdout += data.toString()));
  child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
  const ended = new Promise<Awaited<Hosting['ended']>>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return {
    child,
    ended,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

interface Listed {
  readonly address: string;
  readonly host?: number;
  readonly stuck?: { readonly since: string; readonly cause: string };
  readonly heldBy?: string;
}

/** The output of `workflows` once it satisfies the condition. */
async function listed(room: CliRoom, isSo: (found: readonly Listed[]) => boolean): Promise<readonly Listed[]> {
  for (const end = Date.now() + 60_000; ;) {
    const found = (await room.json(['workflows'])) as Listed[];
    if (isSo(found)) return found;
    if (Date.now() > end) throw new Error(`waited in vain: ${JSON.stringify(found)}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

/** Each look costs what the command does, and a step counts as stuck after two seconds. */
const LOOK_EVERY_MS = 200;

const isStuck = (found: readonly Listed[]): boolean => found.some(({ stuck }) => stuck);

/** A host whose step is noted: at once, because the host has run for less than a second, or by now. */
function isNoted(room: CliRoom, { child }: Hosting): boolean {
  const note = path.join(room.room, 'actors', 'spinning', 'step');
  const text = fs.existsSync(note) ? fs.readFileSync(note, 'utf8') : '';
  // Every step of the first second is noted, however short.
  return text.includes(`"pid":${child.pid},`) && text.includes('"cause":"GUARD ');
}

const CASES = [
  { what: 'a guard at the start', spin: 'start', cause: 'started', signal: 'SIGTERM' },
  { what: 'a guard of a timer', spin: 'timer', cause: 'timer after 10 ms', signal: 'SIGINT' },
  { what: 'an action', spin: 'action', cause: 'action spin', signal: 'SIGHUP' },
  { what: 'an activity', spin: 'activity', cause: 'activity work', signal: 'SIGTERM' },
  {
    what: 'a guard of a message',
    mail: 'GUARD',
    cause: expect.stringMatching(/^GUARD from bob \([0-9a-f]{8}\)$/),
    signal: 'SIGTERM',
  },
  { what: 'an assign', mail: 'ASSIGN', cause: expect.stringMatching(/^ASSIGN from bob /), signal: 'SIGINT' },
] as const;

test.each(CASES)(
  '$what that never returns is shown with its cause, and the first $signal ends its host',
  async ({ cause, signal, ...at }) => {
    using room = await createProject({ 'spinning.mjs': SPINNING });
    await using running = host(room, 'spin' in at ? at.spin : '');
    if ('mail' in at) {
      await eventually('it handles signals', () => handlesSignals(running.child.pid));
      await room.run(['send', 'spinning', at.mail, 'now'], { as: 'bob' });
    }
    const [found] = await listed(room, isStuck);
    expect(found).toMatchObject({ host: running.child.pid, stuck: { cause } });
    expect(Date.now() - Date.parse(found?.stuck?.since ?? '')).toBeGreaterThanOrEqual(2_000);
    const shown = await room.run(['workflows']);
    expect(shown.stdout).toMatch(/STUCK: in a step since \d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ, on /);
    expect(shown.stderr).toContain(`End the host: kill ${running.child.pid}\n`);
    expect(shown.stderr).toContain('mailroom stop spinning\n');
    running.child.kill(signal);
    const end = await running.ended;
    // Within the first second the signal itself ends the process; later the watchdog does.
    expect(end).toMatchObject({ code: null, signal: 'mail' in at ? 'SIGKILL' : signal });
    const told = 'mail' in at ? `ended by ${signal} within a step on ${at.mail} from bob` : '';
    expect(end.stderr).toContain(told);
    const [left] = (await room.json(['workflows'])) as Listed[];
    expect([left?.host, left?.stuck]).toEqual([undefined, undefined]);
  },
);

test('a message whose guard never returns becomes a dead letter after five attempts, and the mail behind it is taken', async () => {
  using room = await createProject({ 'spinning.mjs': SPINNING });
  let deaths = 0;
  let last: Awaited<Hosting['ended']> | undefined;
  for (; deaths < 10; deaths++) {
    await using running = host(room);
    if (deaths === 0) {
      await eventually('it handles signals', () => handlesSignals(running.child.pid));
      await room.run(['send', 'spinning', 'GUARD', 'now'], { as: 'alice' });
      await room.run(['send', 'spinning', 'GO', 'now'], { as: 'alice' });
    }
    let end: Awaited<Hosting['ended']> | undefined;
    void running.ended.then((ended) => (end = ended));
    await eventually('it is in the step, or over', () => end ?? isNoted(room, running));
    last = end;
    if (last) break;
    running.child.kill('SIGTERM');
    await running.ended;
  }
  expect(last).toMatchObject({ code: 0, stdout: '"survived"\n' });
  // The first death was in an ordinary pass, which counts nothing.
  expect(deaths).toBe(6);
  const [letter] = (await room.json(['dead', 'list', '--as', 'spinning'])) as { reason: string }[];
  expect(letter?.reason).toBe('attempts');
});

test('stop ends a workflow whose timer never returns, without that step', async () => {
  using room = await createProject({ 'spinning.mjs': SPINNING });
  await using running = host(room, 'timer');
  await listed(room, isStuck);
  const stop = await room.run(['stop', 'spinning']);
  expect([stop.code, stop.stderr]).toEqual([0, expect.stringContaining(`End the host: kill ${running.child.pid}\n`)]);
  running.child.kill('SIGTERM');
  await running.ended;
  await using next = host(room, 'timer');
  expect(await next.ended).toMatchObject({ code: 1, stderr: expect.stringContaining('it was stopped') });
  await using again = host(room);
  expect((await again.ended).stderr).toContain('--again');
});

test('other workflows of the same host are shown as held by the stuck one', async () => {
  using room = await createProject({ 'spinning.mjs': SPINNING });
  await using running = host(room, 'child');
  const found = await listed(room, isStuck);
  const kid = found.find(({ stuck }) => stuck);
  expect(kid).toMatchObject({ host: running.child.pid, stuck: { cause: 'timer after 10 ms' } });
  expect(found.find(({ address }) => address === 'spinning')).toMatchObject({ heldBy: kid?.address });
});

test('a long step is noted, the note disappears with the step, and then a signal is handled', async () => {
  using room = await createProject({ 'spinning.mjs': SPINNING });
  await using running = host(room);
  await eventually('it handles signals', () => handlesSignals(running.child.pid));
  await room.run(['send', 'spinning', 'SLOW', 'now'], { as: 'bob' });
  await listed(room, isStuck);
  await listed(room, (found) => !isStuck(found));
  await eventually('the note is gone', () => !fs.existsSync(path.join(room.room, 'actors', 'spinning', 'step')));
  running.child.kill('SIGTERM');
  const { code, stderr } = await running.ended;
  expect([code, stderr]).toEqual([143, expect.stringContaining('Interrupted; nothing is lost.')]);
});

/** Runs a command at a terminal of its own (util-linux). */
const SCRIPT = '/usr/bin/script';

test.skipIf(!fs.existsSync(SCRIPT))('Ctrl-C at a terminal ends it, too', async () => {
  using room = await createProject({ 'spinning.mjs': SPINNING });
  const terminal = spawn(SCRIPT, ['-qec', `'${path.join(room.bin, 'mailroom')}' run spinning.mjs`, '/dev/null'], {
    cwd: room.directory,
    env: { ...room.env },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const ended = new Promise((resolve) => terminal.on('close', resolve));
  try {
    const [{ host: pid }] = (await listed(room, ([one]) => one?.host !== undefined)) as [Listed];
    await eventually('it handles signals', () => handlesSignals(pid));
    await room.run(['send', 'spinning', 'GUARD', 'now'], { as: 'bob' });
    await listed(room, isStuck);
    terminal.stdin.write('\x03');
    await ended;
    const [left] = (await room.json(['workflows'])) as Listed[];
    expect([left?.host, left?.stuck]).toEqual([undefined, undefined]);
  } finally {
    terminal.kill('SIGKILL');
  }
});
