import type { CliCommand } from '../../src/cli/command.ts';
import { runCommandLine } from '../../src/cli/run-command.ts';
import type { FileSystem } from '../../src/host/file-system.ts';
import type { SimulatedProcess } from '../../src/testing/crash/simulated-process.ts';

const STDOUT = 1;
const STDERR = 2;

/** How a command line ended that was run in a simulated process. */
export interface RanCommand {
  readonly wasKilled: boolean;
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one command line as `child`, with output of its own. */
export async function runInProcess(
  child: SimulatedProcess,
  { command, words }: { readonly command: CliCommand; readonly words: readonly string[] },
): Promise<RanCommand> {
  const said = { [STDOUT]: '', [STDERR]: '' };
  const ran = await child.run(async (host) => {
    const write: FileSystem['write'] = (fd, bytes, offset, length) => {
      if (fd !== STDOUT && fd !== STDERR) return host.files.write(fd, bytes, offset, length);
      if (!child.isDead) said[fd] += Buffer.from(bytes).toString('utf8', offset, offset + length);
      return length;
    };
    const exitCode = process.exitCode;
    try {
      await runCommandLine(words, {
        find: () => command,
        explain: async () => {},
        host: { ...host, files: { ...host.files, write } },
        program: 'mailroom',
        nudgeProgram: 'nudge',
      });
      return Number(process.exitCode);
    } finally {
      process.exitCode = exitCode;
    }
  });
  const code = ran === 'killed' ? -1 : ran.value;
  return { wasKilled: ran === 'killed', code, stdout: said[STDOUT], stderr: said[STDERR] };
}
