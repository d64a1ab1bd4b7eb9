import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, inject, it } from 'vitest';
import { startModel, type Answer, type ModelRequest } from '../../fixtures/agents/models/model-server.ts';
import { processesWith } from '../agents/agent-room.ts';
import { until } from '../hostile/until.ts';
import { claude } from './programs/claude.ts';
import { codex } from './programs/codex.ts';
import { gemini } from './programs/gemini.ts';
import { writeFile } from './programs/program.ts';
import { startRefusingProxy } from './refusing-proxy.ts';

const ROOT = path.join(import.meta.dirname, '..', '..');
const TEAM = [claude, codex, gemini];
const TASKS = ['alpha', 'beta', 'gamma'];

/** How each program's model writes a file. */
const EDITS: Readonly<Record<string, (file: string, text: string) => Answer>> = {
  claude: (file, content) => ({ tool: 'Write', input: { file_path: file, content } }),
  codex: (file, text) => ({ tool: 'exec_command', input: { cmd: `printf '%s' '${text}' > '${file}'` } }),
  gemini: (file, content) => ({ tool: 'write_file', input: { file_path: file, content } }),
};

it("the README's team of three programs delivers a feature: each plans, edits or reviews by itself", async ({
  skip,
}) => {
  const installed = TEAM.map(({ preset }) => inject('installed')[preset]);
  const missing = installed.find((one) => one === undefined || 'missing' in one);
  if (missing !== undefined) skip(JSON.stringify(missing));
  const outer = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-real-team-')));
  const [home, bin, repository] = [path.join(outer, 'home'), path.join(outer, 'bin'), path.join(outer, 'shop')];
  fs.mkdirSync(bin);
  makeRepository(repository, home);
  const edited = new Set<string>();
  const models = await Promise.all(TEAM.map(({ dialect }) => startModel(dialect)));
  await using proxy = await startRefusingProxy();
  let env: Record<string, string> = {
    HOME: home,
    LANG: 'C.UTF-8',
    HTTP_PROXY: proxy.url,
    HTTPS_PROXY: proxy.url,
    NO_PROXY: '127.0.0.1,localhost',
    PATH: `${bin}:${process.env['PATH'] ?? ''}`,
  };
  for (const [index, program] of TEAM.entries()) {
    const [found, model] = [installed[index], models[index]];
    if (!model || !found || !('file' in found)) throw new Error(`${program.preset} is not there`);
    fs.symlinkSync(found.file, path.join(bin, program.preset));
    model.answer((request) => think(program.preset, request, edited));
    env = { ...env, ...program.setUp({ home, project: repository, modelUrl: model.url }) };
  }
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: repository, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  // What setting up put into the project is for other tests.
  git('clean', '-qxfd');
  try {
    const [, agents = ''] = /--agents "\\\n([^"]+)"/.exec(fs.readFileSync(path.join(ROOT, 'README.md'), 'utf8')) ?? [];
    expect(agents).toContain('carol=gemini');
    const words = ['--repo', repository, '--feature', 'Three letters', '--agents', agents];
    const { code, output } = await run(words, env);
    console.log(output);
    expect(code, output).toBe(0);
    const files = git('ls-tree', '-r', '--name-only', 'mailroom/three-letters');
    for (const task of TASKS) expect(files).toContain(`src/${task}.txt`);
    expect([...edited].sort()).toEqual(['claude', 'codex', 'gemini']);
  } finally {
    await until('all that was started has ended', () => {
      const pids = processesWith(`HOME=${home}\0`);
      for (const pid of pids) process.kill(pid, 'SIGKILL');
      return pids.length === 0;
    });
    for (const model of models) await model[Symbol.asyncDispose]();
    fs.rmSync(outer, { recursive: true, force: true });
  }
});

function makeRepository(directory: string, home: string): void {
  writeFile(path.join(directory, 'package.json'), { name: 'shop', type: 'module', scripts: { test: 'node --test' } });
  writeFile(
    path.join(directory, 'src/letters.test.mjs'),
    "import { test } from 'node:test';\ntest('letters', () => {});\n",
  );
  const env = { PATH: process.env['PATH'], HOME: home };
  const git = (...args: string[]): unknown => execFileSync('git', args, { cwd: directory, env });
  git('init', '--quiet', '--initial-branch=main');
  git('add', '--all');
  git('-c', 'user.name=User', '-c', 'user.email=user@localhost', 'commit', '--quiet', '--message', 'The shop');
}

/** A model that does what the team's questions ask for; in a task it first edits a file, by a tool of the program. */
function think(preset: string, { texts }: ModelRequest, edited: Set<string>): Answer {
  const question = texts.findLast((text) => text.includes('<<<MAIL')) ?? '';
  const [, fence = '', mail = ''] = /<<<MAIL ([0-9a-f]+)\n([\s\S]*?)\nMAIL \1>>>/.exec(question) ?? [];
  if (mail.includes('Please plan this feature')) {
    const tasks = TASKS.map((id) => ({
      id,
      title: `Write ${id}`,
      description: `Write ${id}.`,
      files: [`src/${id}.txt`],
    }));
    return { text: JSON.stringify({ tasks }) };
  }
  if (mail.includes('Please review a change')) {
    return {
      text: JSON.stringify({
        verdict: 'approve',
        summary: 'Read.',
        issues: [],
        suggestions: [],
        evidence: ['src: read'],
      }),
    };
  }
  const where = /^ {2}cd '([^']+)'$/m.exec(mail)?.[1];
  const task = TASKS.find((id) => mail.includes(`> Write ${id}`));
  if (where === undefined || task === undefined) return { text: 'There is a src directory.' };
  if (DONE.has(fence)) return { text: `Wrote ${task}.` };
  DONE.add(fence);
  edited.add(preset);
  const answer = EDITS[preset]?.(path.join(where, `src/${task}.txt`), `${task} by ${preset}`);
  return answer ?? { text: 'I cannot edit.' };
}

/** Questions by their fence, in which the edit was asked for. */
const DONE = new Set<string>();

function run(words: readonly string[], env: NodeJS.ProcessEnv): Promise<{ code: number | null; output: string }> {
  const main = path.join(ROOT, 'machines/team/main.ts');
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--import', 'tsx', main, ...words], {
      cwd: ROOT,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.once('close', (code) => resolve({ code, output }));
  });
}
