import type { CliCommand } from '../command.ts';

export const inspect: CliCommand = {
  name: 'inspect',
  summary: 'show workflows, past and live, in the Stately inspector',
  operands: [{ name: 'address', optional: true, many: true, completes: 'address' }],
  options: [
    { name: 'jsonl', summary: 'print past events instead, one JSON object per line' },
    { name: 'follow', summary: 'with --jsonl: keep printing new events until Ctrl-C (exit 130)' },
    { name: 'with-context', summary: 'include what machines remember, are given and return: context, input, output' },
    { name: 'replay', value: 'file', summary: 'show the events that --jsonl printed into this file' },
    {
      name: 'machine',
      value: 'files',
      summary: 'files of their machines, a,b, to draw them; shipped machines need none',
    },
    { name: 'open', summary: 'open the page in the browser' },
    { name: 'port', value: 'number', summary: 'the port on 127.0.0.1; default: the system chooses' },
    { name: 'viewer', value: 'url', summary: 'the page that shows them; default https://stately.ai/inspect' },
  ],
  details: `It shows the given workflows and all that they start; without an address, every workflow. Everything is read from the
journals: nothing has to run, nothing is slowed down. Until Ctrl-C (exit 130) a page on 127.0.0.1 embeds the official
viewer, which comes from stately.ai and runs in your browser. The page's URL ends in a random token, without which nobody
on this machine sees the events. The page needs the package @statelyai/inspect: npm install @statelyai/inspect

  mailroom inspect
  mailroom inspect ship --machine ship.ts --with-context --open
  mailroom inspect --jsonl > inspect.jsonl     # keep it …
  mailroom inspect --replay inspect.jsonl      # … and look at it on any machine`,
  // Only this command needs xstate, which takes longer to load than everything else.
  run: async (call) => (await import('../run-inspect.ts')).runInspect(call),
};
