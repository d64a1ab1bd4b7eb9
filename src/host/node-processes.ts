import { childEnvironment } from './child-environment.ts';
import { bootId, identify, identityOf, isElsewhere, SESSION, statFields, worksIn } from './proc-stat.ts';
import { signalTree } from './process-tree.ts';
import type { CommandEnd, Processes } from './processes.ts';

/** How long the output of a program that was killed may still come. */
const OUTPUT_END_MS = 100;

const FIRST_PID = 1;

export const nodeProcesses: Processes = {
  userId: () => process.getuid?.(),
  self: () => identify(process.pid) ?? identityOf(process.pid, ''),
  sessionLeader: () => {
    // What leads the session, or has started this, may be outside of the PID namespace, and is 0 then; the first process of
    // that stays as long as it.
    for (const pid of [Number(statFields(process.pid)?.[SESSION] ?? 0), process.ppid, FIRST_PID]) {
      const found = pid > 0 ? identify(pid) : undefined;
      if (found) return found;
    }
    return identityOf(process.ppid, '');
  },
  end: () => process.exit(),
  parent: () => identify(process.ppid) ?? identityOf(process.ppid, ''),
  identify,
  isAlive: (identity) => {
    if (identity.bootId !== bootId() || isElsewhere(identity)) return false;
    const found = identify(identity.pid);
    return found !== undefined && (identity.startTime === '' || found.startTime === identity.startTime);
  },
  isElsewhere,
  worksIn,
  run: async (file, args, { timeoutMs }) => {
    const { execa } = await import('execa');
    const options = { timeout: timeoutMs, killSignal: 'SIGKILL', reject: false, stdin: 'ignore' } as const;
    const started = execa(file, [...args], { ...options, env: childEnvironment(), extendEnv: false });
    // Its output can be in other hands (a tmux client gives its own to the server) and then does not end with it.
    const letGo = setTimeout(() => {
      started.stdout.destroy();
      started.stderr.destroy();
    }, timeoutMs + OUTPUT_END_MS);
    const result = await started;
    clearTimeout(letGo);
    return { exitCode: result.exitCode, stdout: result.stdout, stderr: result.stderr || (result.message ?? '') };
  },
  startResponder: async (program, options) => {
    const { NodeResponder } = await import('./node-responder.ts');
    return new NodeResponder(program, options);
  },
  startDetached: (file, args) => {
    // At once, because this process may end as soon as this returns.
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
    // Gone already: a start time that no process has.
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
