import fs from 'node:fs';
import path from 'node:path';
import { inject, type TestContext } from 'vitest';
import { startModel, type ModelServer } from '../../fixtures/agents/models/model-server.ts';
import { createAgentRoom, processesWith, type AgentRoom, type RunningAgent } from '../agents/agent-room.ts';
import { until } from '../hostile/until.ts';
import { HOME_SECRET, PROJECT_SECRET, writeFile, type Env, type Place, type RealProgram } from './programs/program.ts';
import { startRefusingProxy } from './refusing-proxy.ts';

/** A room whose project and home directory are all that a real program sees, with a fake of its model on loopback. */
export interface RealRoom extends AsyncDisposable {
  readonly room: AgentRoom;
  readonly model: ModelServer;
  readonly place: Place;
  /** Of the program, and of the agent that runs it. */
  readonly env: Env;
  /** Starts bob, who answers with the program. */
  start(...words: readonly string[]): Promise<RunningAgent>;
  /** The same in a directory that the program is to trust. */
  startTrusted(...words: readonly string[]): Promise<RunningAgent>;
}

/** Skips the test where the program could not be installed. */
export async function openRealRoom(program: RealProgram, { skip }: TestContext): Promise<RealRoom> {
  const installed = inject('installed')[program.preset];
  if (installed === undefined || 'missing' in installed) return skip(installed?.missing);
  const room = await createAgentRoom({ [program.preset]: installed.file });
  const model = await startModel(program.dialect);
  const proxy = await startRefusingProxy();
  const home = room.cli.env['HOME'] ?? '';
  const place = { home, project: room.cli.directory, modelUrl: model.url };
  const tmp = path.join(home, 'tmp');
  fs.mkdirSync(tmp);
  writeFile(path.join(place.project, 'note.txt'), PROJECT_SECRET);
  writeFile(path.join(place.project, 'a note.txt'), PROJECT_SECRET);
  writeFile(path.join(place.project, 'sub/only-in-a-listing.txt'), 'text that only-in-a-listing holds');
  writeFile(path.join(home, 'secret.txt'), HOME_SECRET);
  const env = { ...networkOf(proxy.url), TMPDIR: tmp, LANG: 'C.UTF-8', ...program.setUp(place) };
  const start: RealRoom['start'] = (...words) =>
    room.startIn(env, 'bob', '--preset', program.preset, '--backoff', '50ms', ...words);
  return {
    room,
    model,
    place,
    env,
    start,
    startTrusted: (...words) => start('--trust-directory', '.', ...words),
    [Symbol.asyncDispose]: async () => {
      // Programs leave helpers behind, which would write where the directory is being removed.
      await killAll(place);
      await room[Symbol.asyncDispose]();
      await model[Symbol.asyncDispose]();
      await proxy[Symbol.asyncDispose]();
    },
  };
}

/** Kills whatever was started in that home directory, as one instant would. */
export function killAll({ home }: Place): Promise<void> {
  return until('all that was started has ended', () => {
    const pids = processesWith(`HOME=${home}\0`);
    for (const pid of pids) killQuietly(pid);
    return pids.length === 0;
  });
}

function networkOf(proxyUrl: string): Env {
  const names = ['HTTP_PROXY', 'HTTPS_PROXY', 'http_proxy', 'https_proxy'];
  const loopback = '127.0.0.1,localhost';
  return { ...Object.fromEntries(names.map((name) => [name, proxyUrl])), NO_PROXY: loopback, no_proxy: loopback };
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has just ended.
  }
}
