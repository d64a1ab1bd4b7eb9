import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { vi } from 'vitest';
import { git } from '../../machines/autonomous-dev/git.ts';

const FIXTURES = path.join(import.meta.dirname, '..', '..', 'fixtures', 'gh');

/** A pull request as the fake `gh` stores it. */
export interface Pull {
  readonly url: string;
  readonly state: string;
  readonly headRefName: string;
  readonly baseRefName: string;
  readonly isCrossRepository: boolean;
  readonly title: string;
  readonly body: string;
  /** The remote that it is opened on. */
  readonly remote: string;
}

/** A user's repository, bare repositories as its remotes, and a fake `gh` on the PATH of this process. */
export class GitWithGh implements Disposable {
  readonly outer = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-gh-')));
  readonly directory = path.join(this.outer, 'shop');
  readonly #home = path.join(this.outer, 'gh');

  constructor() {
    const bin = path.join(this.outer, 'bin');
    for (const one of [bin, this.#home, this.directory]) fs.mkdirSync(one);
    fs.symlinkSync(path.join(FIXTURES, 'fake-gh.mjs'), path.join(bin, 'gh'));
    vi.stubEnv('PATH', `${bin}:${process.env['PATH'] ?? ''}`);
    vi.stubEnv('FAKE_GH_HOME', this.#home);
  }

  /** The first commit, on `main`. */
  async begin(): Promise<void> {
    await this.git('init', '--quiet', '--initial-branch=main');
    fs.writeFileSync(path.join(this.directory, 'package.json'), '{"scripts":{"test":"node --test"}}\n');
    await this.git('add', '--all');
    await this.git('commit', '--quiet', '--message', 'Start');
  }

  async git(...args: readonly string[]): Promise<string> {
    return git(args, { directory: this.directory });
  }

  /** Adds a bare repository as a remote, with the user's branch as the upstream of that branch. */
  async follow(remote: string, branch: string): Promise<string> {
    const directory = path.join(this.outer, `${remote.replaceAll('/', '-')}.git`);
    await git(['init', '--quiet', '--bare', directory], { directory: this.outer });
    await this.git('remote', 'add', remote, directory);
    await this.git('push', '--quiet', '--set-upstream', remote, `HEAD:refs/heads/${branch}`);
    return directory;
  }

  /** Makes `gh` fail in this way from now on. */
  set trouble(name: string) {
    fs.writeFileSync(path.join(this.#home, 'trouble'), name);
  }

  get pulls(): Pull[] {
    return JSON.parse(this.#read('pulls.json') ?? '[]') as Pull[];
  }

  set pulls(all: readonly Partial<Pull>[]) {
    fs.writeFileSync(path.join(this.#home, 'pulls.json'), JSON.stringify(all));
  }

  /** The calls of `gh`, in order. */
  get calls(): { readonly words: readonly string[]; readonly cwd: string; readonly prompt: string }[] {
    const lines = (this.#read('calls.jsonl') ?? '').split('\n').filter(Boolean);
    return lines.map((line) => JSON.parse(line) as GitWithGh['calls'][number]);
  }

  /** Everything of the user's that must not change. */
  async users(): Promise<object> {
    return {
      head: fs.readFileSync(path.join(this.directory, '.git', 'HEAD'), 'utf8'),
      config: fs.readFileSync(path.join(this.directory, '.git', 'config'), 'utf8'),
      status: await this.git('status', '--porcelain'),
      main: await this.git('rev-parse', 'main'),
    };
  }

  [Symbol.dispose](): void {
    vi.unstubAllEnvs();
    fs.rmSync(this.outer, { recursive: true, force: true });
  }

  #read(name: string): string | undefined {
    const file = path.join(this.#home, name);
    return fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : undefined;
  }
}
