import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { shellWord } from '../../machines/shared/shell-word.ts';
import { openRoom } from '../../src/index.ts';
import { AS_BUILT } from './program.ts';

const ROOT = path.join(import.meta.dirname, '..', '..');
/** The deterministic model. */
export const MIND = path.join(ROOT, 'fixtures', 'agents', 'team-mind.mjs');

export interface MindRun {
  readonly as: string;
  readonly kind: string;
  /** Id of the question. */
  readonly id: string;
  readonly task: string;
  readonly cwd: string;
  /** Names of git's variables in its environment. */
  readonly git: readonly string[];
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A small repository of a user, and `npm start` on it in a process of its own. */
export class TeamRun implements AsyncDisposable {
  readonly outer = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-team-')));
  readonly repository = path.join(this.outer, 'numbers');
  readonly runs = path.join(this.outer, 'runs');
  readonly gate = path.join(this.outer, 'gate');
  readonly #log = path.join(this.outer, 'mind.log');
  readonly #started: ChildProcess[] = [];
  readonly #env: Readonly<Record<string, string>>;

  /**
   * `project`: the directory in `fixtures/projects` that the repository is a copy of. Default: a project that needs no set-up.
   * `begin` adds to its files before they are committed.
   */
  constructor({ project, begin }: { readonly project?: string; readonly begin?: (run: TeamRun) => void } = {}) {
    this.#env = {
      PATH: `${path.join(this.outer, 'bin')}:${path.dirname(process.execPath)}:/usr/bin:/bin`,
      HOME: this.outer,
      FAKE_GH_HOME: path.join(this.outer, 'gh'),
      TEAM_MIND_LOG: this.#log,
      NODE_EXTRA_CA_CERTS: '',
    };
    const files =
      project !== undefined
        ? {}
        : {
            'package.json': '{"name":"numbers","type":"module","scripts":{"test":"node --test"}}\n',
            'src/index.mjs': 'export const one = 1;\n',
            'test/one.test.mjs': [
              "import { test } from 'node:test';",
              "import assert from 'node:assert/strict';",
              "import { one } from '../src/index.mjs';",
              "test('one', () => assert.equal(one, 1));\n",
            ].join('\n'),
          };
    for (const [file, text] of Object.entries(files)) {
      fs.mkdirSync(path.dirname(path.join(this.repository, file)), { recursive: true });
      fs.writeFileSync(path.join(this.repository, file), text);
    }
    if (project !== undefined) {
      fs.cpSync(path.join(ROOT, 'fixtures/projects', project), this.repository, { recursive: true });
    }
    this.git('init', '--quiet', '--initial-branch=main');
    begin?.(this);
    this.git('add', '--all');
    this.git(
      '-c',
      'user.name=User',
      '-c',
      'user.email=user@localhost',
      'commit',
      '--quiet',
      '--message',
      'The numbers',
    );
  }

  git(...args: readonly string[]): string {
    return execFileSync('git', args, { cwd: this.repository, env: this.#env, encoding: 'utf8' }).trim();
  }

  /** Adds a bare repository as the upstream of `main`, and a fake `gh` with this fault; returns their directories. */
  addRemote(trouble: string): { readonly remote: string; readonly gh: string } {
    const [remote, gh] = [path.join(this.outer, 'origin.git'), path.join(this.outer, 'gh')];
    for (const one of [path.join(this.outer, 'bin'), gh]) fs.mkdirSync(one);
    fs.symlinkSync(path.join(ROOT, 'fixtures', 'gh', 'fake-gh.mjs'), path.join(this.outer, 'bin', 'gh'));
    fs.writeFileSync(path.join(gh, 'trouble'), trouble);
    this.git('init', '--quiet', '--bare', remote);
    this.git('remote', 'add', 'origin', remote);
    this.git('push', '--quiet', '--set-upstream', 'origin', 'main');
    return { remote, gh };
  }

  /** Everything of the user's in the repository; none of it may change. */
  users(): object {
    const refs = this.git('for-each-ref', '--format=%(refname) %(objectname)').split('\n');
    return {
      head: this.git('rev-parse', 'HEAD'),
      branch: this.git('symbolic-ref', 'HEAD'),
      status: this.git('status', '--porcelain', '--ignored'),
      refs: refs.filter((line) => !/^refs\/(?:heads\/)?mailroom\//.test(line)),
      config: fs.readFileSync(path.join(this.repository, '.git', 'config'), 'utf8'),
      stash: this.git('stash', 'list'),
    };
  }

  /** Starts a run on the repository with the feature `Numbers`. */
  start(
    agents: string,
    { words = [], isGated = false }: { words?: readonly string[]; isGated?: boolean } = {},
  ): Promise<Ended> {
    const args = ['--repo', this.repository, '--feature', 'Numbers', '--runs', this.runs, '--agents', agents, ...words];
    const child = spawn(process.execPath, [...AS_BUILT, ...args], {
      cwd: ROOT,
      env: { ...this.#env, ...(isGated ? { TEAM_MIND_GATE: this.gate } : {}) },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return this.#ended(child);
  }

  #ended(child: ChildProcess): Promise<Ended> {
    this.#started.push(child);
    let [stdout, stderr] = ['', ''];
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    return new Promise((resolve) => {
      child.on('close', (code) => resolve({ code, stdout, stderr }));
    });
  }

  /** `mailroom team` in the repository, as it is installed. */
  team(...words: readonly string[]): Promise<Ended> & { readonly said: () => string } {
    const child = spawn(process.execPath, [path.join(ROOT, 'dist/cli/mailroom.cjs'), 'team', ...words], {
      cwd: this.repository,
      env: this.#env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (said += text));
    return Object.assign(this.#ended(child), { said: () => said });
  }

  /** The same from the `post-commit` hook of a linked worktree, which adds `env`. Starts when `begin` is called. */
  startFromHook(
    agents: string,
    { words, env }: { words: readonly string[]; env: Readonly<Record<string, string>> },
  ): { readonly linked: string; readonly reached: () => boolean; readonly begin: () => void; ended: Promise<Ended> } {
    const linked = path.join(this.outer, 'linked');
    this.git('worktree', 'add', '--quiet', '-b', 'linked', linked);
    const line = [process.execPath, ...AS_BUILT, '--repo', linked, '--feature', 'Numbers'];
    const all = [...line, '--runs', this.runs, '--agents', agents, ...words].map((word) => shellWord(word)).join(' ');
    const hook = [
      '#!/bin/sh',
      ...Object.entries(env).map(([name, value]) => `export ${name}=${shellWord(value)}`),
      `touch ${this.gate}.hook`,
      `until test -e ${this.gate}.begin; do sleep 0.05; done`,
      all,
    ];
    fs.writeFileSync(path.join(this.repository, '.git', 'hooks', 'post-commit'), `${hook.join('\n')}\n`, {
      mode: 0o755,
    });
    const user = ['-c', 'user.name=User', '-c', 'user.email=user@localhost'];
    const child = spawn('git', [...user, 'commit', '--quiet', '--allow-empty', '--message', 'Begin'], {
      cwd: linked,
      env: { ...this.#env, TEAM_MIND_MESS: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return {
      linked,
      reached: () => fs.existsSync(`${this.gate}.hook`),
      begin: () => fs.writeFileSync(`${this.gate}.begin`, ''),
      ended: this.#ended(child),
    };
  }

  /** Interrupts the run as Ctrl-C does. */
  interrupt(): void {
    this.#started.at(-1)?.kill('SIGINT');
  }

  /** Kills one host process alone. Default: the last one started. */
  kill(which = -1): void {
    this.#started.at(which)?.kill('SIGKILL');
  }

  /** Every run of the model, in order. */
  mindRuns(): MindRun[] {
    if (!fs.existsSync(this.#log)) return [];
    const lines = fs.readFileSync(this.#log, 'utf8').split('\n').filter(Boolean);
    return lines.map((line) => JSON.parse(line) as MindRun);
  }

  /** The process of a member or a mind; undefined if it is not alive. */
  async pidOf(address: string): Promise<number | undefined> {
    await using room = await openRoom({ directory: path.join(this.runs, 'numbers-1', '.mailroom') });
    const found = room.actors().find(({ card, live }) => card.address === address && live);
    return found?.card.process.pid;
  }

  /** The live actors among all that ever joined. */
  async alive(): Promise<string[]> {
    await using room = await openRoom({ directory: path.join(this.runs, 'numbers-1', '.mailroom') });
    return room.actors().flatMap(({ card, live }) => (live ? [card.address] : []));
  }

  /** Runs the tests of a branch in a copy; resolves with their output. Throws if they fail. */
  testsOf(branch: string): string {
    const copy = path.join(this.outer, 'copy');
    execFileSync('git', ['clone', '--quiet', '--branch', branch, this.repository, copy], { env: this.#env });
    return execFileSync('npm', ['test', '--silent'], { cwd: copy, env: this.#env, encoding: 'utf8' });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#started) child.kill('SIGKILL');
    if (fs.existsSync(path.join(this.runs, 'numbers-1', '.mailroom'))) {
      for (const address of ['alice', 'bob', 'alice.mind', 'bob.mind']) {
        const pid = await this.pidOf(address);
        try {
          if (pid !== undefined) process.kill(pid, 'SIGKILL');
        } catch {
          // The process has ended meanwhile.
        }
      }
    }
    fs.rmSync(this.outer, { recursive: true, force: true, maxRetries: 10 });
  }
}
