import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** An empty repository with one commit, of a user whose configuration changes all that git does with messages. */
export class ScratchRepository implements Disposable {
  readonly directory = fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-text-'));

  constructor() {
    this.git(['init', '--quiet', '--initial-branch=main']);
    this.git(['config', 'commit.cleanup', 'scissors']);
    this.git(['config', 'core.commentChar', 'M']);
    this.commit('Start');
  }

  /** Makes an empty commit as the team does, and returns the message as git stored it. */
  commit(message: string): string {
    this.git(['commit', '--quiet', '--allow-empty', '--cleanup=whitespace', '--message', message]);
    return this.git(['log', '-1', '--format=%B']).trimEnd();
  }

  git(args: readonly string[], input = ''): string {
    const identity = { NAME: 'Ada', EMAIL: 'ada@localhost' };
    const env = Object.fromEntries(
      ['AUTHOR', 'COMMITTER'].flatMap((who) =>
        Object.entries(identity).map(([field, value]) => [`GIT_${who}_${field}`, value]),
      ),
    );
    return execFileSync('git', args, {
      cwd: this.directory,
      encoding: 'utf8',
      input,
      env: { PATH: process.env['PATH'], HOME: this.directory, GIT_CONFIG_NOSYSTEM: '1', ...env },
    });
  }

  [Symbol.dispose](): void {
    fs.rmSync(this.directory, { recursive: true, force: true });
  }
}
