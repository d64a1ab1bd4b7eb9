/**
 * `npm run bench`: how long Mailroom takes beside the least that a program could do for the same, measured in turn in one
 * run. `--only <row>` (repeatable) measures some rows, `--quick` takes fewer rounds, `--dir` another file system,
 * `--dist` another build, `--node` another Node for whole processes, `--out` another file for the JSON; `--smoke` only shows that everything runs.
 */
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { warmUp } from './bench-room.ts';
import { loadBuilt } from './load-built.ts';
import { describeMachine } from './machine.ts';
import type { Bench, Outcome } from './row.ts';
import { broadcastRow } from './rows/broadcast.ts';
import { cliRow } from './rows/cli.ts';
import { fullMailboxRow } from './rows/full-mailbox.ts';
import { receiveRow } from './rows/receive.ts';
import { recoveryRow } from './rows/recovery.ts';
import { runCommandRow } from './rows/run-command.ts';
import { sendPowerRow } from './rows/send-power.ts';
import { sendRow } from './rows/send.ts';
import { stepPowerRow } from './rows/step-power.ts';
import { stepRow } from './rows/step.ts';
import { systemCallsRow } from './rows/system-calls.ts';
import { wakeUpRow } from './rows/wake-up.ts';
import { formatMachine, formatTable } from './table.ts';
import { makeWorkspace } from './workspace.ts';

const ROWS = [
  sendRow,
  sendPowerRow,
  receiveRow,
  broadcastRow,
  fullMailboxRow,
  wakeUpRow,
  stepRow,
  stepPowerRow,
  recoveryRow,
  cliRow,
  runCommandRow,
  systemCallsRow,
];
const root = path.dirname(import.meta.dirname);

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    quick: { type: 'boolean', default: false },
    smoke: { type: 'boolean', default: false },
    dir: { type: 'string' },
    dist: { type: 'string', default: path.join(root, 'dist') },
    node: { type: 'string', default: process.execPath },
    out: { type: 'string', default: path.join(import.meta.dirname, 'results.json') },
  },
});
const unknown = options.only?.find((name) => !ROWS.some((row) => row.name === name));
if (unknown === undefined) await measure();
else {
  process.exitCode = 2;
  console.error(`There is no row ${unknown}; there are ${ROWS.map(({ name }) => name).join(', ')}.`);
}

async function measure(): Promise<void> {
  const dist = path.resolve(options.dist);
  const { library, workflows } = await loadBuilt(dist);
  const workspace = makeWorkspace(options.dir);
  const size: Bench['size'] = options.smoke ? 'smoke' : options.quick ? 'quick' : 'full';
  const bench: Bench = { size, library, workflows, dist, node: options.node, freshDirectory: workspace.fresh };
  const machine = describeMachine(workspace.directory);
  console.log(
    `${formatMachine(machine)}\n${'spread'.padEnd(11)} ${workspace.isSpread ? 'batches lie in block groups of their own' : 'no'}\n`,
  );
  const rows: Record<string, Outcome[]> = {};
  try {
    await warmUp(bench);
    for (const row of ROWS.filter(({ name }) => options.only?.includes(name) ?? true)) {
      const started = performance.now();
      rows[row.name] = await row.run(bench);
      console.error(`${row.name}: ${((performance.now() - started) / 1_000).toFixed(1)} s`);
    }
  } finally {
    workspace.remove();
  }
  console.log(`\n${formatTable(Object.values(rows).flat())}`);
  fs.writeFileSync(options.out, `${JSON.stringify({ machine, spread: workspace.isSpread, size, rows }, null, 2)}\n`);
  console.log(`\nThe same as JSON: ${path.relative(process.cwd(), options.out)}`);
}
