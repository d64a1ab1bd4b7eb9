import { build } from 'esbuild';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const ROOT = path.join(import.meta.dirname, '..', '..');

export interface BundledAgent extends Disposable {
  /** Runs fixtures/agents/killed-agent.ts to its end. Throws when it ended otherwise than by success or SIGKILL. */
  run(args: readonly string[], options?: { killAfterMs?: number }): Promise<NodeJS.Signals | null>;
}

/** Bundles the agent that can be killed, wrapper beside, as the package has it: that starts sooner than sources through tsx. */
export async function bundleAgent(): Promise<BundledAgent> {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-agent-bundle-'));
  fs.writeFileSync(path.join(directory, 'package.json'), '{"type":"module"}');
  fs.symlinkSync(path.join(ROOT, 'node_modules'), path.join(directory, 'node_modules'));
  await build({
    entryPoints: ['fixtures/agents/killed-agent.ts', 'src/jobs/run-wrapper.ts'].map((name) => path.join(ROOT, name)),
    outdir: directory,
    entryNames: '[name]',
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    logLevel: 'error',
  });
  const program = path.join(directory, 'killed-agent.js');
  return {
    run: (args, { killAfterMs } = {}) => runToEnd(program, args, killAfterMs),
    [Symbol.dispose]: () => fs.rmSync(directory, { recursive: true, force: true }),
  };
}

function runToEnd(
  program: string,
  args: readonly string[],
  killAfterMs: number | undefined,
): Promise<NodeJS.Signals | null> {
  const child = spawn(process.execPath, [program, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    ...(killAfterMs === undefined ? {} : { timeout: Math.ceil(killAfterMs), killSignal: 'SIGKILL' }),
  });
  let stderr = '';
  child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (code === 0 || signal === 'SIGKILL') resolve(signal);
      else reject(new Error(`the agent ended with ${code ?? signal}: ${stderr}`));
    });
  });
}
