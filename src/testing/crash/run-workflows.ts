import { pathToFileURL } from 'node:url';
import type { AnyStateMachine } from 'xstate';
import { WorkflowHost, type WorkflowOptions, type WorkflowResult } from '../../runtime/host.ts';
import { readJournalState } from '../../journal/read.ts';
import { Conflict, WorkflowFailed } from '../../errors.ts';
import type { Host } from '../../host/host.ts';
import type { Durability } from '../../mailbox/mailbox.ts';
import { listWaiting } from '../../mailbox/exclusive-reader.ts';
import { mailboxOf } from '../../room/context.ts';
import { contextOf, openRoom, type Room } from '../../room/room.ts';

const READ_MS_MAX = 20_000;
const READ_POLL_MS = 10;

/** What one run of the workflows is told, as a message. */
export interface CrashRun {
  readonly directory: string;
  readonly durability: Durability;
  /** In place of which call that changes something it dies; 0 for none. */
  readonly killAt: number;
  /** All are run; it ends when the first has ended. */
  readonly workflows: readonly CrashRunWorkflow[];
}

export interface CrashRunWorkflow {
  readonly file: string;
  readonly name: string;
  /** The export that goes on where the first is FAILED. */
  readonly mended?: string;
  readonly address: string;
  readonly input: unknown;
}

/** How a workflow ended, or that it is FAILED. */
export type CrashResult =
  | WorkflowResult
  /** The workflow is FAILED. */
  | {
      readonly status: 'failed';
      /** What its step threw. */
      readonly error: WorkflowFailed['error'];
    };

/** What is answered when the run was not killed. */
export interface RanToItsEnd {
  /** The calls that changed something. */
  readonly changes: number;
  readonly result: CrashResult;
}

/** A workflow of a run, loaded. */
export interface LoadedWorkflow {
  readonly machine: AnyStateMachine;
  readonly mended: AnyStateMachine | undefined;
  readonly options: WorkflowOptions & { readonly address: string };
}

/** Loads the machines of a run; `query` is put behind the URL of each file, so that it is another module. */
export function loadWorkflows(workflows: readonly CrashRunWorkflow[], query = ''): Promise<LoadedWorkflow[]> {
  return Promise.all(
    workflows.map(async ({ file, name, mended, address, input }) => ({
      machine: await machineOf(file, name, query),
      mended: mended === undefined ? undefined : await machineOf(file, mended, query),
      options: { address, ...(input === undefined ? {} : { input }), file },
    })),
  );
}

/** Runs the workflows in a room until the first has ended. */
export async function runWorkflows(
  host: Host,
  { directory, durability }: Pick<CrashRun, 'directory' | 'durability'>,
  workflows: readonly LoadedWorkflow[],
): Promise<CrashResult> {
  await using room = await openRoom({ directory, durability, host, nudge: () => {} });
  await using workflowHost = new WorkflowHost(room);
  const results: Promise<CrashResult>[] = [];
  // The first comes last: when it ends at once, the others are there already.
  for (const workflow of [...workflows].reverse()) {
    const { result } = await goOn(workflowHost, workflow);
    // Looked at below, when all have begun.
    result.catch(() => {});
    results.push(result);
  }
  const first = results.pop() ?? Promise.resolve({ status: 'left' } as const);
  const result = await Promise.race([first, firstFailureOf(results)]);
  await othersHaveRead(room, host, workflows);
  await workflowHost.close();
  await room.close();
  return result;
}

/** Rejects when one of them does, and never resolves. */
async function firstFailureOf(results: readonly Promise<unknown>[]): Promise<never> {
  await Promise.all(results);
  return new Promise(() => {});
}

/** As a person does it: runs the machine, and the mended one where that is FAILED, or where an earlier run has come to it. */
async function goOn(
  host: WorkflowHost,
  { machine, mended, options }: LoadedWorkflow,
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
async function machineOf(file: string, name: string, query: string): Promise<AnyStateMachine> {
  const loaded = (await import(pathToFileURL(file).href + query)) as Readonly<Record<string, AnyStateMachine>>;
  const machine = loaded[name] ?? (name === 'machine' ? loaded['default'] : undefined);
  if (!machine) throw new TypeError(`${file} exports no ${name}: export the machine under that name, or say its name`);
  return machine;
}

/** What the first has sent at its end is still to be taken; whatever is left after a while is a fault of the run. */
async function othersHaveRead(room: Room, { clock }: Host, [, ...others]: readonly LoadedWorkflow[]): Promise<void> {
  const context = contextOf(room);
  const hasMail = ({ options: { address } }: LoadedWorkflow): boolean => {
    if (readJournalState(context, address)?.state?.status !== 'active') return false;
    const mailbox = mailboxOf(context, address);
    return mailbox !== undefined && listWaiting(mailbox).length > 0;
  };
  for (let waitedMs = 0; waitedMs < READ_MS_MAX && others.some(hasMail); waitedMs += READ_POLL_MS)
    await clock.sleep(READ_POLL_MS);
}
