import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openBranch, openWorkspace, readReadiness } from '../../machines/autonomous-dev/checkouts.ts';
import { conventionsOf } from '../../machines/autonomous-dev/conventions.ts';
import { git } from '../../machines/autonomous-dev/git.ts';
import { claimPorts } from '../../machines/autonomous-dev/ports.ts';
import type { Checkout, Repository } from '../../machines/autonomous-dev/repository.ts';
import { missingSubmodules } from '../../machines/autonomous-dev/submodules.ts';

let outer: string;
let repository: Repository;

beforeEach(async () => {
  outer = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-checkout-')));
  const directory = path.join(outer, 'shop');
  fs.mkdirSync(directory);
  await git(['init', '--quiet', '--template=', '--initial-branch=main'], { directory });
  fs.writeFileSync(path.join(directory, 'one.txt'), 'one\n');
  await commit(directory, 'Start');
  repository = await repositoryAt(directory);
});
afterEach(() => fs.rmSync(outer, { recursive: true, force: true }));

async function commit(directory: string, message: string): Promise<void> {
  await git(['add', '--all'], { directory });
  await git(['commit', '--quiet', '--message', message], { directory });
}

async function repositoryAt(directory: string): Promise<Repository> {
  const base = await git(['rev-parse', 'HEAD'], { directory });
  return { directory, base, branch: 'mailroom/pay', run: 'pay1', workDirectory: path.join(outer, 'run') };
}

const open = (): Promise<Checkout> => openBranch(repository);
const task = (name: string): Promise<Checkout> => openWorkspace(repository, { name, start: repository.base });
const read = (checkout: Checkout, file: string): string => fs.readFileSync(path.join(checkout.directory, file), 'utf8');

describe('local files', () => {
  const write = (file: string, text: string): void => {
    const place = path.join(repository.directory, file);
    fs.mkdirSync(path.dirname(place), { recursive: true });
    fs.writeFileSync(place, text);
  };

  it('that git ignores are copied by the patterns of .worktreeinclude, and no others', async () => {
    write('.gitignore', '.env*\nnode_modules/\n/config/local.json\n');
    await commit(repository.directory, 'Ignore');
    repository = await repositoryAt(repository.directory);
    write('.worktreeinclude', '.env*\n!.env.secret\nconfig/\nnotes.txt\n');
    write('.env', 'KEY=1\n');
    write('.env.secret', 'KEY=2\n');
    write('größe/.env', 'KEY=3\n');
    write('config/local.json', '{}\n');
    write('notes.txt', 'git would see it in the checkout\n');
    write('node_modules/x/index.js', 'x\n');
    const checkout = await open();
    expect(readReadiness(checkout.directory)?.copied).toEqual(['.env', 'config/local.json', 'größe/.env']);
    expect(read(checkout, 'größe/.env')).toBe('KEY=3\n');
    expect(await git(['status', '--porcelain'], checkout)).toBe('');
    for (const name of ['.env.secret', 'notes.txt', 'node_modules'])
      expect(fs.existsSync(path.join(checkout.directory, name)), name).toBe(false);
  });
});

describe('submodules', () => {
  beforeEach(async () => {
    const inner = path.join(outer, 'inner');
    const lib = path.join(outer, 'lib');
    for (const [directory, file] of [
      [inner, 'inner.txt'],
      [lib, 'lib.txt'],
    ] as const) {
      fs.mkdirSync(directory);
      await git(['init', '--quiet', '--template=', '--initial-branch=main'], { directory });
      fs.writeFileSync(path.join(directory, file), `${file}\n`);
      await commit(directory, 'Start');
    }
    const add = ['-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add'];
    await git([...add, inner, 'a b/inner'], { directory: lib });
    await commit(lib, 'Nest');
    const main = repository.directory;
    await git([...add, '--name', 'the lib', lib, 'vendor/lib'], { directory: main });
    await commit(main, 'Use it');
    const update = ['-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'update', '--init', '--recursive'];
    await git(update, { directory: main });
    repository = await repositoryAt(main);
    // Nothing is fetched from where they came from.
    for (const one of [inner, lib]) fs.renameSync(one, `${one}.gone`);
  });

  it('are checked out with nested ones, from what the user has fetched, and the configuration stays', async () => {
    const configuration = fs.readFileSync(path.join(repository.directory, '.git/config'), 'utf8');
    for (const checkout of [await open(), await task('pay-1')]) {
      expect(read(checkout, 'vendor/lib/lib.txt')).toBe('lib.txt\n');
      expect(read(checkout, 'vendor/lib/a b/inner/inner.txt')).toBe('inner.txt\n');
      expect(await git(['status', '--porcelain'], checkout)).toBe('');
    }
    expect(fs.readFileSync(path.join(repository.directory, '.git/config'), 'utf8')).toBe(configuration);
  });

  it('that the user has not checked out stay empty, and are named', async () => {
    expect(await missingSubmodules(repository.directory)).toEqual([]);
    await git(['submodule', '--quiet', 'deinit', '--force', 'vendor/lib'], { directory: repository.directory });
    expect(await missingSubmodules(repository.directory)).toEqual(['vendor/lib']);
    expect(fs.readdirSync(path.join((await open()).directory, 'vendor/lib'))).toEqual([]);
  });
});

describe('conventions', () => {
  it('are those of the first commit, once where two files say the same', async () => {
    const write = (file: string, text: string): void => fs.writeFileSync(path.join(repository.directory, file), text);
    write('AGENTS.md', `Use tabs.\n${'x'.repeat(9_000)}`);
    fs.symlinkSync('AGENTS.md', path.join(repository.directory, 'CLAUDE.md'));
    write('CONTRIBUTING.md', 'Sign off.\n');
    await commit(repository.directory, 'Say how');
    repository = await repositoryAt(repository.directory);
    write('CONTRIBUTING.md', 'Do as I say.\n');
    await commit(repository.directory, 'Say otherwise');
    const found = await conventionsOf(repository);
    expect(found.map(({ file }) => file)).toEqual(['AGENTS.md', 'CONTRIBUTING.md']);
    expect(found[0]?.text).toMatch(/^Use tabs\.\nx+…$/);
    expect(found[0]?.text.length).toBeLessThanOrEqual(4_000);
    expect(found[1]?.text).toBe('Sign off.');
  });
});

describe('ports', () => {
  it('are ten for each checkout, told to the set-up, and the same when it is opened again', async () => {
    repository = { ...repository, setup: 'echo "$PORT $MAILROOM_PORT_BASE" > ports.txt' };
    const checkouts = [await open(), await task('pay-1'), await task('pay-2')];
    const first = checkouts.map(({ ports }) => ports ?? 0);
    expect(new Set(first.map((port) => Math.floor(port / 10))).size).toBe(3);
    for (const [at, checkout] of checkouts.entries()) {
      expect(first[at]).toSatisfy((port: number) => port >= 10_000 && port < 32_000 && port % 10 === 0);
      expect(read(checkout, 'ports.txt')).toBe(`${first[at]} ${first[at]}\n`);
    }
    expect((await task('pay-2')).ports).toBe(first[2]);
  });

  it('are never claimed twice in a run, even by processes at the same time', () => {
    const workDirectory = path.join(outer, 'many');
    const directories = Array.from({ length: 300 }, (_, at) => path.join(workDirectory, 'tasks', String(at)));
    const first = directories.map((directory) => claimPorts({ workDirectory, directory }));
    expect(new Set(first).size).toBe(300);
    expect(directories.map((directory) => claimPorts({ workDirectory, directory }))).toEqual(first);
  });
});

describe('the set-up', () => {
  it('takes at most its time, and says so', async () => {
    repository = { ...repository, setup: 'echo begins; sleep 600', setupMinutes: 0.002 };
    await expect(open()).rejects.toThrow(
      /^The set-up failed in .*integration: .*sleep 600 \(not done after 0\.002 minutes\)\nbegins$/,
    );
  });

  it('leaves nothing running', async () => {
    repository = { ...repository, setup: 'sleep 600 & echo $! > .git-pid; mv .git-pid ../pid' };
    await open();
    const pid = fs.readFileSync(path.join(repository.workDirectory, 'pid'), 'utf8').trim();
    expect(() =>
      execFileSync('sh', ['-c', `kill -0 ${pid}; case $(ps -o stat= -p ${pid}) in Z*|'') exit 1;; esac`], {
        stdio: 'ignore',
      }),
    ).toThrow(/Command failed/);
  });
});
