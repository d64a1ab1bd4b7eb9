import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { git } from '../../machines/autonomous-dev/git.ts';
import { changeText, showChange } from '../../machines/member/shown-change.ts';

let directory: string;
beforeEach(() => void (directory = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-shown-')))));
afterEach(() => fs.rmSync(directory, { recursive: true, force: true }));

async function commitFiles(files: Readonly<Record<string, string>>, message: string): Promise<string> {
  for (const [file, text] of Object.entries(files)) fs.writeFileSync(path.join(directory, file), text);
  await git(['add', '--all'], { directory });
  await git(['commit', '--quiet', '--message', message], { directory, author: 'ben' });
  return git(['rev-parse', 'HEAD'], { directory });
}

const long = (word: string): string => `${word} of a long file\n`.repeat(3_000);

test('every file of the range is shown completely, or named with a command that shows it', async () => {
  await git(['init', '--quiet', '--template='], { directory });
  const base = await commitFiles({ 'old.txt': 'old\n'.repeat(50), '.gitattributes': 'marked.txt binary\n' }, 'Start');
  fs.renameSync(path.join(directory, 'old.txt'), path.join(directory, 'renamed.txt'));
  await commitFiles({ 'a long one.txt': long('first'), "it's.txt": long('second') }, 'The long ones');
  const files = { 'marked.txt': 'called binary\n', 'bytes.bin': 'bytes\0', ':(top)small.txt': 'small\n' };
  const commit = await commitFiles(files, 'The others');
  const shown = await showChange({ base, commit }, { directory });
  expect(shown.commits).toMatchObject([
    expect.stringMatching(/^[0-9a-f]+ ben: The others$/),
    expect.stringMatching(/^[0-9a-f]+ ben: The long ones$/),
  ]);
  expect(shown.summary).toMatch(/^6 files changed, 6001 insertions\(\+\)/);
  expect(shown.diff.length).toBeLessThan(40_000);
  expect([...shown.diff.matchAll(/^diff --git (.*)$/gm)].map(([, names]) => names)).toEqual([
    'a/:(top)small.txt b/:(top)small.txt',
    'a/old.txt b/renamed.txt',
  ]);

  const { shown: text, more } = changeText(shown);
  expect(text).toContain(' ben: The long ones\n');
  expect(more[0]).toMatch(/^4 of the changed files are not shown above/);
  const commands = more.filter((line) => line.startsWith('  git '));
  const printed = commands.map((line) => execFileSync('sh', ['-c', line], { cwd: directory, encoding: 'utf8' }));
  expect(
    printed.map((diff) => diff.split('\n').find((line) => line.startsWith('+') && !line.startsWith('+++'))),
  ).toEqual(['+first of a long file', '+bytes\0', '+second of a long file', '+called binary']);
  expect(printed.map((diff) => diff.split('\n', 1)[0])).toEqual([
    'diff --git a/a long one.txt b/a long one.txt',
    'diff --git a/bytes.bin b/bytes.bin',
    "diff --git a/it's.txt b/it's.txt",
    'diff --git a/marked.txt b/marked.txt',
  ]);
});

test('merged commits of an author are in the range, one by one, though the files are unchanged', async () => {
  await git(['init', '--quiet', '--template=', '--initial-branch=main'], { directory });
  const base = await commitFiles({ 'a.txt': 'a\n' }, 'Start');
  await git(['checkout', '--quiet', '-b', 'rejected'], { directory });
  await commitFiles({ 'secret.txt': 'secret\n' }, 'Rejected');
  await git(['checkout', '--quiet', 'main'], { directory });
  await git(['merge', '--quiet', '--no-ff', '--strategy=ours', '--message', 'Merge', 'rejected'], { directory });
  const commit = await commitFiles({ 'a.txt': 'b\n' }, 'Mine');
  const { commits, leftOut } = await showChange({ base, commit }, { directory });
  expect(commits.map((line) => line.replace(/^\S+ /, ''))).toEqual(['ben: Mine', 'Mailroom: Merge', 'ben: Rejected']);
  expect(leftOut).toEqual([]);
});

test('the numbers of files tried and named have limits', async () => {
  await git(['init', '--quiet', '--template='], { directory });
  const base = await commitFiles({ 'a.txt': 'a\n' }, 'Start');
  const names = Array.from({ length: 600 }, (_, at) => `file-${String(at).padStart(3, '0')}`);
  const commit = await commitFiles(Object.fromEntries(names.map((name) => [name, 'x'.repeat(30_000)])), 'Many');
  const { more } = changeText(await showChange({ base, commit }, { directory }));
  expect(more[0]).toMatch(/^599 of the changed files are not shown above/);
  expect(more.filter((line) => line.startsWith('  git '))).toHaveLength(500);
  const [, command = ''] = / and 99 more; all are listed by: (.*)$/.exec(more.at(-2) ?? '') ?? [];
  const listed = execFileSync('sh', ['-c', command], { cwd: directory, encoding: 'utf8' }).trim().split('\n');
  expect(listed).toEqual(names);
}, 60_000);
