import { existsSync, readFileSync } from 'node:fs';
import type { ProcessIdentity, Processes } from './processes.ts';

const BOOT_ID = '/proc/sys/kernel/random/boot_id';
/** How long the output of a program that was killed may still come. */
const OUTPUT_END_MS = 100;

export const nodeProcesses: Processes = {
  userId: () => process.getuid?.(),
  self: () => identify(process.pid) ?? { pid: process.pid, startTime: '', bootId: bootId() },
  sessionLeader: () => {
    const session = Number(statFields(process.pid)?.[3] ?? 0);
    const leader = session > 1 ? identify(session) : undefined;
    return leader ?? identify(process.ppid) ?? { pid: process.ppid, startTime: '', bootId: bootId() };
  },
  identify,
  isAlive: (identity) => {
    if (identity.bootId !== bootId()) return false;
    const found = identify(identity.pid);
    return found !== undefined && (identity.startTime === '' || found.startTime === identity.startTime);
  },
  run: async (file, args, { timeoutMs }) => {
    const { execa } = await import('execa');
    const options = { timeout: timeoutMs, killSignal: 'SIGKILL', reject: false, stdin: 'ignore' } as const;
    const started = execa(file, [...args], options);
    // Its output can be in other hands (a tmux client gives its own to the server) and then does not end with it.
    const letGo = setTimeout(() => {
      started.stdout.destroy();
      started.stderr.destroy();
    }, timeoutMs + OUTPUT_END_MS);
    const result = await started;
    clearTimeout(letGo);
    return { exitCode: result.exitCode, stdout: result.stdout, stderr: result.stderr || (result.message ?? '') };
  },
  startDetached: (file, args) => {
    void import('node:child_process').then(({ spawn }) => {
      const child = spawn(file, [...args], { detached: true, stdio: 'ignore' });
      // A wake-up that cannot be started is lost, and losing one is always safe.
      child.on('error', () => {});
      child.unref();
    });
  },
};

function identify(pid: number): ProcessIdentity | undefined {
  const fields = statFields(pid);
  if (fields) {
    // A zombie has ended; it only waits for its parent to look.
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    return { pid, startTime: fields[19] ?? '', bootId: bootId() };
  }
  if (existsSync('/proc/self/stat')) return undefined;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return undefined;
  }
  return { pid, startTime: '', bootId: '' };
}

/** The fields of proc(5) `stat` from the third (state) on; undefined when there is no such process, or no proc. */
function statFields(pid: number): string[] | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  // The second field, the name, is in parentheses and may hold any character.
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

let knownBootId: string | undefined;
function bootId(): string {
  if (knownBootId === undefined) {
    try {
      knownBootId = readFileSync(BOOT_ID, 'latin1').trim();
    } catch {
      knownBootId = '';
    }
  }
  return knownBootId;
}
