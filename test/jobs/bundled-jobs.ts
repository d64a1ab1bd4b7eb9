import { build, type Plugin } from 'esbuild';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import type { cancelJob } from '../../src/jobs/end-job.ts';
import type { runJob } from '../../src/jobs/run-job.ts';

const ROOT = path.join(import.meta.dirname, '..', '..');
const FIXTURES = path.join(ROOT, 'fixtures', 'jobs');

/** The wrapper has a switch to make it die. */
const replaceWrapperHost: Plugin = {
  name: 'replace the host of the wrapper',
  setup(plugged) {
    plugged.onResolve({ filter: /\/node-host\.ts$/ }, ({ importer }) =>
      path.basename(importer) === 'run-wrapper.ts' ? { path: path.join(FIXTURES, 'wrapper-host.ts') } : undefined,
    );
  },
};

interface Jobs {
  readonly runJob: typeof runJob;
  readonly cancelJob: typeof cancelJob;
}

export interface BundledJobs extends Disposable {
  readonly jobs: Jobs;
  /** Program of fixtures/jobs/asking-host.ts. */
  readonly askingHost: string;
}

/** Bundles what is tested as the package has it, wrapper beside: one file each, which starts sooner than sources through tsx. */
export async function bundleJobs(): Promise<BundledJobs> {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-jobs-bundle-'));
  const inJobs = (name: string): string => path.join(ROOT, 'src', 'jobs', name);
  fs.writeFileSync(path.join(directory, 'package.json'), '{"type":"module"}');
  const exported = ['run-job.ts', 'end-job.ts'].map((name) => `export * from '${inJobs(name)}';`);
  fs.writeFileSync(path.join(directory, 'jobs.ts'), exported.join('\n'));
  await build({
    entryPoints: [path.join(directory, 'jobs.ts'), inJobs('run-wrapper.ts'), path.join(FIXTURES, 'asking-host.ts')],
    outdir: directory,
    entryNames: '[name]',
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    plugins: [replaceWrapperHost],
    logLevel: 'error',
  });
  return {
    jobs: (await import(/* @vite-ignore */ pathToFileURL(path.join(directory, 'jobs.js')).href)) as Jobs,
    askingHost: path.join(directory, 'asking-host.js'),
    [Symbol.dispose]: () => fs.rmSync(directory, { recursive: true, force: true }),
  };
}
