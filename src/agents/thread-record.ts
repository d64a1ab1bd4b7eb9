import { basename } from 'node:path';
import { cut } from '../message/cut.ts';
import type { Host } from '../host/host.ts';
import { threadKey } from './question.ts';
import { isSession } from './read-output.ts';
import { readRecord, replaceRecord } from './record-file.ts';

/** Of the exchanges of a thread, so many at most are kept, and of each message so many characters. */
const EXCHANGES_MAX = 20;
const KEPT_CHARS_MAX = 8_000;
const ALL_CHARS_MAX = 60_000;

/** What is kept of a conversation of the room. */
export interface Thread {
  readonly threadId: string;
  /** Which program the session is of. */
  readonly tool: string;
  readonly session?: string;
  /** The number of the last message of the context that was told in it. */
  readonly told: number;
  /** What was asked and answered in it, oldest first: told again where its session is lost. */
  readonly exchanges: readonly Exchange[];
}

/** A question and its answer; of long ones the beginning. */
export interface Exchange {
  /** Of the question. */
  readonly id: string;
  readonly from: string;
  readonly type: string;
  readonly sentAt: string;
  readonly content: string;
  readonly answer: string;
}

export function readThread(host: Host, directory: string, threadId: string): Thread | undefined {
  return readThreadFile(host, threadPath(directory, threadId));
}

/** Whatever thread the file is of; its name is made of the thread's id. */
export function readThreadFile(host: Host, path: string): Thread | undefined {
  return readRecord(host, path, ({ threadId, tool, session, told, exchanges }) => {
    if (typeof threadId !== 'string' || basename(path) !== threadFileName(threadId)) return undefined;
    if (typeof tool !== 'string' || typeof told !== 'number') return undefined;
    const known = typeof session === 'string' && isSession(session) ? { session } : {};
    return { threadId, tool, told, ...known, exchanges: Array.isArray(exchanges) ? exchanges.filter(isExchange) : [] };
  });
}

export async function writeThread(host: Host, directory: string, thread: Thread): Promise<void> {
  await replaceRecord(host, threadPath(directory, thread.threadId), thread);
}

/** With one more exchange, or the same in place of what was kept of it. The oldest give way. */
export function withExchange(exchanges: readonly Exchange[], one: Exchange): Exchange[] {
  const kept = { ...one, content: clipped(one.content), answer: clipped(one.answer) };
  const all = [...exchanges.filter(({ id, from }) => id !== one.id || from !== one.from), kept].slice(-EXCHANGES_MAX);
  const sizes = all.map(({ content, answer }) => content.length + answer.length);
  let left = sizes.reduce((sum, size) => sum + size, 0);
  return all.filter((_, at) => {
    const fits = left <= ALL_CHARS_MAX;
    left -= sizes[at] ?? 0;
    return fits;
  });
}

/** A file for programs that keep a conversation in one. */
export function historyPath(directory: string, threadId: string): string {
  return `${directory}/${threadKey(threadId)}.history`;
}

const threadFileName = (threadId: string): string => `${threadKey(threadId)}.json`;
const threadPath = (directory: string, threadId: string): string => `${directory}/${threadFileName(threadId)}`;

function clipped(text: string): string {
  return cut(text.toWellFormed(), { charsMax: KEPT_CHARS_MAX });
}

function isExchange(value: unknown): value is Exchange {
  if (typeof value !== 'object' || value === null) return false;
  const fields = value as Readonly<Record<string, unknown>>;
  return ['id', 'from', 'type', 'sentAt', 'content', 'answer'].every((name) => typeof fields[name] === 'string');
}
