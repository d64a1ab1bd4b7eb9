import fs from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { HOSTILE_MARKUP } from '../../fixtures/zoo/hostile-text.ts';
import { commitAll, headOf, inCheckout, lookBefore, newRepositories } from '../../machines/member/checkout.ts';
import type { MemberTerms } from '../../machines/member/terms.ts';
import { commitMessage } from '../../machines/shared/commit-message.ts';
import { TeamRun } from './team-run.ts';

const signal = new AbortController().signal;

function termsOf({ outer, repository }: TeamRun): { terms: MemberTerms } {
  const terms = {
    address: 'alice',
    directory: outer,
    repository,
    testCommand: 'npm test',
    setup: undefined,
    testMinutes: 15,
    setupMinutes: 15,
    mind: ['x'],
  };
  return { terms };
}

it('commits the changes under the name of the member, and no earlier untracked file', async () => {
  await using run = new TeamRun();
  const checkout = inCheckout(termsOf(run), run.repository, signal);
  const write = (file: string, text: string): void => {
    fs.mkdirSync(path.dirname(path.join(run.repository, file)), { recursive: true });
    fs.writeFileSync(path.join(run.repository, file), text);
  };
  write('node_modules/left-pad/index.js', 'installed');
  write('*.tmp', 'its name is a pattern');
  const before = await lookBefore(checkout);
  await commitAll(checkout, before, 'Nothing');
  expect(await headOf(checkout)).toBe(before.head);
  write('node_modules/left-pad/index.js', 'changed');
  write('src/two.mjs', 'new');
  write('other.tmp', 'new');
  fs.rmSync(path.join(run.repository, 'test/one.test.mjs'));
  await commitAll(checkout, before, 'Two');
  expect(run.git('show', '--format=%an: %s', '--name-status', 'HEAD').split('\n')).toEqual([
    'alice: Two',
    '',
    'A\tother.tmp',
    'A\tsrc/two.mjs',
    'D\ttest/one.test.mjs',
  ]);
});

it('refuses to commit a repository created in the checkout, and names it', async () => {
  await using run = new TeamRun();
  const checkout = inCheckout(termsOf(run), run.repository, signal);
  const make = (name: string): void => {
    const directory = path.join(run.repository, name);
    fs.mkdirSync(directory, { recursive: true });
    run.git('-C', directory, 'init', '--quiet');
    fs.writeFileSync(path.join(directory, 'lost.txt'), 'lost');
  };
  // A repository from before, such as one that the set-up creates, is nobody's work.
  make('tools/linter');
  const before = await lookBefore(checkout);
  expect(await newRepositories(checkout, before)).toEqual([]);
  for (const name of ['new/größe', 'other']) make(name);
  expect(await newRepositories(checkout, before)).toEqual(['new/größe', 'other']);
  await expect(commitAll(checkout, before, 'Two')).rejects.toThrow(
    '"new/größe", "other" are git repositories of their own inside the checkout, so their files would be missing',
  );
  for (const name of ['new/größe', 'other']) fs.rmSync(path.join(run.repository, name, '.git'), { recursive: true });
  await commitAll(checkout, before, 'Two');
  expect(run.git('-c', 'core.quotePath=false', 'show', '--format=', '--name-only', 'HEAD').split('\n')).toEqual([
    'new/größe/lost.txt',
    'other/lost.txt',
  ]);
});

it('works only in directories below the run', async () => {
  await using run = new TeamRun();
  fs.symlinkSync('/', path.join(run.outer, 'root'));
  for (const directory of ['/', run.outer, path.join(run.outer, 'root')])
    expect(() => inCheckout(termsOf(run), directory, signal)).toThrow('is no checkout of this run');
});

it('commits with a message in which no text of a model acts', async () => {
  await using run = new TeamRun();
  const checkout = inCheckout(termsOf(run), run.repository, signal);
  run.git('config', 'commit.cleanup', 'strip');
  for (const [what, text] of Object.entries(HOSTILE_MARKUP)) {
    const before = await lookBefore(checkout);
    fs.writeFileSync(path.join(run.repository, 'two.txt'), what);
    await commitAll(checkout, before, text);
    expect(run.git('log', '-1', '--format=%B').trim(), what).toBe(commitMessage(text));
  }
});
