import type { AnyStateMachine, InputFrom, OutputFrom } from 'xstate';
import type { Room } from '../room/room.ts';
import type { RecordListener } from './workflow-family.ts';
import { WorkflowHost, type WorkflowOptions, type WorkflowResult } from './workflow-host.ts';

export interface RunOptions<TInput = unknown> extends WorkflowOptions<TInput> {
  /** Leaves the workflow when it aborts: what is being committed is finished, and it goes on when it is run again. */
  readonly signal?: AbortSignal | undefined;
  /** Is told of every record of the workflow and its children, after it is true. */
  readonly onRecord?: RecordListener | undefined;
}

/**
 * Runs one machine as a workflow of the room until it has ended and all its messages are delivered, or the signal aborts. It
 * goes on where an earlier process left it, however that ended; a workflow that has ended already only gives its result.
 * Throws as `WorkflowHost.run`, and Fenced when another host takes it over.
 */
export async function runWorkflow<TMachine extends AnyStateMachine>(
  room: Room,
  machine: TMachine,
  options: RunOptions<InputFrom<TMachine>> = {},
): Promise<WorkflowResult<OutputFrom<TMachine>>> {
  const { signal, onRecord, ...others } = options;
  await using host = new WorkflowHost(room);
  if (onRecord) host.onRecord(onRecord);
  const { result } = await host.run(machine, others);
  const leave = (): void => void host.close().catch(() => {});
  if (signal?.aborted) leave();
  signal?.addEventListener('abort', leave, { once: true });
  try {
    return await result;
  } finally {
    signal?.removeEventListener('abort', leave);
  }
}
