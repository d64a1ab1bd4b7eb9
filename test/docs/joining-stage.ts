import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { hookFile } from '../../src/hooks/install/hook-files.ts';
import { HOOK_EVENTS, HOOK_PROGRAMS, type HookProgram } from '../../src/hooks/programs.ts';

const COMMAND = path.join(import.meta.dirname, '../../dist/cli/mailroom.cjs');
/** The project's directory on the page. */
const HOME_SHOWN = '/home/ann';
/** The start of the prompt that Claude Code makes of a hook that woke it. */
const WOKEN = '<task-notification>\n<summary>Stop hook feedback</summary>\n</task-notification>';

/** A project with a home directory of its own, and one session of each program, in whose place this does what it would. */
export interface Stage extends AsyncDisposable {
  /** Runs a line of shell in the `terminal`, or in the shell of a program's session; resolves with all that it prints. */
  readonly run: (where: string, command: string) => Promise<string>;
  /** What the model is shown at this event. For `wake` of a session whose turn has ended: once it was woken. */
  readonly shown: (program: string, event: string) => Promise<string>;
  /** The session of Codex has its first prompt; its program tells a hook of the start only then. */
  readonly openCodex: () => Promise<void>;
  /** The turn of the program's session ends; nothing is shown then. */
  readonly endTurn: (program: string) => Promise<void>;
}

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export function createStage(): Stage {
  const outer = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-joining-')));
  const [home, bin] = [path.join(outer, 'home'), path.join(outer, 'bin')];
  const project = path.join(home, 'shop');
  for (const directory of [project, bin]) fs.mkdirSync(directory, { recursive: true });
  fs.symlinkSync(COMMAND, path.join(bin, 'mailroom'));
  // Found as installed programs, and started by nothing.
  for (const name of ['claude', 'codex', 'gemini'])
    fs.writeFileSync(path.join(bin, name), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
  const env = { PATH: `${bin}:${path.dirname(process.execPath)}:/usr/bin:/bin`, HOME: home };
  for (const words of [
    ['init', '-q'],
    ['-c', 'user.name=ann', '-c', 'user.email=ann@example.org', 'commit', '-q', '--allow-empty', '-m', 'Begin'],
  ])
    if (spawnSync('git', words, { cwd: project, env }).status !== 0) throw new Error(`git ${words.join(' ')} failed`);
  const environmentFile = path.join(outer, 'claude-env.sh');
  fs.writeFileSync(environmentFile, '');
  const started = new Set<ChildProcess>();
  let waiter: Promise<Ended> | undefined;

  const start = (shell: string, line: string, more: object, stdin = ''): Promise<Ended> =>
    new Promise((resolve, reject) => {
      const child = spawn(shell, ['-c', line], { cwd: project, env: { ...env, ...more } });
      started.add(child);
      let [stdout, stderr] = ['', ''];
      child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
      child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
      child.stdin.on('error', () => {});
      child.stdin.end(stdin);
      child.once('error', reject);
      child.once('close', (code) => {
        started.delete(child);
        resolve({ code, stdout, stderr });
      });
    });

  const fire = (program: HookProgram, event: string, fields: object = {}): Promise<Ended> => {
    const settings = fs.readFileSync(hookFile(program, 'project', { project, home, env }), 'utf8');
    const { hooks } = JSON.parse(settings) as { hooks: Record<string, { hooks: { command: string }[] }[]> };
    const written = Object.values(hooks).flatMap((groups) => groups.flatMap((group) => group.hooks));
    const line = written.find(({ command }) => command.includes(` hook ${program} ${event} `))?.command;
    if (line === undefined) throw new Error(`no hook ${event} in the settings of ${program}`);
    const opening = event === 'SessionStart' ? { source: 'startup' } : {};
    const input = { session_id: `${program}-session`, cwd: project, hook_event_name: event, ...opening, ...fields };
    const more = event === 'SessionStart' && program === 'claude' ? { CLAUDE_ENV_FILE: environmentFile } : {};
    return start('sh', line, more, JSON.stringify(input));
  };

  const inShell = (where: string): object => {
    if (where === 'claude') return { CLAUDE_CODE_SESSION_ID: 'claude-session', BASH_ENV: environmentFile };
    return where === 'codex' ? { CODEX_SESSION_ID: 'codex-session' } : {};
  };

  return {
    run: async (where, command) => {
      const { stdout, stderr } = await start('bash', command, inShell(where));
      return `${stdout}${stderr}`.replaceAll(home, HOME_SHOWN);
    },
    shown: async (program, event) => {
      const known = programOf(program);
      if (event === 'wake') {
        const { code, stderr } = (await waiter) ?? {};
        if (code !== 2) throw new Error(`the waiter ended with ${code}: ${stderr}`);
        await fire(known, 'UserPromptSubmit', { prompt: WOKEN });
        return stderr ?? '';
      }
      const { stdout, stderr } = await fire(known, event, { prompt: 'Go on.' });
      if (stdout === '') throw new Error(`${program} ${event} says nothing: ${stderr}`);
      const { hookSpecificOutput } = JSON.parse(stdout) as { hookSpecificOutput: { additionalContext: string } };
      return hookSpecificOutput.additionalContext.replaceAll(home, HOME_SHOWN);
    },
    openCodex: async () => {
      await fire('codex', 'SessionStart');
      await fire('codex', 'UserPromptSubmit', { prompt: 'Go on.' });
    },
    endTurn: async (name) => {
      const program = programOf(name);
      const end = Object.entries(HOOK_EVENTS[program]).find(([, kind]) => kind === 'turn-end')?.[0] ?? '';
      const { stdout, stderr } = await fire(program, end);
      if (`${stdout}${stderr}` !== '') throw new Error(`the end of a turn of ${program} shows: ${stdout}${stderr}`);
      if (program === 'claude') waiter ??= fire(program, 'wake', { hook_event_name: 'Stop' });
    },
    [Symbol.asyncDispose]: async () => {
      for (const child of started) child.kill('SIGKILL');
      await waiter;
      fs.rmSync(outer, { recursive: true, force: true });
    },
  };
}

function programOf(name: string): HookProgram {
  const program = HOOK_PROGRAMS.find((one) => one === name);
  if (!program) throw new Error(`the page has a session of ${name}, and no program has that name`);
  return program;
}
