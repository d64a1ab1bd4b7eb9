import { removeQuietly } from '../host/files.ts';
import type { Host } from '../host/host.ts';
import { namesIn } from '../host/names-in.ts';
import type { Message } from '../message/message.ts';
import { publishRecord, readRecord } from './record-file.ts';

/** How many messages are kept, and how many of them are told with one question. */
const KEPT_MAX = 50;
const TOLD_MAX = 20;
const NAME = /^(\d{8})\.json$/;

/** Mail that needs no answer and is told with the next question. The number counts in the order in which it came. */
export interface ContextMail {
  readonly number: number;
  readonly message: Message;
}

/** Keeps a message; once more is nothing. The oldest beyond KEPT_MAX are forgotten. */
export async function keepContext(host: Host, directory: string, message: Message): Promise<void> {
  const kept = listContext(host, directory);
  if (kept.some((one) => one.message.id === message.id && one.message.from === message.from)) return;
  // Another process of the same actor may be doing the same.
  for (let number = (kept.at(-1)?.number ?? 0) + 1; ; number++)
    if (await publishRecord(host, pathOf(directory, number), { message })) break;
  for (const { number } of kept.slice(0, -(KEPT_MAX - 1))) removeQuietly(host.files, pathOf(directory, number));
}

/** What is to be told in a conversation in which everything up to a number was told already, oldest first. */
export function contextAfter(host: Host, directory: string, told: number): ContextMail[] {
  return listContext(host, directory)
    .filter(({ number }) => number > told)
    .slice(-TOLD_MAX);
}

function listContext(host: Host, directory: string): ContextMail[] {
  const names = namesIn(host.files, directory).sort();
  return names.flatMap((name) => {
    const number = Number(NAME.exec(name)?.[1] ?? Number.NaN);
    if (Number.isNaN(number)) return [];
    const message = readContextFile(host, `${directory}/${name}`);
    return message ? [{ number, message }] : [];
  });
}

export function readContextFile(host: Host, path: string): Message | undefined {
  return readRecord(host, path, ({ message }) =>
    typeof message === 'object' && message !== null ? (message as Message) : undefined,
  );
}

const pathOf = (directory: string, number: number): string => `${directory}/${String(number).padStart(8, '0')}.json`;
