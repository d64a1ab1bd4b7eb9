import { basename, dirname } from 'node:path';
import { Conflict } from '../errors.ts';
import { errnoOf } from '../host/file-system.ts';
import { ensureDirectory, namesIn, removeQuietly, syncDirectory } from '../host/files.ts';
import type { Host } from '../host/host.ts';
import { quote } from '../host/shell-word.ts';
import type { JobSpec } from '../jobs/job.ts';
import { cut } from '../message/cut.ts';
import type { Message } from '../message/message.ts';
import { threadKey } from './question.ts';
import { isSession } from './read-output.ts';
import { publishJson, replaceJson, type Fields, readJson } from '../host/json-file.ts';

/**
 * The files in `agent/questions/<key>/` are the state of a question:
 *
 * | `<n>.round.json` | job `<key>.<n>` | `answer.json` | state | next |
 * |---|---|---|---|---|
 * | none | – | no | new | the first round is stored |
 * | up to n | not ended | no | round n is being asked | its job is run, or waited for |
 * | up to n | ended | no | round n is answered or failed | its output is judged: an answer, or round n + 1 |
 * | any | any | yes | answered | the answer is sent under its id, the question is acknowledged, then all files are removed |
 *
 * Guarantee: every file is published whole, by a link, and the first one wins, so that any number of processes, killed at any
 * instant, arrive at one answer.
 */
export interface QuestionRound {
  readonly spec: JobSpec;
  /** Whether the round resumes a session. */
  readonly resumes: boolean;
  /** If the conversation's session is lost: the number of earlier messages given to the new session. */
  readonly retold?: number;
  /** The number of the last context message that the round includes. */
  readonly told: number;
}

/** The reply of an agent to a message, as it is stored and sent. */
export interface AgentReply {
  /** The id of the reply. */
  readonly id: string;
  /** The message type of the reply. */
  readonly type: string;
  /** Text for a reader. */
  readonly content: string;
  /** JSON for a program. */
  readonly data?: unknown;
  /** Whether the reply only says that the program failed. */
  readonly isFailure: boolean;
  /** The tools that the program was not allowed to use. */
  readonly denied?: readonly string[];
}

function roundPath(directory: string, number: number): string {
  return `${directory}/${number}.round.json`;
}

export function promptPath(directory: string, number: number): string {
  return `${directory}/${number}.prompt.txt`;
}

/** Stores a round. Resolves with the one that counts: this one, or one that was stored first. */
export async function putRound(
  host: Host,
  place: { directory: string; number: number },
  round: QuestionRound,
): Promise<QuestionRound> {
  await publishRecord(host, roundPath(place.directory, place.number), round);
  return readRound(host, place) ?? round;
}

const ROUND = /^([1-9]\d{0,3})\.round\.json$/;

/** Reads every record of a question, to check them. Throws Conflict for the first corrupt one. */
export function readWholeQuestion(host: Host, directory: string): void {
  for (const name of namesIn(host.files, directory)) {
    const number = Number(ROUND.exec(name)?.[1] ?? 0);
    if (number > 0) readRound(host, { directory, number });
  }
  readAnswer(host, directory);
}

export function readRound(
  host: Host,
  { directory, number }: { directory: string; number: number },
): QuestionRound | undefined {
  return readRecord(host, roundPath(directory, number), ({ spec, resumes, retold, told }) => {
    if (typeof spec !== 'object' || spec === null || typeof resumes !== 'boolean' || typeof told !== 'number')
      return undefined;
    // The spec is validated before it is run.
    return { spec: spec as JobSpec, resumes, told, ...(typeof retold === 'number' ? { retold } : {}) };
  });
}

/** Stores the answer. Resolves with the one that counts: this one, or one that was stored first. */
export async function putAnswer(host: Host, directory: string, answer: AgentReply): Promise<AgentReply> {
  // At this link the question is answered: the command is never asked again.
  await publishRecord(host, answerPath(directory), answer);
  return readAnswer(host, directory) ?? answer;
}

export function readAnswer(host: Host, directory: string): AgentReply | undefined {
  return readRecord(host, answerPath(directory), ({ id, type, content, data, isFailure, denied }) => {
    if (typeof id !== 'string' || typeof type !== 'string' || typeof content !== 'string') return undefined;
    if (typeof isFailure !== 'boolean') return undefined;
    const tools = Array.isArray(denied) ? { denied: denied.map(String) } : {};
    return { id, type, content, isFailure, ...(data === undefined ? {} : { data }), ...tools };
  });
}

const answerPath = (directory: string): string => `${directory}/answer.json`;

/** Limits of what is kept of a thread: exchanges, characters of each message, characters in all. */
const EXCHANGES_MAX = 20;
const KEPT_CHARS_MAX = 8_000;
const ALL_CHARS_MAX = 60_000;

/** The record of a conversation. */
export interface ThreadRecord {
  readonly threadId: string;
  /** The program that the session belongs to. */
  readonly tool: string;
  readonly session?: string;
  /** The number of the last context message that the session got. */
  readonly told: number;
  /** Its questions and answers, oldest first; a new session gets them if this one is lost. */
  readonly exchanges: readonly Exchange[];
}

/** A question and its answer, each cut if it is long. */
export interface Exchange {
  /** The id of the question. */
  readonly id: string;
  readonly from: string;
  readonly type: string;
  readonly sentAt: string;
  readonly content: string;
  readonly answer: string;
}

export function readThread(host: Host, directory: string, threadId: string): ThreadRecord | undefined {
  return readThreadFile(host, threadPath(directory, threadId));
}

/** Reads a thread's file without knowing the thread's id; the file name must match the id in it. */
export function readThreadFile(host: Host, path: string): ThreadRecord | undefined {
  return readRecord(host, path, ({ threadId, tool, session, told, exchanges }) => {
    if (typeof threadId !== 'string' || basename(path) !== threadFileName(threadId)) return undefined;
    if (typeof tool !== 'string' || typeof told !== 'number') return undefined;
    const known = typeof session === 'string' && isSession(session) ? { session } : {};
    return { threadId, tool, told, ...known, exchanges: Array.isArray(exchanges) ? exchanges.filter(isExchange) : [] };
  });
}

export async function writeThread(host: Host, directory: string, thread: ThreadRecord): Promise<void> {
  await replaceRecord(host, threadPath(directory, thread.threadId), thread);
}

/** Adds an exchange, or replaces it. The oldest ones are dropped at the limits. */
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

/** The history file of a thread, for programs that keep a conversation in a file. */
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

/** How many context messages are kept, and how many of them one question includes. */
const KEPT_MAX = 50;
const TOLD_MAX = 20;
const NAME = /^(\d{8})\.json$/;

/** Mail that needs no answer and is included in the next question. Numbered in the order of arrival. */
export interface ContextMail {
  readonly number: number;
  readonly message: Message;
}

/** Keeps a context message. Idempotent. The oldest beyond KEPT_MAX are removed. */
export async function keepContext(host: Host, directory: string, message: Message): Promise<void> {
  const kept = listContext(host, directory);
  if (kept.some((one) => one.message.id === message.id && one.message.from === message.from)) return;
  // Another process of the same actor may be adding the same message.
  for (let number = (kept.at(-1)?.number ?? 0) + 1; ; number++)
    if (await publishRecord(host, pathOf(directory, number), { message })) break;
  for (const { number } of kept.slice(0, -(KEPT_MAX - 1))) removeQuietly(host.files, pathOf(directory, number));
}

/** The context messages that a conversation does not have yet, oldest first; it has those up to number `told`. */
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

const RECORD_BYTES_MAX = 16 * 1024 * 1024;

type Files = Pick<Host, 'files' | 'randomBytes'>;

/** Publishes a record, whole and durable. Returns false, and changes nothing, if there is one already. */
async function publishRecord(host: Files, path: string, value: object): Promise<boolean> {
  await ensureRecordDirectory(host, dirname(path));
  return publishJson(host, { path, value: { v: 1, ...value } });
}

/** Replaces a record, whole and durable. */
async function replaceRecord(host: Files, path: string, value: object): Promise<void> {
  await ensureRecordDirectory(host, dirname(path));
  return replaceJson(host, { path, value: { v: 1, ...value } });
}

/**
 * Reads a record; undefined if there is none. `parse` returns undefined for an invalid one. Throws Conflict for an invalid
 * record or a damaged file, because continuing without it could answer a question twice.
 */
function readRecord<T>({ files }: Files, path: string, parse: (fields: Fields) => T | undefined): T | undefined {
  const read = readJson(files, path, RECORD_BYTES_MAX);
  if (read === undefined) return undefined;
  const parsed = 'fields' in read && read.fields['v'] === 1 ? parse(read.fields) : undefined;
  if (parsed !== undefined) return parsed;
  throw new Conflict(`The record ${path} is corrupt; Mailroom writes it whole or not at all.`, {
    hint: `Inspect it, then delete it; its work runs again: rm -r ${quote(path)}`,
  });
}

/** Removes a directory that holds only files. No-op if there is none. */
export function removeDirectory(host: Files, directory: string): void {
  try {
    for (const name of namesIn(host.files, directory)) host.files.unlink(`${directory}/${name}`);
    host.files.rmdir(directory);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
}

/** Creates a directory and its missing parents; each is durable before its content. */
export async function ensureRecordDirectory(host: Files, directory: string): Promise<void> {
  const { files } = host;
  if (files.lstat(directory) !== undefined) return;
  await ensureRecordDirectory(host, dirname(directory));
  if (ensureDirectory(files, directory)) await syncDirectory(files, dirname(directory));
}
