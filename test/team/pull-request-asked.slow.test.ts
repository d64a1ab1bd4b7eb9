import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { LoopReport } from '../../machines/autonomous-dev/report.ts';
import { parseOptions } from '../../machines/team/command-line.ts';
import { NotStarted } from '../../machines/team/options.ts';
import { prepareRun, type Prepared } from '../../machines/team/prepare.ts';
import { progressText } from '../../machines/team/show.ts';
import { summaryText } from '../../machines/team/summary.ts';
import { GitWithGh } from './git-with-gh.ts';

let ground: GitWithGh;
beforeEach(async () => {
  ground = new GitWithGh();
  await ground.begin();
});
afterEach(() => ground[Symbol.dispose]());

const prepare = (...words: readonly string[]): Promise<Prepared> =>
  prepareRun(parseOptions(['--repo', ground.directory, '--feature', 'Pay', '--agents', "a='true',b='true'", ...words]));

/** The one line of the refusal; expects that nothing is changed. */
async function refused(...words: readonly string[]): Promise<string> {
  const before = [await ground.users(), fs.readdirSync(ground.outer)];
  const error = await prepare(...words).then(String, (fault: unknown) => fault);
  expect(error).toBeInstanceOf(NotStarted);
  expect([await ground.users(), fs.readdirSync(ground.outer)]).toEqual(before);
  expect((error as NotStarted).message).not.toContain('\n');
  return (error as NotStarted).message;
}

test('a missing requirement of a pull request is one clear line before anything starts', async () => {
  expect(await refused('--pull-request')).toMatch(
    /^The branch main has no upstream on a remote\. .*git branch --set-upstream-to/,
  );
  await ground.git('checkout', '--quiet', '-b', 'mine', '--track', 'main');
  expect(await refused('--pull-request')).toMatch(/^The branch mine has no upstream on a remote\./);
  await ground.follow('origin', 'main');
  for (const message of ['Mine', 'Mine too']) await ground.git('commit', '--quiet', '--allow-empty', '-m', message);
  expect(await refused('--pull-request')).toMatch(
    /^The branch mine has commits that origin\/main does not have \(2\), .* Push them \(git push\) and start again\.$/,
  );
  await ground.git('push', '--quiet', 'origin', 'HEAD:main');
  await ground.git('checkout', '--quiet', '--detach');
  expect(await refused('--pull-request')).toMatch(/is on no branch\. Check out/);
  ground.trouble = 'logged-out';
  expect(await refused('--pull-request')).toMatch(/gh is not logged in .* Run gh auth login and start again\.$/);
  const bin = path.join(ground.outer, 'git-only');
  fs.mkdirSync(bin);
  fs.symlinkSync(execFileSync('which', ['git'], { encoding: 'utf8' }).trim(), path.join(bin, 'git'));
  vi.stubEnv('PATH', bin);
  expect(await refused('--pull-request')).toMatch(/gh was not found on the PATH\. Install it/);
});

test('the plan names remote and branch of the pull request, also with slashes; without the option gh is not called', async () => {
  await ground.git('checkout', '--quiet', '-b', 'team/next');
  await ground.follow('my/fork', 'release/2.0');
  const { plan } = await prepare('--pull-request');
  expect(plan).toContain('opens       a pull request against release/2.0 on the remote my/fork, with gh\n');
  expect(ground.calls.map(({ words }) => words)).toEqual([['auth', 'status']]);
  expect((await prepare()).plan).not.toContain('opens');
  expect(ground.calls).toHaveLength(1);
});

test('a run that was started with --pull-request keeps it, and one without cannot get it later', async () => {
  await ground.follow('origin', 'main');
  const { run } = await (await prepare('--pull-request')).open();
  expect(run.input.pullRequest).toEqual({ remote: 'origin', base: 'main' });
  for (const words of [['--pull-request'], []]) {
    expect((await prepare(...words)).plan).toMatch(/^Would resume .*\n[^]*against main on the remote origin/);
  }
  await (await prepare('--new')).open();
  expect(await refused('--pull-request')).toMatch(/pay-2 was started without --pull-request\. .* --new\.$/);
});

test('the result is shown as it happens, and at the end with the next step', () => {
  const url = 'https://github.com/x/y/pull/7';
  const fault = 'git push failed (1): one\ntwo';
  expect(progressText({ type: 'pull-request-opened', url }, ' 1.0 s')).toBe(` 1.0 s  the pull request is open: ${url}`);
  expect(progressText({ type: 'pull-request-failed', fault }, ' 1.0 s')).toBe(
    ' 1.0 s  the pull request could not be opened:\n      git push failed (1): one\n      two',
  );
  const delivery = {
    branch: 'mailroom/pay',
    head: 'a'.repeat(40),
    commits: 1,
    diffStat: '',
    pullRequest: '/run/PR.md',
  };
  const textOf = (pullRequest: LoopReport['pullRequest']): string =>
    summaryText(
      {
        outcome: 'delivered',
        reason: '',
        feature: 'Pay',
        branch: 'mailroom/pay',
        base: 'b',
        findings: null,
        planSource: '',
        tasks: [],
        changes: [],
        tests: [],
        delivery,
        pullRequest,
      },
      {
        v: 1,
        name: 'pay',
        directory: '/run',
        agents: [],
        inTmux: false,
        input: {
          feature: 'Pay',
          repository: { directory: '/shop', base: 'b', branch: 'mailroom/pay', run: 'pay1', workDirectory: '/run' },
          testCommand: 'npm test',
          agents: ['a', 'b'],
        },
      },
    );
  expect(textOf(null)).not.toContain('The pull request');
  expect(textOf({ status: 'opened', url })).toContain(`/run/PR.md\nThe pull request: ${url}\n\nLook closer`);
  expect(textOf({ status: 'failed', fault, byHand: ['git push', 'gh pr create'] })).toContain(
    [
      'The pull request could not be opened:',
      '  git push failed (1): one',
      '  two',
      'The branch and the text exist. To open it by hand:',
      '  git push',
      '  gh pr create',
      '',
    ].join('\n'),
  );
});
