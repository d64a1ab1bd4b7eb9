import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';

const ROOT = path.join(import.meta.dirname, '..', '..');
const WORKFLOW = path.join(ROOT, '.github/workflows/ci.yml');
const NODES = ['20', '22', '24', '26'];

const step = z
  .strictObject({
    uses: z.string().regex(/^[\w-]+\/[\w-]+@v\d+$/),
    with: z.record(z.string(), z.string()).optional(),
  })
  .or(z.strictObject({ run: z.string().min(1), 'continue-on-error': z.boolean().optional() }));
const workflow = z.strictObject({
  name: z.string(),
  on: z.strictObject({ push: z.strictObject({ branches: z.array(z.string()) }), pull_request: z.null() }),
  permissions: z.strictObject({ contents: z.literal('read') }),
  concurrency: z.strictObject({ group: z.string(), 'cancel-in-progress': z.boolean() }),
  jobs: z.record(
    z.string(),
    z.strictObject({
      name: z.string(),
      'runs-on': z.string(),
      'timeout-minutes': z.number(),
      strategy: z.strictObject({ 'fail-fast': z.boolean(), matrix: z.strictObject({ node: z.array(z.string()) }) }),
      steps: z.array(step).min(1),
    }),
  ),
});

const scripts = Object.keys(
  (JSON.parse(fs.readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as { scripts: object }).scripts,
);

/** The missing npm script or program of this repository that a line runs. */
function missing(line: string): string | undefined {
  const script = /^npm run (\S+)/.exec(line)?.[1] ?? (line === 'npm test' ? 'test' : undefined);
  if (script !== undefined) return scripts.includes(script) ? undefined : `no script ${script}`;
  const [program = ''] = line.split(' ');
  if (!program.includes('/')) return undefined;
  return fs.statSync(path.join(ROOT, program), { throwIfNoEntry: false }) && isExecutable(program)
    ? undefined
    : program;
}

const isExecutable = (program: string): boolean =>
  process.platform === 'win32' || (fs.statSync(path.join(ROOT, program)).mode & 0o111) !== 0;

describe('the workflow of a hosted CI', () => {
  const { jobs } = workflow.parse(parse(fs.readFileSync(WORKFLOW, 'utf8'), { strict: true, uniqueKeys: true }));
  const linesOf = (name: string): string[] =>
    (jobs[name]?.steps ?? []).flatMap((one) => ('run' in one ? [one.run] : []));

  it('tries each system with each Node, and names both', () => {
    const systems = Object.values(jobs).map((job) => job['runs-on']);
    expect(systems).toEqual(['ubuntu-latest', 'macos-latest', 'windows-latest']);
    for (const [name, { steps, strategy }] of Object.entries(jobs)) {
      expect(strategy.matrix.node, name).toEqual(NODES);
      expect(steps, name).toContainEqual({
        uses: expect.stringMatching(/^actions\/setup-node@/) as unknown,
        with: { 'node-version': '${{ matrix.node }}', cache: 'npm' },
      });
    }
  });

  it('runs only existing scripts and programs', () => {
    const lines = Object.keys(jobs).flatMap(linesOf);
    expect(lines.length).toBeGreaterThan(8);
    expect(lines.map(missing).filter((one) => one !== undefined)).toEqual([]);
    expect(['npm run no-such', '.ci/gone', '.ci/summary.mjs', 'npm test', '.ci/run'].map(missing)).toEqual([
      'no script no-such',
      '.ci/gone',
      '.ci/summary.mjs',
      undefined,
      undefined,
    ]);
  });

  it('runs everything on Linux and the portable part on other systems, so that a failure fails the job', () => {
    expect(linesOf('linux')).toContain('.ci/run');
    for (const name of ['macos', 'windows']) {
      expect(jobs[name]?.steps, name).toContainEqual({ run: 'npm run test:platform' });
      expect(linesOf(name).join('\n'), name).not.toMatch(/apt|sudo|\.ci\/run/);
    }
  });
});
