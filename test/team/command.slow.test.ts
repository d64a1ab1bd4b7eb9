import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openBranch, openWorkspace } from '../../machines/autonomous-dev/checkouts.ts';
import { git } from '../../machines/autonomous-dev/git.ts';
import { releaseBranch } from '../../machines/autonomous-dev/integration.ts';
import { runTeamCommand, type Action } from '../../machines/team/command.ts';
import { FLAGS, NotStarted, optionsOf, VALUES } from '../../machines/team/options.ts';
import { prepareResume, prepareRun } from '../../machines/team/prepare.ts';
import { listRuns, markEnded, type Run, runName } from '../../machines/team/run-directory.ts';
import { TEAM_FILE } from '../../machines/team/team-file.ts';
import { team } from '../../src/cli/commands/team.ts';

let outer: string;
let shop: string;
let said: string;
beforeEach(async () => {
  outer = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-command-')));
  shop = path.join(outer, 'shop');
  fs.mkdirSync(shop);
  await git(['init', '--quiet', '--template=', '--initial-branch=main'], { directory: shop });
  fs.writeFileSync(path.join(shop, 'package.json'), '{"scripts":{"test":"node --test"}}');
  await commit('Start', shop);
  said = '';
  for (const stream of ['log', 'error'] as const)
    vi.spyOn(console, stream).mockImplementation((text: string) => void (said += `${text}\n`));
});
afterEach(() => {
  vi.restoreAllMocks();
  fs.rmSync(outer, { recursive: true, force: true });
});

async function commit(message: string, directory: string): Promise<string> {
  await git(['add', '--all'], { directory });
  await git(['commit', '--quiet', '--allow-empty', '--message', message], { directory });
  return git(['rev-parse', 'HEAD'], { directory });
}

/** An option alone is a flag. */
function givenOf(words: readonly string[]): Map<string, string | true> {
  const given = new Map<string, string | true>([['repo', shop]]);
  for (let at = 0; at < words.length; at++) {
    const name = (words[at] ?? '').slice(2);
    given.set(name, (FLAGS as readonly string[]).includes(name) ? true : (words[++at] ?? ''));
  }
  return given;
}

interface Answer {
  readonly code: number;
  readonly said: string;
}

/** What a command line of `mailroom team` prints, and its exit code; a refusal is 2. */
async function command(action: Action, name?: string, ...words: readonly string[]): Promise<Answer> {
  said = '';
  const isJson = words.includes('--json');
  const given = givenOf(words.filter((word) => word !== '--json'));
  try {
    return { code: await runTeamCommand({ action, run: name, given, isJson }), said };
  } catch (error) {
    if (!(error instanceof NotStarted) || error.message.includes('\n')) throw error;
    return { code: 2, said: error.message };
  }
}

const AGENTS = ['--agents', "a='true',b='true'"];

/** A run that is created, and that no process carries out. */
async function created(feature: string, ...words: readonly string[]): Promise<Run> {
  const prepared = await prepareRun(optionsOf(givenOf(['--feature', feature, ...AGENTS, ...words])));
  const opened = await prepared.open();
  fs.rmSync(path.join(opened.run.directory, 'hosts'), { recursive: true });
  return opened.run;
}

describe('mailroom team', () => {
  it('has the same options as the program behind it', () => {
    const named = (hasValue: boolean): string[] =>
      team.options.filter(({ value }) => (value !== undefined) === hasValue).map(({ name }) => name);
    expect(named(true).sort()).toEqual([...VALUES].sort());
    expect(named(false).sort()).toEqual([...FLAGS].sort());
  });

  it.each([
    [['--tries', '0'], /--tries 0: expected a whole number from 1 to 20/],
    [['--test-timeout', '15'], /--test-timeout 15: expected a time of at most 24h/],
    [['--setup', 'x', '--no-setup'], /exclude each other/],
    [['--known-failures', '--base-may-fail'], /exclude each other/],
    [['--reviewers', '2', '--feature', 'Pay', ...AGENTS], /--reviewers 2: expected fewer than the 2 agents/],
    [['--feature', 'Pay'], /^No agents are named\. Write mailroom\.team\.json with mailroom team init, /],
    [[], /^team start requires --feature/],
  ] as const)('start %j is refused in one line', async (words, expected) => {
    expect(await command('start', undefined, ...words)).toEqual({
      code: 2,
      said: expect.stringMatching(expected) as string,
    });
    expect(fs.readdirSync(outer)).toEqual(['shop']);
  });

  it('init writes what was found, once, and the file is no uncommitted change', async () => {
    const dry = await command('init', undefined, '--dry-run', ...AGENTS);
    expect([dry.code, fs.existsSync(path.join(shop, TEAM_FILE))]).toEqual([0, false]);
    expect((await command('init', undefined, ...AGENTS)).code).toBe(0);
    const text = fs.readFileSync(path.join(shop, TEAM_FILE), 'utf8');
    expect(JSON.parse(text)).toEqual({ agents: { a: "'true'", b: "'true'" }, test: 'npm test' });
    expect(await command('init')).toEqual({ code: 2, said: expect.stringContaining('nothing was changed') as string });
    expect(fs.readFileSync(path.join(shop, TEAM_FILE), 'utf8')).toBe(text);
    const started = await command(
      'start',
      undefined,
      '--feature',
      'Pay',
      '--dry-run',
      '--test-timeout',
      '2m',
      '--tries',
      '2',
    );
    expect(started).toEqual({
      code: 0,
      said: expect.stringMatching(/tests {7}npm test; first on the base, which must pass/) as string,
    });
  });

  it('init names the programs on PATH as agents that may edit, one program as two', async () => {
    const bin = path.join(outer, 'bin');
    fs.mkdirSync(bin);
    const add = (name: string): void => fs.writeFileSync(path.join(bin, name), '#!/bin/sh\n', { mode: 0o755 });
    vi.stubEnv('PATH', `${bin}:/usr/bin:/bin`);
    add('claude');
    const edit = 'claude --permission-mode acceptEdits';
    expect((await command('init', undefined, '--dry-run')).said).toContain(
      `"claude-1": "${edit}",\n    "claude-2": "${edit}"`,
    );
    add('codex');
    expect((await command('init', undefined, '--dry-run')).said).toContain(
      `"claude": "${edit}",\n    "codex": "codex --sandbox workspace-write"`,
    );
    vi.unstubAllEnvs();
  });
});

describe('runs', () => {
  it('of features in any script, and several at once, never mix', async () => {
    const features = [
      '支払いを分割する',
      '返品を受け付ける',
      'Оплата частями',
      'Pay in two parts',
      'Pay, in two parts!',
    ];
    const runs: Run[] = [];
    for (const feature of features) runs.push(await created(feature));
    expect(new Set(runs.map(({ directory }) => directory)).size).toBe(features.length);
    expect(new Set(runs.map(({ input }) => input.repository.branch)).size).toBe(features.length);
    for (const [at, feature] of features.entries()) {
      const again = await prepareRun(optionsOf(givenOf(['--feature', feature, ...AGENTS])));
      expect(again.plan).toContain(`Would resume the run in ${runs[at]?.directory}.`);
    }
    const { code, said: listed } = await command('list', undefined, '--json');
    expect(code).toBe(0);
    const facts = JSON.parse(listed) as { feature: string; state: string; id: string }[];
    expect(facts.map(({ feature }) => feature).sort()).toEqual([...features].sort());
    expect(new Set(facts.map(({ state }) => state))).toEqual(new Set(['interrupted']));
    expect(await command('resume')).toEqual({
      code: 2,
      said: expect.stringMatching(/^Several runs have not ended\. Name one of them: /) as string,
    });
  });

  it('start again after they have ended, and say what became of the one before', async () => {
    const first = await created('Pay');
    for (const outcome of ['delivered', 'failed', 'blocked', 'time-over', 'stopped', 'not-ready']) {
      const last = listRuns(path.dirname(first.directory)).at(-1) ?? first;
      markEnded(last, outcome);
      const next = await prepareRun(optionsOf(givenOf(['--feature', 'Pay', ...AGENTS])));
      expect(next.notes).toEqual([
        `An earlier run of this feature, ${runName(last)}, has ended (${outcome}); this starts another one.`,
      ]);
      const { directory } = await created('Pay');
      expect(directory).not.toBe(last.directory);
    }
  });

  it('are named by their directory or their id, and a wrong name shows the right ones', async () => {
    const pay = await created('Pay');
    const { repository } = pay.input;
    for (const name of [undefined, 'pay-1', repository.run]) {
      const shown = await command('status', name);
      expect(shown).toEqual({ code: 0, said: expect.stringMatching(/^pay-1 .* interrupted/) as string });
      expect(shown.said).toContain(`branch      ${repository.branch}`);
    }
    expect(await command('status', 'pay-7')).toEqual({
      code: 2,
      said: 'There is no run "pay-7". There are: pay-1 (mailroom team list).',
    });
    markEnded(pay, 'delivered');
    expect((await command('resume', 'pay-1')).said).toMatch(/^pay-1 has ended\. To build the same feature again: /);
    expect((await command('status')).said).toMatch(/^pay-1 .* delivered/);
    expect((await command('stop')).said).toMatch(/^There is no run that has not ended\./);
  });

  it('take over other programs for the same agents, and refuse what their workflow keeps', async () => {
    const pay = await created('Pay', '--test', 'make test');
    const resumed = async (...words: readonly string[]): Promise<Run> =>
      (await (await prepareResume(listRuns(path.dirname(pay.directory))[0] ?? pay, optionsOf(givenOf(words)))).open())
        .run;
    const kept = await resumed(
      '--agents',
      'b=cat,a=cat -',
      '--tries',
      '5',
      '--agent-timeout',
      '90s',
      '--test',
      'make test',
    );
    expect(kept.agents.map(({ address, shown }) => [address, shown])).toEqual([
      ['b', 'cat'],
      ['a', 'cat -'],
    ]);
    expect(kept.agents.map(({ args }) => args.join(' '))).toEqual([
      expect.stringContaining('--exec cat --timeout 90s --tries 5'),
      expect.stringContaining('--exec cat - --timeout 90s --tries 5'),
    ]);
    expect(listRuns(path.dirname(pay.directory))).toEqual([kept]);
    expect((await resumed()).agents).toEqual(kept.agents);
    await expect(resumed('--agents', 'a=cat,c=cat')).rejects.toThrow(/--agents names a, c, but pay-1 has a, b, whom/);
    await expect(resumed('--test', 'npm test')).rejects.toThrow(
      /^--test cannot change .* pay-1 has make test, .* --new\.$/,
    );
    for (const [option = '', ...value] of [
      ['--setup', 'x'],
      ['--max-hours', '2'],
      ['--lease', '1m'],
      ['--reviewers', '1'],
      ['--known-failures'],
    ])
      await expect(resumed(option, ...value)).rejects.toThrow(`${option} cannot change in a run that has begun`);
    // It has none.
    expect((await resumed('--no-setup')).input).toEqual(kept.input);
  });
});

describe('clean', () => {
  /** A run with a delivered branch and the branch of a task, and a worktree for each. */
  async function worked(): Promise<{ readonly run: Run; readonly integration: string; readonly task: string }> {
    const made = await created('Pay');
    const { repository } = made.input;
    const { directory: integration } = await openBranch(repository);
    const { directory: task } = await openWorkspace(repository, { name: 'pay-1', start: repository.base });
    const handedIn = await commit('Work', task);
    await git(['merge', '--quiet', '--no-ff', '--no-edit', handedIn], { directory: integration });
    await releaseBranch(repository);
    markEnded(made, 'delivered');
    return { run: made, integration, task };
  }

  const left = async (): Promise<string[]> =>
    (await git(['for-each-ref', '--format=%(refname)'], { directory: shop })).split('\n');

  it('shows what it removes, and removes all of a merged run and nothing else', async () => {
    const { run: made } = await worked();
    const { branch, run: id } = made.input.repository;
    const mine = path.join(outer, 'mine');
    await git(['worktree', 'add', '--quiet', '-b', 'mailroom/mine', mine], { directory: shop });
    await git(['merge', '--quiet', '--ff-only', branch], { directory: shop });
    const dry = await command('clean', undefined, '--dry-run');
    expect(dry.code).toBe(0);
    for (const one of [
      `the branch ${branch}\n`,
      `the branch ${branch}.${id}.pay-1`,
      'integration',
      'tasks/pay-1',
      made.directory,
    ])
      expect(dry.said).toContain(one);
    expect(await left()).toHaveLength(6);
    expect(await command('clean')).toEqual({ code: 0, said: `${dry.said}Removed.\n` });
    expect(await left()).toEqual(['refs/heads/mailroom/mine', 'refs/heads/main']);
    expect((await git(['worktree', 'list', '--porcelain'], { directory: shop })).match(/^worktree .*/gm)).toEqual([
      `worktree ${shop}`,
      `worktree ${mine}`,
    ]);
    expect(fs.existsSync(path.dirname(made.directory))).toBe(false);
  });

  it.each([
    { name: 'a branch that is not merged', risk: () => Promise.resolve(), said: /2 commits on mailroom\/pay/ },
    {
      name: 'a change that is not committed',
      risk: async ({ task, run: { input } }: Awaited<ReturnType<typeof worked>>) => {
        await git(['merge', '--quiet', '--ff-only', input.repository.branch], { directory: shop });
        fs.writeFileSync(path.join(task, 'new.txt'), 'new');
      },
      said: /not committed in .*pay-1: "new\.txt"/,
    },
    {
      name: 'a commit of a task that was not delivered',
      risk: async ({ task, run: { input } }: Awaited<ReturnType<typeof worked>>) => {
        await git(['merge', '--quiet', '--ff-only', input.repository.branch], { directory: shop });
        await commit('Not delivered', task);
      },
      said: /1 commit on mailroom\/pay\.[0-9a-f]{8}\.pay-1/,
    },
  ])('keeps everything for $name, unless it is forced', async ({ risk, said: expected }) => {
    const made = await worked();
    await risk(made);
    const before = [await left(), fs.readdirSync(made.run.directory)];
    const refused = await command('clean');
    expect(refused).toEqual({ code: 5, said: expect.stringMatching(expected) as string });
    expect([await left(), fs.readdirSync(made.run.directory)]).toEqual(before);
    expect((await command('clean', undefined, '--force')).code).toBe(0);
    expect(await left()).toEqual(['refs/heads/main']);
  });

  it('takes a branch that was pushed for safe, and one that was merged and deleted for gone', async () => {
    const { run: made } = await worked();
    const { branch } = made.input.repository;
    await git(['update-ref', 'refs/remotes/origin/pay', branch], { directory: shop });
    // Nothing of the run holds it.
    await git(['branch', '--delete', '--force', branch], { directory: shop });
    expect((await command('clean')).code).toBe(0);
    expect(await left()).toEqual(['refs/heads/main', 'refs/remotes/origin/pay']);
  });

  it('never touches a branch of that name which the run has not created, nor a run that is carried out', async () => {
    const made = await created('Pay');
    await git(['branch', made.input.repository.branch], { directory: shop });
    fs.mkdirSync(path.join(made.directory, 'hosts'));
    const self = (await import('../../src/runtime.ts')).nodeHost.processes.identify(process.ppid);
    fs.writeFileSync(path.join(made.directory, 'hosts/1.json'), JSON.stringify(self));
    expect(await command('clean')).toEqual({
      code: 2,
      said: expect.stringContaining(`carried out by process ${process.ppid}`) as string,
    });
    fs.rmSync(path.join(made.directory, 'hosts'), { recursive: true });
    expect(await command('clean')).toEqual({
      code: 5,
      said: expect.stringContaining(
        'the run, which has not ended and can be resumed: mailroom team resume pay-1',
      ) as string,
    });
    expect((await command('clean', undefined, '--force')).code).toBe(0);
    expect(await left()).toEqual(['refs/heads/mailroom/pay', 'refs/heads/main']);
  });
});
