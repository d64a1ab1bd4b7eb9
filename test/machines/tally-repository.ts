import { execFile } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const PROJECTS = path.join(import.meta.dirname, '..', '..', 'fixtures', 'projects');
const PATCHES = path.join(PROJECTS, 'tally.patches');
const OUTPUT_BYTES_MAX = 16 * 1024 * 1024;

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The fixture project in a git repository of its own, under a temporary directory. */
export class TallyRepository implements Disposable {
  readonly #outer = fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-tally-'));
  readonly directory = path.join(this.#outer, 'tally');

  static async create(): Promise<TallyRepository> {
    const repository = new TallyRepository();
    fs.cpSync(path.join(PROJECTS, 'tally'), repository.directory, { recursive: true });
    await repository.git('init', '--quiet', '--initial-branch', 'main');
    await repository.commit('Start');
    return repository;
  }

  /** Throws if git fails. */
  async git(...args: string[]): Promise<string> {
    const ran = await this.#run('git', args);
    if (ran.code !== 0) throw new Error(`git ${args.join(' ')} ended with ${ran.code}: ${ran.stderr}${ran.stdout}`);
    return ran.stdout;
  }

  async commit(message: string): Promise<void> {
    await this.git('add', '--all');
    await this.git('commit', '--quiet', '--message', message);
  }

  /** Creates a branch with a patch, from another branch. Throws if the patch does not apply. */
  async branch(name: string, { from, patch = name }: { from: string; patch?: string }): Promise<void> {
    await this.git('checkout', '--quiet', '-B', name, from);
    await this.git('apply', '--index', path.join(PATCHES, `${patch}.patch`));
    await this.git('commit', '--quiet', '--message', patch);
  }

  /** Merges branches into a new one; resolves with the conflicting files, which are left as they are. */
  async merge(name: string, { from, branches }: { from: string; branches: readonly string[] }): Promise<string[]> {
    await this.git('checkout', '--quiet', '-B', name, from);
    for (const branch of branches) {
      const { code } = await this.#run('git', ['merge', '--quiet', '--no-ff', '--message', `Merge ${branch}`, branch]);
      if (code !== 0) return (await this.git('diff', '--name-only', '--diff-filter=U')).trim().split('\n');
    }
    return [];
  }

  /** Takes the resolved file and completes the merge. */
  async resolve(file: string): Promise<void> {
    fs.copyFileSync(path.join(PATCHES, 'resolved', file), path.join(this.directory, file));
    await this.commit('Merge');
  }

  /** The counts of the test runner for `npm run <script>` or `node --test <file>` on a branch. */
  async tests(
    branch: string,
    what: { script: string } | { file: string },
  ): Promise<{ code: number; pass: number; fail: number; output: string }> {
    await this.git('checkout', '--quiet', branch);
    const { code, stdout } =
      'script' in what
        ? await this.#run('npm', ['run', '--silent', what.script])
        : await this.#run(process.execPath, ['--test', what.file]);
    const count = (name: string): number => Number(new RegExp(`^\\S+ ${name} (\\d+)$`, 'm').exec(stdout)?.[1]);
    return { code, pass: count('pass'), fail: count('fail'), output: stdout };
  }

  [Symbol.dispose](): void {
    fs.rmSync(this.#outer, { recursive: true, force: true });
  }

  #run(file: string, args: readonly string[]): Promise<Ran> {
    const identity = {
      GIT_AUTHOR_NAME: 'a',
      GIT_AUTHOR_EMAIL: 'a@b',
      GIT_COMMITTER_NAME: 'a',
      GIT_COMMITTER_EMAIL: 'a@b',
    };
    // Independent of this process's environment and the user's git configuration.
    const env = {
      PATH: `${path.dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
      HOME: this.#outer,
      GIT_CONFIG_NOSYSTEM: '1',
      ...identity,
    };
    return new Promise((resolve, reject) => {
      execFile(file, args, { cwd: this.directory, env, maxBuffer: OUTPUT_BYTES_MAX }, (error, stdout, stderr) => {
        if (error && typeof error.code !== 'number') reject(new Error(`${file} could not be run`, { cause: error }));
        else resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
      });
    });
  }
}

/** The text of the plan. */
export function tallyPlan(): string {
  return fs.readFileSync(path.join(PROJECTS, 'tally.plan.json'), 'utf8');
}

/** The files that a patch touches. */
export function filesIn(patch: string): string[] {
  const text = fs.readFileSync(path.join(PATCHES, `${patch}.patch`), 'utf8');
  return [...text.matchAll(/^diff --git a\/\S+ b\/(\S+)$/gm)].map(([, file = '']) => file);
}
