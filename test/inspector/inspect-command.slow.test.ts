import { build } from 'esbuild';
import { spawn, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { inspect } from '../../src/cli/commands/inspect.ts';
import { exitCodeOf } from '../../src/cli/exit-code.ts';
import { until } from '../hostile/until.ts';
import { lateView, receive } from './receiving.ts';
import { runInProcess } from './run-in-process.ts';
import { SECRET } from './ship-machine.ts';
import { createShippedRoom, type ShippedRoom } from './shipped-room.ts';
import type { WireEvent } from '../../src/inspector/wire.ts';

const ROOT = path.dirname(path.dirname(import.meta.dirname));
const PROGRAMS = ['inspect-command.ts', 'close-and-end.ts'] as const;

let shipped: ShippedRoom;
let programs: string;
beforeAll(async () => {
  programs = fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-inspect-programs-'));
  const building = build({
    entryPoints: PROGRAMS.map((name) => path.join(ROOT, 'fixtures', 'inspect', name)),
    outdir: programs,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    logLevel: 'error',
  });
  fs.writeFileSync(path.join(programs, 'package.json'), '{"type":"module"}');
  fs.symlinkSync(path.join(ROOT, 'node_modules'), path.join(programs, 'node_modules'));
  shipped = await createShippedRoom();
  await Promise.all([shipped.ship(), building]);
});
afterAll(async () => {
  fs.rmSync(programs, { recursive: true, force: true });
  await shipped[Symbol.asyncDispose]();
});

const started = new Set<ChildProcess>();
afterEach(() => {
  for (const child of started) child.kill('SIGKILL');
  started.clear();
});

interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  stdout(): string;
  stderr(): string;
}

function start(program: (typeof PROGRAMS)[number], ...args: string[]): Running {
  return startIn({}, program, args);
}

function startIn(env: NodeJS.ProcessEnv, program: (typeof PROGRAMS)[number], args: readonly string[]): Running {
  const file = path.join(programs, program.replace('.ts', '.js'));
  const child = spawn(process.execPath, [file, ...args], {
    cwd: ROOT,
    env: { ...process.env, MAILROOM_DIR: path.join(shipped.directory, '.mailroom'), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.add(child);
  const texts = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (texts.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (texts.stderr += text));
  const ended = new Promise<number | null>((resolve) => {
    child.on('close', (code) => {
      started.delete(child);
      resolve(code);
    });
  });
  return { child, ended, stdout: () => texts.stdout, stderr: () => texts.stderr };
}

const eventsIn = (text: string): WireEvent[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as WireEvent);

async function urlOf(running: Running): Promise<string> {
  await until('it says where', () => running.stdout().includes('\n'));
  return running.stdout().trim();
}

describe('mailroom inspect', () => {
  it('prints the past as JSON lines, which --replay shows again; Ctrl-C ends it with 130', async () => {
    const printing = start('inspect-command.ts', 'inspect', '--jsonl');
    const code = await printing.ended;
    expect([code, printing.stderr()]).toEqual([0, '']);
    const events = eventsIn(printing.stdout());
    expect(events.length).toBeGreaterThan(20);
    expect(printing.stdout()).not.toContain(SECRET);

    const file = path.join(shipped.directory, 'inspect.jsonl');
    fs.writeFileSync(file, printing.stdout());
    const showing = start('inspect-command.ts', 'inspect', '--replay', file);
    const live = start('inspect-command.ts', 'inspect', 'ship', '--json');
    const expected = lateView(events);
    const viewer = receive(await urlOf(showing));
    expect(await viewer.count(expected.length)).toEqual(expected);

    const { url } = JSON.parse(await urlOf(live)) as { url: string };
    // A viewer that connects while the past is still being read gets each actor as often as it changed.
    const watching = receive(url);
    await until('everything comes', () => lateView(watching.events).length >= expected.length);
    expect(lateView(watching.events)).toHaveLength(expected.length);
    for (const { child, ended } of [showing, live]) {
      child.kill('SIGINT');
      expect(await ended).toBe(130);
    }
    console.log(`${events.length} lines printed, ${expected.length} events replayed`);
  });

  it('continues with --jsonl --follow, and ends with 130', async () => {
    const following = start('inspect-command.ts', 'inspect', '--jsonl', '--follow');
    await until('the past is printed', () => following.stdout().includes('"value":"done"'));
    await shipped.ship({ address: 'again' });
    const isDone = (one: WireEvent): boolean =>
      one.type === '@xstate.snapshot' && one.sessionId === 'again' && one.snapshot.status === 'done';
    await until('prints what is new', () => /"sessionId":"again"[^\n]*\n$/.test(following.stdout()));
    await until('its end is printed', () => eventsIn(following.stdout().replace(/[^\n]*$/, '')).some(isDone));
    following.child.kill('SIGINT');
    expect(await following.ended).toBe(130);
  });

  it('opens its page through a file that only the user can read, with the token on no command line', async () => {
    const bin = path.join(shipped.directory, 'bin');
    const seen = path.join(bin, 'seen');
    fs.mkdirSync(bin);
    const opener = `#!/bin/sh\n{ echo "$@"; ls -l "$1"; cat "$1"; } > '${seen}.new' && mv '${seen}.new' '${seen}'\n`;
    for (const name of ['xdg-open', 'open']) fs.writeFileSync(path.join(bin, name), opener, { mode: 0o755 });
    const live = startIn({ PATH: `${bin}:${process.env['PATH']}` }, 'inspect-command.ts', ['inspect', '--open']);
    const url = await urlOf(live);
    await until('the browser is started', () => fs.existsSync(seen));
    const [words = '', facts = '', ...page] = fs.readFileSync(seen, 'utf8').split('\n');
    expect(words).toMatch(/^\/\S+\.html$/);
    expect(facts).toMatch(/^-rw------- /);
    expect(page.join('\n')).toContain(`<meta http-equiv="refresh" content="0; url=${url}">`);
    live.child.kill('SIGINT');
    expect([await live.ended, fs.existsSync(words)]).toEqual([130, false]);
  });

  it('refuses meaningless options, and an address at which nothing was ever run', async () => {
    const cases: [string[], number, string][] = [
      [['shop'], 3, 'No workflow was ever run as shop in this room'],
      [['--follow'], 2, '--follow requires --jsonl'],
      [['--jsonl', '--port', '80'], 2, '--jsonl serves no page'],
      [['--jsonl', '--open'], 2, '--jsonl serves no page'],
      [['--replay', 'a', '--machine', 'b'], 2, '--replay shows what is in the file'],
      [['--port', '70000'], 2, 'expected a whole number from 1 to 65535'],
      [['--viewer', 'javascript:alert(1)'], 2, 'expected the URL of a page'],
      [['--replay', path.join(ROOT, 'package.json')], 2, 'is not an event of the inspector'],
    ];
    for (const [words, code, text] of cases) {
      const { error } = await runInProcess(inspect, words, shipped);
      expect([exitCodeOf(error), String(error)]).toEqual([code, expect.stringContaining(text)]);
    }
  });
});

describe('a process with a closed inspector', () => {
  it('ends by itself', async () => {
    const running = start('close-and-end.ts', shipped.directory);
    await until('it has closed', () => running.stdout().includes('closed') || running.child.exitCode !== null);
    const closedAt = performance.now();
    expect([await running.ended, running.stderr()]).toEqual([0, '']);
    console.log(`ended ${Math.round(performance.now() - closedAt)} ms after it was closed`);
    expect(performance.now() - closedAt).toBeLessThan(5_000);
  });
});
