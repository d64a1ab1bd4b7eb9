import { pathToFileURL } from 'node:url';
import type { AnyStateMachine } from 'xstate';
import { WorkflowHost, type WorkflowResult } from '../durable/workflow-host.ts';
import { dyingFiles } from '../host/dying-files.ts';
import { nodeHost } from '../host/node-host.ts';
import type { Durability } from '../mailbox/mailbox.ts';
import { openRoom } from '../room/room.ts';

/** What one run of the workflows is told, as a message. */
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

/** What is answered when the run was not killed. */
export interface RanToItsEnd {
  /** The calls that changed something. */
  readonly changes: number;
  readonly result: WorkflowResult;
}

/** Runs the workflows until the first has ended. */
async function run({ directory, durability, killAt, workflows }: CrashRun): Promise<RanToItsEnd> {
  const { files, changes } = dyingFiles(nodeHost.files, killAt);
  await using room = await openRoom({ directory, durability, host: { ...nodeHost, files }, nudge: () => {} });
  await using host = new WorkflowHost(room);
  const results: Promise<WorkflowResult>[] = [];
  for (const { file, name, address, input } of workflows) {
    const loaded = (await import(pathToFileURL(file).href)) as Readonly<Record<string, AnyStateMachine>>;
    const machine = loaded[name];
    if (!machine) throw new TypeError(`${file} exports no ${name}`);
    const { result } = await host.run(machine, { address, ...(input === undefined ? {} : { input }), file });
    results.push(result);
  }
  const result = (await results[0]) ?? { status: 'left' };
  await host.close();
  await room.close();
  return { changes: changes(), result };
}

// A run that fails ends the process, as one that is killed does, and its stderr says why.
process.on('message', (told) => void run(told as CrashRun).then((ran) => process.send?.(ran)));
