import fs from 'node:fs';
import path from 'node:path';
import { inject, type TestContext } from 'vitest';
import { startModel, type ModelServer } from '../../fixtures/agents/models/model-server.ts';
import { createAgentRoom, processesWith, type AgentRoom, type RunningAgent } from '../agents/agent-room.ts';
import { until } from '../hostile/until.ts';
import { HOME_SECRET, PROJECT_SECRET, writeFile, type Env, type Place, type RealProgram } from './programs/program.ts';
import { startRefusingProxy } from './refusing-proxy.ts';

/** A room whose project and home directory are all that a real program sees, with a fake of its model on loopback. */
export interface ProgramRoom {
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

/** The same, for a test that has one program. */
export interface RealRoom extends ProgramRoom, AsyncDisposable {}

/** Skips the test where the program could not be installed. */
export async function openRealRoom(program: RealProgram, context: TestContext): Promise<RealRoom> {
  const real = await openSharedRoom([program], context);
  return { ...real.of(program), [Symbol.asyncDispose]: () => real[Symbol.asyncDispose]() };
}

/** One room, project and home directory for several real programs, each with a fake of its model on loopback. */
export interface SharedRoom extends AsyncDisposable {
  /** The same room, as one of the programs sees it. */
  of(program: RealProgram): ProgramRoom;
}

/** Skips the test where one of the programs could not be installed. */
export async function openSharedRoom(programs: readonly RealProgram[], { skip }: TestContext): Promise<SharedRoom> {
  const files: Record<string, string> = {};
  for (const { preset } of programs) {
    const installed = inject('installed')[preset];
    if (installed === undefined || 'missing' in installed) return skip(installed?.missing);
    files[preset] = installed.file;
  }
  const room = await createAgentRoom(files);
  const proxy = await startRefusingProxy();
  const home = room.cli.env['HOME'] ?? '';
  const project = room.cli.directory;
  const tmp = path.join(home, 'tmp');
  fs.mkdirSync(tmp);
  writeFile(path.join(project, 'note.txt'), PROJECT_SECRET);
  writeFile(path.join(project, 'a note.txt'), PROJECT_SECRET);
  writeFile(path.join(project, 'sub/only-in-a-listing.txt'), 'text that only-in-a-listing holds');
  writeFile(path.join(home, 'secret.txt'), HOME_SECRET);
  // Codex runs commands in a login shell, and /etc/profile sets a PATH of its own.
  writeFile(
    path.join(home, '.profile'),
    `PATH='${room.cli.env['PATH']}'
`,
  );
  const env = { ...networkOf(proxy.url), TMPDIR: tmp, LANG: 'C.UTF-8' };
  const models = new Map<RealProgram, ModelServer>();
  for (const program of programs) {
    const model = await startModel(program.dialect);
    models.set(program, model);
    Object.assign(env, program.setUp({ home, project, modelUrl: model.url }));
  }
  return {
    of: (program) => {
      const model = models.get(program);
      if (!model) throw new Error(`${program.preset} is not in this room`);
      const start: ProgramRoom['start'] = (...words) =>
        room.startIn(env, 'bob', '--preset', program.preset, '--backoff', '50ms', ...words);
      return {
        room,
        model,
        place: { home, project, modelUrl: model.url },
        env,
        start,
        startTrusted: (...words) => start('--trust-directory', '.', ...words),
      };
    },
    [Symbol.asyncDispose]: async () => {
      // Programs leave helpers behind, which would write where the directory is being removed.
      await killAll({ home });
      await room[Symbol.asyncDispose]();
      for (const model of models.values()) await model[Symbol.asyncDispose]();
      await proxy[Symbol.asyncDispose]();
    },
  };
}

/** Kills whatever was started in that home directory, as one instant would. */
export function killAll({ home }: Pick<Place, 'home'>): Promise<void> {
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
