import type { Host } from '../host/host.ts';
import { threadKey } from './question.ts';
import { isSession } from './read-output.ts';
import { readRecord, replaceRecord } from './record-file.ts';

/** What is kept of a conversation of the room. */
export interface Thread {
  readonly threadId: string;
  /** Which program the session is of. */
  readonly tool: string;
  readonly session?: string;
  /** The number of the last message of the context that was told in it. */
  readonly told: number;
}

export function readThread(host: Host, directory: string, threadId: string): Thread | undefined {
  return readRecord(host, threadPath(directory, threadId), ({ threadId: of, tool, session, told }) => {
    if (of !== threadId || typeof tool !== 'string' || typeof told !== 'number') return undefined;
    const known = typeof session === 'string' && isSession(session) ? { session } : {};
    return { threadId, tool, told, ...known };
  });
}

export async function writeThread(host: Host, directory: string, thread: Thread): Promise<void> {
  await replaceRecord(host, threadPath(directory, thread.threadId), thread);
}

/** A file for programs that keep a conversation in one. */
export function historyPath(directory: string, threadId: string): string {
  return `${directory}/${threadKey(threadId)}.history`;
}

const threadPath = (directory: string, threadId: string): string => `${directory}/${threadKey(threadId)}.json`;
