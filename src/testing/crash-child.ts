import { pathToFileURL } from 'node:url';
import type { AnyStateMachine } from 'xstate';
import { WorkflowHost } from '../durable/workflow-host.ts';
import { dyingFiles } from '../host/dying-files.ts';
import { nodeHost } from '../host/node-host.ts';
import type { Durability } from '../mailbox/mailbox.ts';
import { openRoom } from '../room/room.ts';

/** What one run of the workflows is told, as JSON in its first argument. */
export interface CrashRun {
  readonly directory: string;
  readonly durability: Durability;
  /** In place of which call that changes something it dies; 0 for none. */
  readonly killAt: number;
  /** All are run; it ends when the first has ended. */
  readonly workflows: readonly {
    readonly file: string;
    readonly name: string;
    readonly address: string;
    readonly input: unknown;
  }[];
}

/** Runs the workflows until the first has ended, and prints how many calls that took and what its result was. */
async function main(told: string): Promise<void> {
  const { directory, durability, killAt, workflows } = JSON.parse(told) as CrashRun;
  const { files, changes } = dyingFiles(nodeHost.files, killAt);
  const room = await openRoom({ directory, durability, host: { ...nodeHost, files }, nudge: () => {} });
  const host = new WorkflowHost(room);
  const results: Promise<unknown>[] = [];
  for (const { file, name, address, input } of workflows) {
    const loaded = (await import(pathToFileURL(file).href)) as Readonly<Record<string, AnyStateMachine>>;
    const machine = loaded[name];
    if (!machine) throw new TypeError(`${file} exports no ${name}`);
    const { result } = await host.run(machine, { address, ...(input === undefined ? {} : { input }), file });
    results.push(result);
  }
  const result = await results[0];
  await host.close();
  await room.close();
  process.stdout.write(`${JSON.stringify({ changes: changes(), result })}\n`);
}

void main(process.argv[2] ?? '');
