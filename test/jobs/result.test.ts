import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { nodeHost } from '../../src/host/node-host.ts';
import type { ProcessIdentity } from '../../src/host/processes.ts';
import { until } from '../processes/child.ts';
import { baseOf, pidsOf, rejectionOf, shell, useJobs } from './job-bench.ts';

const bench = useJobs();
const KIB = 1024;

describe('a job', () => {
  it('returns the exit code and both outputs, and leaves only private files', async () => {
    const directory = bench.directory();
    const result = await bench.run(directory, shell('echo out; echo err >&2; exit 3'));
    expect(result).toMatchObject({ exitCode: 3, signal: null, timedOut: false, stdout: 'out\n', stderr: 'err\n' });
    expect(result).toMatchObject({ stdoutTruncated: false, stderrTruncated: false });
    expect(result.durationMs).toBeLessThan(60_000);
    expect(pidsOf(directory)).toEqual([]);
    const files = fs.readdirSync(directory);
    expect(files.toSorted()).toEqual(
      ['1.exit.json', '1.process.json', '1.stderr', '1.stdout', 'spec.json', 'wrapper.stderr'].toSorted(),
    );
    const modes = [directory, ...files.map((name) => path.join(directory, name))].map((at) => fs.statSync(at).mode);
    expect(modes.filter((mode) => (mode & 0o077) !== 0)).toEqual([]);
  });

  it('returns the same result when asked again, and runs nothing', async () => {
    const directory = bench.directory();
    const first = await bench.run(directory, shell('echo $$'));
    expect(await bench.run(directory, shell('echo $$'))).toEqual(first);
  });

  it('returns the signal that ended the command', async () => {
    const result = await bench.run(bench.directory(), shell('kill -SEGV $$'));
    expect(result).toMatchObject({ exitCode: null, signal: 'SIGSEGV', timedOut: false });
  });

  it('has the environment of the host, its own, and an empty input', async () => {
    process.env['MAILROOM_TEST_INHERITED'] = 'inherited';
    const directory = bench.directory();
    const script = 'cat; echo "$MAILROOM_TEST_INHERITED $OWN $MAILROOM_EFFECT_ID"; pwd';
    const result = await bench.run(directory, { ...shell(script), env: { OWN: 'own' }, cwd: '/' });
    delete process.env['MAILROOM_TEST_INHERITED'];
    expect(result.stdout).toBe(`inherited own ${path.basename(directory)}\n/\n`);
  });

  // An exit published between the check for it and the check of the wrapper must not be missed.
  it('is not lost when its wrapper ends between two checks', async () => {
    const directory = bench.directory();
    const spec = shell('sleep 0.3; echo out');
    const first = bench.run(directory, spec);
    await until('it is claimed', () => fs.existsSync(`${directory}/1.process.json`));
    const isAlive = (wrapper: ProcessIdentity): boolean => {
      while (nodeHost.processes.isAlive(wrapper)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
      return false;
    };
    const host = { ...nodeHost, processes: { ...nodeHost.processes, isAlive } };
    expect(await bench.run(directory, spec, { onCrash: 'fail', host })).toEqual(await first);
  });

  it('outlives a command that signals its whole group', async () => {
    const result = await bench.run(bench.directory(), shell("trap 'echo caught; exit 4' TERM; kill 0; sleep 5"));
    expect(result).toMatchObject({ exitCode: 4, stdout: 'caught\n' });
  });

  it('ends processes that the command left, even in groups of their own', async () => {
    const directory = bench.directory();
    const left = "(trap '' TERM HUP; exec sleep 300) & timeout 300 sleep 300 & echo $!";
    const result = await bench.run(directory, shell(left));
    expect(result.exitCode).toBe(0);
    expect(pidsOf(directory)).toEqual([]);
    expect(nodeHost.processes.identify(Number(result.stdout))).toBeUndefined();
  });
});

describe('a command that cannot be started', () => {
  it.each([
    ['no such file', { file: 'mailroom-no-such-program', args: [] }, 'nor is it in PATH (ENOENT)'],
    [
      'no such working directory',
      { ...shell('true'), cwd: '/no/such/place' },
      'working directory /no/such/place is not a directory',
    ],
    ['a file that may not be run', { file: '/etc/passwd', args: [] }, 'EACCES'],
    ['no such file, though it had time', { file: '/no/such', args: [], timeoutMs: 3_600_000 }, 'no such file'],
  ])('says so: %s', async (_title, spec, text) => {
    const directory = bench.directory();
    const error = await rejectionOf(bench.run(directory, spec));
    expect(error).toMatchObject({ name: 'JobFailed', code: 'COMMAND_FAILED', reason: 'not-started' });
    expect(error.message).toContain(text);
    expect((await rejectionOf(bench.run(directory, spec))).message).toBe(error.message);
  });
});

describe('its output in the result', () => {
  it('is the end of a huge output, whose file stays whole', async () => {
    const directory = bench.directory();
    const result = await bench.run(
      directory,
      shell('head -c 3000000 /dev/zero | tr "\\0" x; echo end; echo short >&2'),
    );
    expect(result.stdout).toHaveLength(256 * KIB);
    expect(result.stdout.endsWith('xxend\n')).toBe(true);
    expect(result).toMatchObject({ stdoutTruncated: true, stderr: 'short\n', stderrTruncated: false });
    expect(fs.statSync(path.join(directory, '1.stdout')).size).toBe(3_000_004);
  });

  it('is cut between characters', async () => {
    const directory = bench.directory();
    const file = path.join(baseOf(directory), 'emoji');
    // 4 bytes each, and one byte more: the cut falls into a character.
    fs.writeFileSync(file, `${'😀'.repeat(70_000)}x`);
    const result = await bench.run(directory, { file: 'cat', args: [file] });
    expect(result.stdout).toBe(`${'😀'.repeat(64 * KIB - 1)}x`);
    expect(result.stdoutTruncated).toBe(true);
  });

  it('is text within the limit, even if it was not UTF-8', async () => {
    const result = await bench.run(bench.directory(), shell('head -c 300000 /dev/zero | tr "\\0" "\\377"; printf A'));
    expect(Buffer.byteLength(result.stdout)).toBeLessThanOrEqual(256 * KIB);
    expect(result.stdout).toMatch(/^\ufffd+A$/);
    expect(result.stdoutTruncated).toBe(true);
  });

  it('is not overwritten by a command that opens its output again', async () => {
    const result = await bench.run(bench.directory(), shell('echo one; echo two > /dev/stdout; echo three'));
    expect(result.stdout.endsWith('three\n')).toBe(true);
    expect(result.stdoutTruncated).toBe(false);
  });
});
