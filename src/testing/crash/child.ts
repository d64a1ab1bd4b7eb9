import { pathToFileURL } from 'node:url';
import type { AnyStateMachine } from 'xstate';
import { WorkflowHost, type WorkflowOptions, type WorkflowResult } from '../../runtime/host.ts';
import { Conflict, WorkflowFailed } from '../../errors.ts';
import { dyingFiles, killSelf } from '../../host/dying-files.ts';
import { nodeHost } from '../../host/node-host.ts';
import type { Durability } from '../../mailbox/mailbox.ts';
import { listOwn } from '../../mailbox/exclusive-reader.ts';
import { readJournalState } from '../../journal/read.ts';
import { mailboxOf } from '../../room/context.ts';
import { openRoom, type Room } from '../../room/room.ts';

const READ_MS_MAX = 20_000;
const READ_POLL_MS = 10;

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
    /** The export that goes on where the first is FAILED. */
    readonly mended?: string;
    readonly address: string;
    readonly input: unknown;
  }[];
}

/** How a workflow has ended, or that it is FAILED. */
export type CrashResult = WorkflowResult | { readonly status: 'failed'; readonly error: WorkflowFailed['error'] };

/** What is answered when the run was not killed. */
export interface RanToItsEnd {
  /** The calls that changed something. */
  readonly changes: number;
  readonly result: CrashResult;
}

/** Runs the workflows until the first has ended. */
async function run({ directory, durability, killAt, workflows }: CrashRun): Promise<RanToItsEnd> {
  const { files, changes } = dyingFiles(nodeHost.files, killAt);
  await using room = await openRoom({ directory, durability, host: { ...nodeHost, files }, nudge: () => {} });
  await using host = new WorkflowHost(room);
  const machines = await Promise.all(workflows.map(({ file, name }) => machineOf(file, name)));
  const mended = await Promise.all(
    workflows.map(({ file, mended: name }) =>
      name === undefined ? Promise.resolve(undefined) : machineOf(file, name),
    ),
  );
  const results: Promise<CrashResult>[] = [];
  // The first comes last: when it ends at once, the others are there already.
  for (const [at, { file, address, input }] of [...workflows.entries()].reverse()) {
    const machine = machines[at] as AnyStateMachine;
    const options = { address, ...(input === undefined ? {} : { input }), file };
    results.push((await goOn(host, { machine, mended: mended[at], options })).result);
  }
  const result = (await results.at(-1)) ?? { status: 'left' };
  await othersHaveRead(room, workflows);
  await host.close();
  await room.close();
  return { changes: changes(), result };
}

interface GoingOn {
  readonly machine: AnyStateMachine;
  readonly mended: AnyStateMachine | undefined;
  readonly options: WorkflowOptions;
}

/** As a person does it: runs the machine, and the mended one where that is FAILED, or where an earlier run has come to it. */
async function goOn(
  host: WorkflowHost,
  { machine, mended, options }: GoingOn,
): Promise<{ readonly result: Promise<CrashResult> }> {
  const retry = async (): Promise<CrashResult> => {
    if (!mended) throw new TypeError('nothing is mended');
    return orFailed((await host.run(mended, { ...options, retryFailed: true })).result);
  };
  try {
    const { result } = await host.run(machine, options);
    const first = orFailed(result);
    return { result: mended ? first.then((ended) => (ended.status === 'failed' ? retry() : ended)) : first };
  } catch (error) {
    if (!mended || !(error instanceof Conflict)) throw error;
    return { result: retry() };
  }
}

async function orFailed(result: Promise<WorkflowResult>): Promise<CrashResult> {
  try {
    return await result;
  } catch (error) {
    if (error instanceof WorkflowFailed) return { status: 'failed', error: error.error };
    throw error;
  }
}

/** `machine` may also be the default export, as for `mailroom run`. */
async function machineOf(file: string, name: string): Promise<AnyStateMachine> {
  const loaded = (await import(pathToFileURL(file).href)) as Readonly<Record<string, AnyStateMachine>>;
  const machine = loaded[name] ?? (name === 'machine' ? loaded['default'] : undefined);
  if (!machine) throw new TypeError(`${file} exports no ${name}: export the machine under that name, or say its name`);
  return machine;
}

/** What the first has sent at its end is still to be taken; whatever is left after a while is a fault of the run. */
async function othersHaveRead({ context }: Room, [, ...others]: CrashRun['workflows']): Promise<void> {
  const hasMail = ({ address }: { address: string }): boolean => {
    if (readJournalState(context, address)?.state?.status !== 'active') return false;
    const mailbox = mailboxOf(context, address);
    return mailbox !== undefined && listOwn(mailbox).length > 0;
  };
  for (let waitedMs = 0; waitedMs < READ_MS_MAX && others.some(hasMail); waitedMs += READ_POLL_MS)
    await nodeHost.clock.sleep(READ_POLL_MS);
}

// A run that fails ends the process, as one that is killed does, and its stderr says why.
process.on('message', (told) => void run(told as CrashRun).then((ran) => process.send?.(ran)));
// Nobody waits for this run any more: whoever asked for it is gone, or has given it up.
process.on('disconnect', killSelf);
