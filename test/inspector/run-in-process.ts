import path from 'node:path';
import { parseArguments } from '../../src/cli/arguments.ts';
import type { CliCommand } from '../../src/cli/command.ts';
import type { OutputReport } from '../../src/cli/output.ts';
import { nodeHost } from '../../src/host/node-host.ts';

export interface RanInProcess {
  readonly code: number | undefined;
  readonly error: unknown;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command of the sources in this process, in the room of a directory. */
export async function runInProcess(
  command: CliCommand,
  words: readonly string[],
  { directory, cwd = directory }: { directory: string; cwd?: string },
): Promise<RanInProcess> {
  let [stdout, stderr] = ['', ''];
  const output = {
    isThere: () => true,
    data: async (text: string) => void (stdout += text),
    json: async (value: unknown) => void (stdout += `${JSON.stringify(value)}\n`),
    report: async (made: OutputReport) =>
      void (stdout += 'json' in made ? `${JSON.stringify(made.json)}\n` : made.text),
    talk: async (text: string) => void (stderr += text),
    advise: async (text: string) => void (stderr += text),
  };
  const ran = command.run({
    command,
    words: [command.name, ...words],
    args: parseArguments(command, [...words, '--room', path.join(directory, '.mailroom')]),
    host: nodeHost,
    env: {},
    cwd,
    output,
    isJson: false,
    pasteable: (text) => text,
    program: import.meta.filename,
    nudgeProgram: import.meta.filename,
  });
  return ran.then(
    (code) => ({ code, error: undefined, stdout, stderr }),
    (error: unknown) => ({ code: undefined, error, stdout, stderr }),
  );
}
