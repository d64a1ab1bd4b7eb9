import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { runProgram } from '../../machines/shared/run-program.ts';
import { childEnvironment, namesKeptFromChildren } from '../../src/host/child-environment.ts';
import { nodeProcesses } from '../../src/host/node-processes.ts';
import { until } from '../processes/child.ts';

const ROOT = path.join(import.meta.dirname, '..', '..');
/** Of the installed git. */
const LOCAL = execFileSync('git', ['rev-parse', '--local-env-vars'], { encoding: 'utf8' }).split('\n').filter(Boolean);
const MORE = ['GLOB', 'ICASE', 'LITERAL', 'NOGLOB'].map((name) => `GIT_${name}_PATHSPECS`);
const ENTRIES = ['GIT_CONFIG_KEY_0', 'GIT_CONFIG_VALUE_0'];

let outer: string;
beforeEach(() => {
  outer = fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-environment-'));
  for (const name of Object.keys(process.env)) if (name.startsWith('GIT_')) vi.stubEnv(name, undefined);
  for (const name of [...LOCAL, ...MORE, ...ENTRIES, 'GIT_CEILING_DIRECTORIES', 'GIT_QUARANTINE_PATH'])
    vi.stubEnv(name, 'of a hook');
  vi.stubEnv('GIT_SSH_COMMAND', 'ssh -p 2222');
});
afterEach(() => {
  vi.unstubAllEnvs();
  fs.rmSync(outer, { recursive: true, force: true });
});

/** The variables of git in the environment that a child printed. */
function gitVariables(printed: string): string[] {
  return printed
    .split('\n')
    .filter((line) => line.startsWith('GIT_'))
    .toSorted();
}

test('contains each variable that the installed git calls local, and those that change the meaning of a path', () => {
  const names = namesKeptFromChildren();
  expect(LOCAL.length).toBeGreaterThan(10);
  for (const name of [...LOCAL, ...MORE, ...ENTRIES, 'GIT_CEILING_DIRECTORIES']) expect(names, name).toContain(name);
});

test('keeps the rest of the environment, and the additions for the child', () => {
  vi.stubEnv('MAILROOM_TEST', 'kept');
  const env = childEnvironment({ GIT_DIR: '/its/own' });
  expect(env).toMatchObject({ MAILROOM_TEST: 'kept', GIT_SSH_COMMAND: 'ssh -p 2222', GIT_DIR: '/its/own' });
  expect(env).not.toHaveProperty('GIT_INDEX_FILE');
});

test('is what each child gets, however it is started', async () => {
  const file = (name: string): string => path.join(outer, name);
  const print = (name: string): [string, string[]] => [
    'sh',
    ['-c', `env > ${file(name)}.new; mv ${file(name)}.new ${file(name)}`],
  ];
  await nodeProcesses.run(...print('run'), { timeoutMs: 60_000 });
  nodeProcesses.startDetached(...print('startDetached'));
  const stderr = fs.openSync(file('stderr'), 'w');
  await nodeProcesses.startSession(...print('startSession'), { cwd: outer, env: {}, stderr });
  await nodeProcesses.runInto(...print('runInto'), { cwd: outer, env: {}, stdout: stderr, stderr });
  fs.closeSync(stderr);
  const [shell, args] = print('runProgram');
  await runProgram({ file: shell, args, cwd: outer, msMax: 60_000 }, undefined);
  const program = file('responder.mjs');
  fs.writeFileSync(program, "process.on('message', () => process.send(process.env));");
  const responder = await nodeProcesses.startResponder(program, { nodeArgs: [] });
  const asked = await responder.ask('environment', { timeoutMs: 60_000 });
  await responder.close();
  const answer = 'answer' in asked ? (asked.answer as Record<string, string>) : {};
  expect(Object.keys(answer).filter((name) => name.startsWith('GIT_'))).toEqual(['GIT_SSH_COMMAND']);
  for (const name of ['run', 'startDetached', 'startSession', 'runInto', 'runProgram']) {
    await until(name, () => fs.existsSync(file(name)));
    expect(gitVariables(fs.readFileSync(file(name), 'utf8')), name).toEqual(['GIT_SSH_COMMAND=ssh -p 2222']);
  }
});

test('is named in each file that starts a process', () => {
  const starts = /\b(?:spawn|spawnSync|fork|execFile|execFileSync|execa)\(\s*(?:'|file|program|process\.execPath|this)/;
  // The text of a plugin, which starts a process within another program, in that program's environment.
  const plugin = 'src/hooks/install/opencode-plugin.ts';
  const found = ['src', 'machines'].flatMap((folder) =>
    fs
      .readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => path.join(folder, name))
      .filter((name) => name !== plugin && starts.test(fs.readFileSync(path.join(ROOT, name), 'utf8'))),
  );
  expect(found.length).toBeGreaterThan(5);
  expect(found.filter((name) => !fs.readFileSync(path.join(ROOT, name), 'utf8').includes('childEnvironment('))).toEqual(
    [],
  );
});
