import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { until } from '../hostile/until.ts';
import { MIND, TeamRun } from './team-run.ts';

const AGENTS = { alice: `node ${MIND}`, bob: `node ${MIND}` };
const TASKS = [
  { id: 'sum', title: 'Sum of numbers', description: 'Add it.' },
  { id: 'product', title: 'Product of numbers', description: 'Multiply them.' },
];

/** Writes and commits `mailroom.team.json`, with a plan beside the repository. */
function prepare(run: TeamRun, settings: object = {}): string {
  fs.writeFileSync(
    path.join(run.repository, 'mailroom.team.json'),
    JSON.stringify({ agents: AGENTS, lease: '5s', ...settings }),
  );
  const plan = path.join(run.outer, 'plan.json');
  fs.writeFileSync(plan, JSON.stringify({ tasks: TASKS }));
  return plan;
}

/** A repository whose submodule lies beside it. */
function withSubmodule(run: TeamRun): void {
  const library = path.join(run.outer, 'library');
  fs.mkdirSync(library);
  fs.writeFileSync(path.join(library, 'plus.mjs'), 'export const plus = (a, b) => a + b;\n');
  const user = ['-c', 'user.name=User', '-c', 'user.email=user@localhost'];
  run.git('init', '--quiet', library);
  run.git('-C', library, 'add', '--all');
  run.git('-C', library, ...user, 'commit', '--quiet', '--message', 'The library');
  run.git('-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', library, 'vendor/library');
  fs.writeFileSync(
    path.join(run.repository, 'src/index.mjs'),
    "import { plus } from '../vendor/library/plus.mjs';\nexport const one = plus(0, 1);\n",
  );
}

const PROJECTS: readonly { readonly name: string; readonly make: () => TeamRun; readonly setup: string }[] = [
  { name: 'that needs npm ci', make: () => new TeamRun({ project: 'needs-install' }), setup: 'npm ci' },
  { name: 'of npm workspaces', make: () => new TeamRun({ project: 'workspaces' }), setup: 'npm ci' },
  { name: 'with a submodule', make: () => new TeamRun({ begin: withSubmodule }), setup: 'none' },
  {
    name: 'with CRLF, spaces and letters in its paths',
    make: () => new TeamRun({ project: 'odd-paths' }),
    setup: 'none',
  },
];

describe('a project', () => {
  it.each(PROJECTS)(
    '$name is delivered by one command, killed in the middle, resumed, and cleaned away',
    async ({ make, setup }) => {
      await using run = make();
      const plan = prepare(run);
      const before = run.users();
      const dry = await run.team('start', '--feature', 'Numbers', '--plan', plan, '--dry-run');
      expect(dry.stdout, dry.stderr).toMatch(new RegExp(`^ {2}set-up {6}${setup}$`, 'm'));

      const first = run.team('start', '--feature', 'Numbers', '--plan', plan);
      await until(
        () => `a handed-in task in:\n${first.said()}`,
        () => first.said().includes('handed in'),
        200_000,
      );
      run.kill();
      await first;
      expect((await run.team('list')).stdout).toMatch(/^numbers-1 .* interrupted, 0 of 2 tasks merged/);
      // Longer than the lease.
      await new Promise((resolve) => setTimeout(resolve, 6_000));

      const ended = await run.team('resume');
      expect(ended.code, `${ended.stdout}${ended.stderr}`).toBe(0);
      expect(ended.stdout).toContain('The branch mailroom/numbers is ready');
      expect((await run.team('status', '--json')).stdout).toMatch(
        /"state":"delivered".*"state":"merged".*"state":"merged"/,
      );
      expect(run.users()).toEqual(before);

      // Nothing of the run holds the branch, and nothing stays of the run once its work is merged.
      run.git('checkout', '--quiet', 'mailroom/numbers');
      run.git('checkout', '--quiet', 'main');
      const kept = await run.team('clean');
      expect([kept.code, kept.stderr]).toEqual([5, expect.stringContaining('--force')]);
      run.git('merge', '--quiet', '--ff-only', 'mailroom/numbers');
      // What is left may be an attempt that was lost with its lease; the delivered work is safe.
      expect((await run.team('clean', '--dry-run')).stdout).not.toMatch(/commits? on mailroom\/numbers$/m);
      const cleaned = await run.team('clean', '--force');
      expect(cleaned.code, `${cleaned.stdout}${cleaned.stderr}`).toBe(0);
      expect(run.git('for-each-ref', '--format=%(refname)')).toBe('refs/heads/main');
      expect(run.git('worktree', 'list', '--porcelain').match(/^worktree /gm)).toHaveLength(1);
      expect(fs.readdirSync(run.outer).filter((name) => name.endsWith('.runs'))).toEqual([]);
    },
  );
});
