import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { PROGRAMS } from './programs.ts';

/** A program that this run installed, or why it could not. */
export type Installed = { readonly file: string; readonly version: string } | { readonly missing: string };

declare module 'vitest' {
  interface ProvidedContext {
    readonly installed: Readonly<Record<string, Installed>>;
  }
}

const INSTALL_MS_MAX = 10 * 60_000;

let directory = '';

/** Installs the newest release of each program from npm, into a directory that the end of the run removes. */
export async function setup(project: TestProject): Promise<void> {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-programs-'));
  const entries = PROGRAMS.map(async (program) => [program.preset, await install(program)] as const);
  project.provide('installed', Object.fromEntries(await Promise.all(entries)));
}

export function teardown(): void {
  fs.rmSync(directory, { recursive: true, force: true });
}

async function install(program: (typeof PROGRAMS)[number]): Promise<Installed> {
  const prefix = path.join(directory, program.preset);
  const home = path.join(directory, `${program.preset}-home`);
  fs.mkdirSync(prefix);
  fs.mkdirSync(home);
  // Without the tag npm takes the newest release that names this version of Node, though most bring a binary of their own.
  const release = `${program.package}@latest`;
  const npm = await run('npm', ['install', '--prefix', prefix, '--no-audit', '--no-fund', release], process.env);
  if (npm.code !== 0) return { missing: `npm install ${program.package} failed: ${lastLine(npm.output)}` };
  const file = path.join(prefix, 'node_modules/.bin', program.preset);
  const shown = await run(file, ['--version'], { PATH: process.env['PATH'], HOME: home });
  const version = /\d+\.\d+\.\d+/.exec(shown.output)?.[0];
  if (shown.code !== 0 || version === undefined)
    return { missing: `${program.package} is installed, but does not start: ${lastLine(shown.output)}` };
  return { file, version };
}

interface Ran {
  readonly code: number | null;
  readonly output: string;
}

function run(file: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<Ran> {
  return new Promise((resolve) => {
    const child = spawn(file, args, { env, stdio: ['ignore', 'pipe', 'pipe'], timeout: INSTALL_MS_MAX });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.once('error', (error) => resolve({ code: null, output: error.message }));
    child.once('close', (code) => resolve({ code, output }));
  });
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
