import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { openBranch, openWorkspace } from '../../machines/autonomous-dev/checkouts.ts';
import { git } from '../../machines/autonomous-dev/git.ts';
import { lookAtCommit } from '../../machines/autonomous-dev/handed-in.ts';
import { assertDelivered, type LoopMerge } from '../../machines/autonomous-dev/integration.ts';
import { automaticMerge, describeBranch, mergeCommit } from '../../machines/autonomous-dev/merge.ts';
import type { Repository } from '../../machines/autonomous-dev/repository.ts';
import type { Case } from '../../machines/member/case.ts';
import { commitAll, headOf, lookBefore } from '../../machines/member/checkout.ts';
import { mendConflict } from '../../machines/member/work.ts';
import type { Work } from '../../machines/member/heard.ts';
import type { Member } from '../../machines/member/member.ts';
import { changeText, showChange } from '../../machines/member/shown-change.ts';
import { lookAtRepository } from '../../machines/team/preflight.ts';

/** User settings that change what a command does or prints. RAN is a program that leaves a trace and prints nothing. */
const HOSTILE = `
[core]
  abbrev = 40
  attributesFile = ATTRIBUTES
  autocrlf = true
  editor = RAN editor
  eol = crlf
  fsmonitor = RAN fsmonitor
  hooksPath = HOOKS
  pager = RAN pager
  quotePath = true
  safecrlf = true
[color]
  branch = always
  diff = always
  interactive = always
  showBranch = always
  status = always
  ui = always
[commit]
  cleanup = scissors
  gpgSign = true
  status = true
  template = ATTRIBUTES
  verbose = 2
[diff]
  colorMoved = zebra
  external = RAN external
  ignoreSubmodules = all
  interHunkContext = 99
  mnemonicPrefix = true
  noprefix = true
  renames = false
  submodule = log
  suppressBlankEmpty = true
  wsErrorHighlight = all
[diff "own"]
  command = RAN driver
  textconv = RAN textconv
[filter "own"]
  clean = RAN clean
  smudge = RAN smudge
  required = true
[format]
  pretty = raw
[gc]
  auto = 1
  autoDetach = false
[gpg]
  program = RAN gpg
[i18n]
  commitEncoding = ISO-8859-1
  logOutputEncoding = ISO-8859-1
[init]
  defaultBranch = trunk
  templateDir = TEMPLATE
[log]
  decorate = full
  showSignature = true
[merge]
  autoStash = true
  conflictStyle = diff3
  directoryRenames = false
  ff = only
  log = true
  renames = false
  stat = true
  verifySignatures = true
[pager]
  diff = RAN pager
  log = RAN pager
[push]
  default = nothing
  followTags = true
  gpgSign = true
[rerere]
  autoUpdate = true
  enabled = true
[status]
  branch = true
  relativePaths = true
  short = true
  showUntrackedFiles = no
[submodule]
  recurse = true
[user]
  useConfigOnly = true
`;

let outer: string;
let trace: string;
beforeAll(() => {
  outer = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-hostile-')));
  trace = path.join(outer, 'trace');
});
afterAll(() => {
  vi.unstubAllEnvs();
  fs.rmSync(outer, { recursive: true, force: true });
});

/** Writes the configuration and the files that it names. */
function hostile(): string {
  const place = path.join(outer, 'settings');
  const write = (name: string, text: string): string => {
    const file = path.join(place, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, text, { mode: 0o755 });
    return file;
  };
  const ran = write('ran', `#!/bin/sh\necho "$1" >> ${trace}\n`);
  for (const name of ['hooks', 'template/hooks'])
    for (const hook of [
      'pre-commit',
      'commit-msg',
      'post-checkout',
      'post-commit',
      'reference-transaction',
      'post-merge',
    ])
      write(`${name}/${hook}`, `#!/bin/sh\necho ${hook} >> ${trace}\nexit 1\n`);
  const text = HOSTILE.replaceAll('ATTRIBUTES', write('attributes', '* filter=own diff=own\n'))
    .replaceAll('HOOKS', path.join(place, 'hooks'))
    .replaceAll('TEMPLATE', path.join(place, 'template'))
    .replaceAll('RAN', ran);
  vi.stubEnv('GIT_CONFIG_GLOBAL', write('gitconfig', text));
  vi.stubEnv('GIT_EXTERNAL_DIFF', `${ran} external`);
  vi.stubEnv('GIT_PAGER', `${ran} pager`);
  vi.stubEnv('GIT_EDITOR', `${ran} editor`);
  vi.stubEnv('GIT_DIFF_OPTS', '--unified=0');
  vi.stubEnv('GIT_MERGE_AUTOEDIT', 'yes');
  return text;
}

/** A case of a conflict message whose mind keeps both sides. */
function conflictCase(directory: string, seen: unknown[]): Case {
  const one = {
    signal: new AbortController().signal,
    message: { from: 'distributor' },
    onceDone: (_step: string, make: () => unknown) => make(),
    ask: (_step: string, make: () => { content: string }) => {
      const file = path.join(directory, 'größe.txt');
      seen.push(make().content, fs.readFileSync(file, 'utf8'));
      fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replaceAll(/^[<=>]{7}.*\n/gm, ''));
      return Promise.resolve({ content: 'Kept both.', data: null, isFailure: false });
    },
    send: (_step: string, make: () => { data: unknown }) => Promise.resolve(seen.push(make().data)),
  };
  return one as unknown as Case;
}

/** Every git operation of the team and its results, without the ids. */
async function wholeLayer(name: string, configuration: string): Promise<unknown> {
  const home = path.join(outer, name);
  const directory = path.join(home, 'project');
  fs.mkdirSync(directory, { recursive: true });
  await git(['init', '--quiet', '--template=', '--initial-branch=main'], { directory });
  const lines = Array.from({ length: 12 }, (_, at) => `line ${at + 1}\n`);
  const write = (checkout: string, file: string, text: string): void =>
    fs.writeFileSync(path.join(checkout, file), text);
  write(directory, 'größe.txt', lines.join(''));
  write(directory, 'moved.txt', lines.map((line) => `moved ${line}`).join(''));
  write(directory, '.gitattributes', '*.txt diff=own\n');
  write(directory, 'package.json', '{"scripts":{"test":"node --test"}}\n');
  await git(['add', '--all'], { directory });
  await git(['commit', '--quiet', '--message', 'Anfang: Größe'], { directory });
  // The repository's own configuration overrides the user's.
  fs.appendFileSync(path.join(directory, '.git', 'config'), configuration);
  const ground = await lookAtRepository(directory, {
    feature: 'Sizes',
    test: undefined,
    setup: undefined,
    branch: undefined,
    run: 'r1r1',
  });
  const repository: Repository = {
    ...ground,
    run: 'r1r1',
    workDirectory: path.join(home, 'run'),
    setup: 'echo set up >> package.json',
  };
  const { base } = repository;
  const results: unknown[] = [ground.branch];

  await openBranch(repository);
  const [one, two] = [
    await openWorkspace(repository, { name: 'one-1', start: base }),
    await openWorkspace(repository, { name: 'two-1', start: base }),
  ];
  const commits: string[] = [];
  for (const [checkout, at] of [
    [{ ...one, author: 'ada' }, 'eins'],
    [{ ...two, author: 'ben' }, 'zwei'],
  ] as const) {
    const before = await lookBefore(checkout);
    write(checkout.directory, 'größe.txt', lines.with(5, `${at}\n`).join(''));
    write(checkout.directory, `${at} ü.txt`, `${at}\n\n`);
    if (at === 'eins')
      fs.renameSync(path.join(checkout.directory, 'moved.txt'), path.join(checkout.directory, 'to.txt'));
    await commitAll(checkout, before, `# Größe ${at}\n\n# kept`);
    const commit = await headOf(checkout);
    commits.push(commit);
    results.push(await lookAtCommit(repository, { commit, base }), await showChange({ base, commit }, checkout));
    results.push(changeText(await showChange({ base, commit }, checkout)));
    results.push(await git(['cat-file', 'commit', commit], checkout), before);
  }
  const [first = '', second = ''] = commits;
  const merge = await mergeCommit(repository, { head: base, commit: first, message: 'Merge eins' });
  if (merge.status !== 'merged') throw new Error('it was not merged');
  const head = merge.commit;
  results.push(merge, await mergeCommit(repository, { head, commit: second, message: 'Merge zwei' }));
  results.push(await automaticMerge(repository, { head, commit: second }, { hasMergeTree: false }));
  await mendConflict(
    {
      terms: { address: 'ben', directory: repository.workDirectory },
      holding: { isAtWork: () => true, handedIn: () => {} },
      say: () => {},
    } as unknown as Member,
    conflictCase(two.directory, results),
    {
      work: { taskId: 'two', epoch: 1, title: 'Zwei', description: '', files: [], workspace: two } as unknown as Work,
      head,
    },
  );
  const approved = await headOf(two);
  results.push(await showChange({ base, commit: approved }, two));
  const last = await mergeCommit(repository, { head, commit: approved, message: 'Merge zwei' });
  if (last.status !== 'merged') throw new Error('it was not merged');
  const merges: LoopMerge[] = [
    { commit: head, approved: first },
    { commit: last.commit, approved },
  ];
  await assertDelivered(repository, merges);
  results.push(last, await describeBranch(repository, last.commit));
  results.push(await git(['cat-file', '-p', `${last.commit}:größe.txt`], { directory }));
  return JSON.parse(
    JSON.stringify(results)
      .replaceAll(home, '')
      .replaceAll(/\b[0-9a-f]{7,40}\b/g, '<id>')
      .replaceAll(/\b\d{10} [+-]\d{4}\b/g, '<when>'),
  ) as unknown;
}

test('no user setting changes what the team does or is shown', async () => {
  vi.stubEnv('GIT_CONFIG_GLOBAL', '/dev/null');
  vi.stubEnv('GIT_CONFIG_NOSYSTEM', '1');
  const plain = await wholeLayer('plain', '');
  const changed = await wholeLayer('hostile', hostile());
  expect(changed).toEqual(plain);
  expect(JSON.stringify(plain)).toContain('größe.txt');
  expect(JSON.stringify(changed)).not.toMatch(/\\u001b|\\\\303/);
  expect(fs.existsSync(trace) ? fs.readFileSync(trace, 'utf8') : '').toBe('');
});
