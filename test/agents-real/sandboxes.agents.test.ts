import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { findProgram } from '../../src/host/find-program.ts';
import { addToJson, type HookedProgram, type Place } from './programs/program.ts';
import { claude } from './programs/claude.ts';
import { codex } from './programs/codex.ts';
import { openRealRoom } from './real-room.ts';
import { outcome } from './table.ts';
import { openTerminal } from './terminal.ts';

interface Sandboxed {
  readonly program: HookedProgram;
  readonly title: string;
  /** Of `hooks add`: Codex runs no hooks of a linked worktree. */
  readonly options: readonly string[];
  /** Has it run commands in a sandbox that may write to its project alone. */
  readonly setUp: (place: Place) => void;
  /** What lets them write to the room. */
  readonly setting: (room: string) => string;
}

const SANDBOXED: readonly Sandboxed[] = [
  {
    program: claude,
    title: 'Claude Code',
    options: [],
    setUp: ({ home }) =>
      addToJson(path.join(home, '.claude/settings.json'), {
        permissions: { allow: ['Bash'] },
        sandbox: { enabled: true, failIfUnavailable: true, autoAllowBashIfSandboxed: true },
      }),
    setting: () =>
      'sandbox.filesystem.allowWrite, set from a shell outside the sandbox by: mailroom hooks add claude --sandbox-access',
  },
  {
    program: codex,
    title: 'Codex',
    options: ['--user'],
    // The tests are below the directory for temporary files, where it may write.
    setUp: ({ home }) =>
      fs.appendFileSync(
        path.join(home, '.codex/config.toml'),
        '[sandbox_workspace_write]\nexclude_slash_tmp = true\nexclude_tmpdir_env_var = true\n',
      ),
    setting: (room) => `writable_roots = ["${room}"] below [sandbox_workspace_write] in ~/.codex/config.toml`,
  },
];

describe.each(SANDBOXED.map((one) => [one.program.preset, one] as const))('%s', (preset, one) => {
  const { program } = one;

  it('by hooks: `mailroom send` in its sandbox, in a linked worktree', async (context) => {
    const missing = ['bwrap', 'socat'].find(
      (name) => findProgram(name, { path: process.env['PATH'] ?? '', cwd: '/' }) === undefined,
    );
    if (missing !== undefined) context.skip(`${missing} is not installed`);
    await using real = await openRealRoom(program, context);
    const { room, model, env } = real;
    const project = path.join(real.place.home, 'worktree');
    const git = (...args: string[]): unknown =>
      execFileSync('git', args, { cwd: real.place.project, env: room.cli.env });
    git('init', '--quiet');
    git('-c', 'user.name=User', '-c', 'user.email=user@localhost', 'commit', '--quiet', '--allow-empty', '-m', 'First');
    git('worktree', 'add', '--quiet', project);
    const place = { ...real.place, project };
    program.setUp(place);
    program.terminal.setUp(place);
    one.setUp(place);
    const added = await room.cli.run(['hooks', 'add', preset, ...one.options], { env, cwd: project });
    expect(added.code, added.stderr).toBe(0);
    model.answer(({ number }) =>
      number === 1
        ? program.hooks.runs('mailroom send alice INFO x; echo "it ended with $?"')
        : { text: `reply ${number}` },
    );
    await using terminal = await openTerminal(
      program,
      { ...real, place },
      { prompt: 'please-send-it', args: program.hooks.args },
    );
    await terminal.until('the model sees what the command printed', () => model.requests.length > 1);
    const seen = JSON.stringify(model.requests[1]?.body).replaceAll(/\\+n/g, '\n').replaceAll(/\\+"/g, '"');
    expect(seen).toContain(`this session is ${preset}-1 in the room ${room.cli.room}`);
    expect(seen).toContain(
      `The sandbox of ${one.title} may not write to the room. The setting that allows it: ${one.setting(room.cli.room)}\n`,
    );
    expect(seen).toMatch(/it ended with [1-9]/);
    expect(await room.cli.json(['inbox'], { as: 'alice' })).toEqual([]);
    outcome(context, 'refused; its error names the setting');
  });
});
