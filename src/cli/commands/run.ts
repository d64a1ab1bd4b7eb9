import type { Call, CliCommand } from '../command.ts';

/** The command `run`. `carryOut` is passed in, because it loads the whole runtime and explaining the command must not. */
export function createRun(carryOut: (call: Call) => Promise<number>): CliCommand {
  return {
    name: 'run',
    summary: 'run a machine as a workflow until it ends',
    operands: [{ name: 'machine' }],
    options: [
      { name: 'input', value: 'json', summary: 'its input: JSON, or @file with JSON in it' },
      { name: 'again', summary: 'start a new run if the previous one has ended or is FAILED' },
      { name: 'retry-failed', summary: 'retry the step of a FAILED workflow, even with changed code' },
      { name: 'take-over', summary: 'take it from a live host' },
      { name: 'accept-changed', summary: 'resume even though the code of the machine has changed' },
      { name: 'force', summary: 'run it even though the room is on a network file system' },
      { name: 'inspect', summary: 'show it in the Stately inspector' },
    ],
    details: `The file exports an XState machine as \`machine\`, or as the default export. The workflow's address is --as, or the machine's
id. Whatever ends this process, even kill -9: the same command resumes the workflow. Each change is reported on stderr. The
machine's output, if it has any, is JSON on stdout. With --json one line is printed however it ends: {"address","status"}
with "output" or "error"; the status is done, error, stopped, or left if the workflow can be resumed. Exit codes: 0 done,
1 failed or stopped, 130 interrupted (Ctrl-C; run it again to resume).

Where a step throws that it cannot do without (a timer's, a result's, an answer's, a child's), it is FAILED: it keeps the state
from before, everything for it waits, and it exits 1 with the error and its place. Fix the code, and run it with --retry-failed.

  mailroom run ship.ts --input '{"branch":"main"}'
  mailroom run ship.ts --as release.train --input @plan.json
  mailroom run ship.ts --retry-failed
  mailroom workflows                     # what it waits for
  mailroom why ship                      # how it reached its state`,
    run: carryOut,
  };
}
