import { childEnvironment } from './child-environment.ts';
import { errnoOf } from './file-system.ts';
import { thisPlatform } from './platform/this-platform.ts';
import { identify, identityOf, isElsewhere, sessionLeader } from './process-identity.ts';
import type { CommandEnd, Processes, ProcessTree, TreeSignal } from './processes.ts';

/** How long to wait for remaining output of a program that was killed. */
const OUTPUT_END_MS = 100;

export const nodeProcesses: Processes = {
  userId: () => process.getuid?.(),
  self: () => identify(process.pid) ?? identityOf(process.pid, ''),
  sessionLeader,
  end: () => process.exit(),
  parent: () => identify(process.ppid) ?? identityOf(process.ppid, ''),
  identify,
  isAlive: (identity) => !isElsewhere(identity) && thisPlatform().isRunning(identity),
  isElsewhere,
  worksIn: (directory, options) => thisPlatform().worksIn(directory, options),
  whyBlind: () => thisPlatform().whyBlind(),
  run: async (file, args, { timeoutMs }) => {
    const { execa } = await import('execa');
    const options = { timeout: timeoutMs, killSignal: 'SIGKILL', reject: false, stdin: 'ignore' } as const;
    const started = execa(file, [...args], { ...options, env: childEnvironment(), extendEnv: false });
    // Others may hold its output open (a tmux client passes its own to the server), and then the output does not end
    // with it.
    const cutOutput = setTimeout(() => {
      started.stdout.destroy();
      started.stderr.destroy();
    }, timeoutMs + OUTPUT_END_MS);
    const result = await started;
    clearTimeout(cutOutput);
    return { exitCode: result.exitCode, stdout: result.stdout, stderr: result.stderr || (result.message ?? '') };
  },
  startResponder: async (program, options) => {
    const { NodeResponder } = await import('./node-responder.ts');
    return new NodeResponder(program, options);
  },
  startDetached: (file, args) => {
    // Started synchronously, because this process may end as soon as this returns.
    const { spawn } = process.getBuiltinModule('node:child_process');
    try {
      const child = spawn(file, [...args], { env: childEnvironment(), detached: true, stdio: 'ignore' });
      child.on('error', () => {});
      child.unref();
    } catch {
      // A wake-up that cannot be started is lost, and losing one is always safe.
    }
  },
  startSession: async (file, args, { cwd, env, stderr }) => {
    const { spawn } = await import('node:child_process');
    const child = spawn(file, [...args], {
      cwd,
      env: childEnvironment(env),
      detached: true,
      stdio: ['ignore', 'ignore', stderr],
    });
    await new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject));
    child.unref();
    const pid = child.pid ?? 0;
    // Already gone: a start time that no process has.
    return identify(pid) ?? identityOf(pid, '-');
  },
  runInto: async (file, args, { cwd, env, stdin, stdout, stderr }) => {
    const { spawn } = await import('node:child_process');
    return new Promise<CommandEnd>((resolve, reject) => {
      const child = spawn(file, [...args], {
        cwd,
        env: childEnvironment(env),
        stdio: [stdin ?? ('ignore' as const), stdout, stderr],
      });
      child.once('error', reject);
      child.once('exit', (exitCode, signal) => resolve({ exitCode, signal }));
    });
  },
  signalTree,
};

/** Sends a signal to every process of the tree except this one; returns how many there were. */
function signalTree(tree: ProcessTree, { signal, scope }: TreeSignal): number | undefined {
  const { leader } = tree;
  const platform = thisPlatform();
  // No process outlives its boot, and in another PID namespace its pid is another process's.
  if (!platform.isThisBoot(leader.bootId) || isElsewhere(leader)) return 0;
  const found = platform.findTree(tree, scope);
  // A group of an unknown boot may be anyone's.
  if (found === undefined) return leader.bootId === platform.bootId() ? signalGroup(leader.pid, signal) : 0;
  // There may be processes; the next look tells.
  if (found === 'unsure') return 1;
  const { members, strays, ownGroup } = found;
  if (signal) {
    // By group where possible: the kernel then lets no process escape by a fork meanwhile.
    const groups = new Set(members.map(({ group }) => group).filter((group) => group !== ownGroup));
    for (const group of groups) send(-group, signal);
    for (const { pid, group } of [...members, ...strays]) if (!groups.has(group)) send(pid, signal);
  }
  return members.length + strays.length;
}

/**
 * For a system that tells nothing: the group of the leader, which contains every process that did not make one of its
 * own.
 */
function signalGroup(group: number, signal: NodeJS.Signals | undefined): number | undefined {
  if (group !== process.pid) return send(-group, signal ?? 0) ? 1 : 0;
  // The leader itself can neither tell who else is there nor signal them without itself.
  if (signal === 'SIGTERM') send(-group, signal);
  return undefined;
}

/** Sends a signal; returns whether there was a process. */
function send(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // EPERM: it exists, and runs as another user.
    return errnoOf(error) === 'EPERM';
  }
  return true;
}
