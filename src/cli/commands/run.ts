import type { Call, Command } from '../command.ts';

/** The command, given who carries it out: that needs the whole runtime, and to explain the command does not. */
export function createRun(carryOut: (call: Call) => Promise<number>): Command {
  return {
    name: 'run',
    summary: 'run a machine as a workflow until it has ended',
    operands: [{ name: 'machine' }],
    options: [
      { name: 'input', value: 'json', summary: 'what it begins with: JSON, or @file with JSON in it' },
      { name: 'again', summary: 'begin anew where an earlier run has ended or is FAILED' },
      { name: 'retry-failed', summary: 'take the step of a FAILED workflow once more, also with changed code' },
      { name: 'take-over', summary: 'take it from a live host' },
      { name: 'accept-changed', summary: 'go on although the code of the machine has changed' },
      { name: 'force', summary: 'run it although the room lies on a network file system' },
      { name: 'inspect', summary: 'show it in the Stately inspector' },
    ],
    details: `The file exports an XState machine as \`machine\`, or by default. The workflow's address is --as, or the machine's id. Whatever
ends this process, also kill -9: the same command goes on where it was. Each change is told on stderr. The machine's output is
JSON on stdout; of a machine without output there is none. With --json it is one line at every end: {"address","status"} with
"output" or "error", the status being done, error, stopped, or left when it goes on. Exit codes: 0 done, 1 failed or stopped,
130 interrupted (Ctrl-C; it goes on when it is run again).

Where a step throws that it cannot do without (a timer's, a result's, an answer's, a child's), it is FAILED: it keeps the state
from before, everything for it waits, and it exits 1 with the error and its place. Fix the code, and run it with --retry-failed.

  mailroom run ship.ts --input '{"branch":"main"}'
  mailroom run ship.ts --as release.train --input @plan.json
  mailroom run ship.ts --retry-failed
  mailroom workflows                     # what it waits for
  mailroom why ship                      # how it came to where it is`,
    run: carryOut,
  };
}
