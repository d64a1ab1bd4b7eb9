/**
 * Root cause of what is tested here: `run` was documented to refuse network file systems, and never looked at one. This
 * machine has none, so a program that is loaded first says that every directory lies on NFS.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { setup } from 'xstate';
import type { CliRoom, Ran } from '../cli/cli-room.ts';
import { openRoom } from '../../src/index.ts';
import { nodeHost } from '../../src/runtime.ts';
import { runWorkflow } from '../../src/runtime/host.ts';
import { AS_BUILT } from '../team/program.ts';
import { createProject } from './cli-machines.ts';
import { WorkflowRoom } from './workflow-room.ts';

const NFS = 0x6969;
const NINE_P = 0x01021997;
const ENDED = `
import { setup } from 'xstate';
export const machine = setup({}).createMachine({ id: 'ended', initial: 'over', output: 'done', states: { over: { type: 'final' } } });
`;

function onNfs(directory: string, type = NFS): Record<string, string> {
  const preload = path.join(directory, 'on-nfs.cjs');
  fs.writeFileSync(preload, `require('node:fs').statfsSync = () => ({ type: ${type} });\n`);
  return { NODE_OPTIONS: `--require ${preload}` };
}

describe.runIf(process.platform === 'linux')('on a network file system', () => {
  const run = (room: CliRoom, ...more: readonly string[]): Promise<Ran> =>
    room.run(['run', 'ended.mjs', ...more], { env: onNfs(room.directory) });

  test('run refuses, says why and changes nothing, and its hint works', async () => {
    using room = await createProject({ 'ended.mjs': ENDED });
    const refused = await run(room);
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toContain(`The room ${room.room} is on NFS`);
    expect(refused.stderr).toContain('--force');
    expect(fs.existsSync(path.join(room.room, 'actors/ended'))).toBe(false);
    expect(await run(room, '--force')).toMatchObject({ code: 0, stdout: '"done"\n' });
  });

  test('on a Windows drive under WSL, the error says where to work instead', async () => {
    using room = await createProject({ 'ended.mjs': ENDED });
    const env = onNfs(room.directory, NINE_P);
    const home =
      'Under WSL, Windows drives such as /mnt/c are 9p: keep the project in your Linux home, and run Mailroom in WSL.';
    const refused = await room.run(['run', 'ended.mjs'], { env });
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toContain('is on 9p');
    expect(refused.stderr).toContain(home);
    expect((await room.run(['doctor'], { env })).stdout).toContain(home);
    expect((await run(room)).stderr).not.toContain('WSL');
  });

  test('doctor reports it', async () => {
    using room = await createProject({});
    const { code, stdout } = await room.run(['doctor'], { env: onNfs(room.directory) });
    expect(code).toBe(1);
    expect(stdout).toContain('file system: the room is on NFS');
  });

  test('npm start starts no run there', () => {
    const outer = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'mailroom-nfs-')));
    try {
      const env = { ...process.env, ...onNfs(outer) };
      const args = [...AS_BUILT, '--runs', path.join(outer, 'runs')];
      const { status, stderr } = spawnSync(process.execPath, args, { cwd: outer, env, encoding: 'utf8' });
      expect(stderr).toMatch(/^\/.*runs\/tally-1 is on NFS.* --runs <directory>, or pass --force .*\n$/);
      expect(status).toBe(2);
      expect(fs.readdirSync(path.join(outer, 'runs'))).toEqual([]);
    } finally {
      fs.rmSync(outer, { recursive: true, force: true });
    }
  });
});

test('the library refuses as well, unless forced', async () => {
  await using world = await WorkflowRoom.make();
  const files = { ...nodeHost.files, networkFileSystem: () => 'NFS' };
  await using room = await openRoom({ directory: world.directory, host: { ...nodeHost, files } });
  const machine = setup({}).createMachine({ id: 'ended', initial: 'over', states: { over: { type: 'final' } } });
  await expect(runWorkflow(room, machine)).rejects.toMatchObject({ code: 'ROOM_REFUSED' });
  expect(room.actors()).toEqual([]);
  expect(await runWorkflow(room, machine, { force: true })).toMatchObject({ status: 'done' });
});
