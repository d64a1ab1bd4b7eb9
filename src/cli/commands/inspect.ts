import type { Command } from '../command.ts';

export const inspect: Command = {
  name: 'inspect',
  summary: 'show workflows, past and live, in the Stately inspector',
  operands: [{ name: 'address', optional: true, many: true, completes: 'address' }],
  options: [
    { name: 'jsonl', summary: 'print the events of the past instead, one JSON object a line' },
    { name: 'follow', summary: 'with --jsonl: go on with what happens, until Ctrl-C (exit 130)' },
    { name: 'with-context', summary: 'also what machines remember, are given and return: context, input, output' },
    { name: 'replay', value: 'file', summary: 'show the events that --jsonl printed into this file' },
    {
      name: 'machine',
      value: 'files',
      summary: 'files of their machines, a,b, to draw them by; those that ship need none',
    },
    { name: 'open', summary: 'open the page in the browser' },
    { name: 'port', value: 'number', summary: 'the port on 127.0.0.1, if the system is not to choose one' },
    { name: 'viewer', value: 'url', summary: 'another page than https://stately.ai/inspect to show them' },
  ],
  details: `The given workflows and all that they start, or every one. All is read from the journals: nothing has to run, nothing is
slowed down. A page on 127.0.0.1 has the official viewer in it, which comes from stately.ai and runs in your browser, until
Ctrl-C (exit 130). Its address ends in a random token, without which nobody on this machine sees the events. That needs the
package @statelyai/inspect: npm install @statelyai/inspect

  mailroom inspect
  mailroom inspect ship --machine ship.ts --with-context --open
  mailroom inspect --jsonl > inspect.jsonl     # keep it …
  mailroom inspect --replay inspect.jsonl      # … and look at it on any machine`,
  // Only this command needs xstate, which takes longer to load than all else.
  run: async (call) => (await import('../run-inspect.ts')).runInspect(call),
};
