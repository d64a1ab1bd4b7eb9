import type { Host } from '../host/host.ts';
import { namesIn } from '../host/names-in.ts';
import type { JobSpec } from '../jobs/job.ts';
import { publishRecord, readRecord } from './record-file.ts';

/**
 * What lies in `agent/questions/<key>/` says how far a question is:
 *
 * | `<n>.round.json` | job `<key>.<n>` | `answer.json` | state | next |
 * |---|---|---|---|---|
 * | none | – | no | new | the first round is put up |
 * | up to n | not ended | no | round n is being asked | its job is run, or waited for |
 * | up to n | ended | no | round n is answered or failed | its output is judged: an answer, or round n + 1 |
 * | any | any | yes | answered | the answer is sent under its id, then the question is acknowledged and all of it removed |
 *
 * Every file is put up whole, by a link, and the first one counts, so that any number of processes that are killed anywhere
 * come to one answer.
 */
export interface Round {
  readonly spec: JobSpec;
  /** Whether a session was to be resumed. */
  readonly resumes: boolean;
  /** The conversation had a session, and this round begins another; how many earlier messages of it are told. */
  readonly retold?: number;
  /** The number of the last message of the context that it tells. */
  readonly told: number;
}

/** The reply as it is sent; nothing in it is made again. */
export interface Answer {
  /** Of the reply. */
  readonly id: string;
  readonly type: string;
  readonly content: string;
  readonly data?: unknown;
  readonly isFailure: boolean;
  /** Tools that the program was not allowed to use. */
  readonly denied?: readonly string[];
}

function roundPath(directory: string, number: number): string {
  return `${directory}/${number}.round.json`;
}

export function promptPath(directory: string, number: number): string {
  return `${directory}/${number}.prompt.txt`;
}

/** The round that counts: this one, or the one that was there first. */
export async function putRound(host: Host, place: { directory: string; number: number }, round: Round): Promise<Round> {
  await publishRecord(host, roundPath(place.directory, place.number), round);
  return readRound(host, place) ?? round;
}

const ROUND = /^([1-9]\d{0,3})\.round\.json$/;

/** Reads every record of a question, for whoever looks whether they can be believed. Throws Conflict for the first that cannot. */
export function readWholeQuestion(host: Host, directory: string): void {
  for (const name of namesIn(host.files, directory)) {
    const number = Number(ROUND.exec(name)?.[1] ?? 0);
    if (number > 0) readRound(host, { directory, number });
  }
  readAnswer(host, directory);
}

export function readRound(host: Host, { directory, number }: { directory: string; number: number }): Round | undefined {
  return readRecord(host, roundPath(directory, number), ({ spec, resumes, retold, told }) => {
    if (typeof spec !== 'object' || spec === null || typeof resumes !== 'boolean' || typeof told !== 'number')
      return undefined;
    // What is in the spec is looked at before it is run.
    return { spec: spec as JobSpec, resumes, told, ...(typeof retold === 'number' ? { retold } : {}) };
  });
}

/** The answer that counts: this one, or the one that was there first. */
export async function putAnswer(host: Host, directory: string, answer: Answer): Promise<Answer> {
  // At the link in there the question is answered: it is asked nobody again.
  await publishRecord(host, answerPath(directory), answer);
  return readAnswer(host, directory) ?? answer;
}

export function readAnswer(host: Host, directory: string): Answer | undefined {
  return readRecord(host, answerPath(directory), ({ id, type, content, data, isFailure, denied }) => {
    if (typeof id !== 'string' || typeof type !== 'string' || typeof content !== 'string') return undefined;
    if (typeof isFailure !== 'boolean') return undefined;
    const tools = Array.isArray(denied) ? { denied: denied.map(String) } : {};
    return { id, type, content, isFailure, ...(data === undefined ? {} : { data }), ...tools };
  });
}

const answerPath = (directory: string): string => `${directory}/answer.json`;
