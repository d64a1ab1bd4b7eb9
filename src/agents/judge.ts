import { stripVTControlCharacters } from 'node:util';
import { cut } from '../message/cut.ts';
import { visible } from '../message/visible.ts';
import type { CommandResult } from '../jobs/job.ts';
import type { AgentCommand } from './settings.ts';
import type { FinalFailure, Preset } from './preset.ts';
import { presetOf } from './presets.ts';
import type { Correction } from './prompt.ts';
import type { ReadRules, Said } from './read-output.ts';
import { parseReply, type CheckData } from './reply-data.ts';

const FAILURE_CHARS_MAX = 2_000;
const LINE_CHARS_MAX = 500;
const STDERR_CHARS_READ = 20_000;

/** What one run of the command amounts to. */
export type Verdict =
  | {
      readonly kind: 'answer';
      readonly content: string;
      readonly data?: unknown;
      readonly type?: string;
      /** Tools that the program was not allowed to use. */
      readonly denied: readonly string[];
    }
  /** It is to be asked again for data. */
  | { readonly kind: 'correct'; readonly correction: Correction }
  | Failed;

export interface Failed {
  readonly kind: 'failed';
  /** One sentence about the command, without its subject: "ended with exit code 1". */
  readonly why: string;
  /** Another try would fail as well. */
  readonly isFinal?: boolean;
  /** The session that it was to resume does not exist. */
  readonly isSessionLost?: boolean;
}

export interface Judged {
  readonly verdict: Verdict;
  readonly session: string | undefined;
}

/** How a run ended, and what it said until then. */
export interface Ran {
  readonly result: CommandResult;
  readonly said: Said;
}

/** Judges how a run ended and what it wrote; the same run is always judged the same. */
export function judge(ran: Ran, command: AgentCommand, check: CheckData | undefined): Judged {
  const { said } = ran;
  const { session, denied } = said;
  const preset = command.kind === 'preset' ? presetOf(command.preset) : undefined;
  const failed = failureOf(ran, preset);
  if (failed) return { verdict: failed, session };
  const reply = command.kind === 'shell' && command.stdin === 'json' ? replyInJson(said.reply) : undefined;
  return { verdict: checked(reply ?? { content: said.reply }, { check, denied }), session };
}

/** How the output of a command is read. */
export function readRulesOf(command: AgentCommand): ReadRules {
  return command.kind === 'preset' ? presetOf(command.preset) : { output: { format: 'text' }, finalFailures: [] };
}

function failureOf({ result, said }: Ran, preset: Preset | undefined): Failed | undefined {
  // A complete answer is one, however the process ended after it.
  if (said.isEnded && said.failure === undefined && said.reply !== '') return undefined;
  const why = whyFailed(result, said);
  if (why === undefined) return undefined;
  const stderr = plainEnd(result.stderr);
  const final = finalReport({ said, stderr }, preset?.finalFailures ?? []);
  if (final) return { kind: 'failed', why: final, isFinal: true };
  const reports = [said.failure, said.incomplete, stderr];
  const isSessionLost = reports.some((one) => one !== undefined && preset?.lostSession?.test(one));
  return { kind: 'failed', why, isSessionLost };
}

/** What the matter is, how the program puts it, and what to do; undefined when a retry may heal it. */
function finalReport(
  { said, stderr }: { said: Said; stderr: string },
  failures: readonly FinalFailure[],
): string | undefined {
  const { failure, incomplete } = said;
  const sentences = ({ what, advice }: FinalFailure, report = ''): string => {
    const text = clipped(report).trim();
    return `${what}: ${text}${/[.!?…]$/.test(text) ? '' : '.'} ${advice}`;
  };
  if (said.final) return sentences(said.final, failure ?? incomplete);
  for (const one of failures) {
    if (!one.text) continue;
    if (failure !== undefined && one.text.test(failure)) return sentences(one, failure);
    const line = stderr.split('\n').find((each) => one.text?.test(each));
    if (line !== undefined) return sentences(one, visible(line));
  }
  return undefined;
}

function whyFailed(result: CommandResult, said: Said): string | undefined {
  const { exitCode, signal, timedOut, limit, durationMs } = result;
  const seconds = Math.round(durationMs / 1000);
  if (said.failure !== undefined) return `failed: ${clipped(said.failure)}`;
  if (limit === 'output') return withErrors('wrote more than it may, and was ended', result);
  if (limit === 'idle') return withErrors(`${idled(said)}, and was ended after ${seconds} s`, result);
  if (timedOut) return withErrors(`took too long, and was ended after ${seconds} s`, result);
  if (signal !== null) return withErrors(`was ended by ${signal}`, result);
  if (exitCode !== 0) return withErrors(`ended with exit code ${exitCode}`, result);
  if (said.incomplete !== undefined) return withErrors(`did not finish: ${clipped(said.incomplete)}`, result);
  return said.reply === '' ? withErrors('wrote no answer', result) : undefined;
}

function idled({ incomplete }: Said): string {
  return incomplete === undefined
    ? 'wrote nothing for too long'
    : `made no progress for too long (${clipped(incomplete)})`;
}

function withErrors(why: string, { stderr }: CommandResult): string {
  const line = lastMeaningfulLine(plainEnd(stderr));
  return line === undefined ? why : `${why}; the last line on its stderr: ${visible(line)}`;
}

/** The end of what was written to stderr, without what colours it. */
function plainEnd(stderr: string): string {
  return stripVTControlCharacters(stderr.slice(-STDERR_CHARS_READ));
}

/** What says most: the last line that does not continue another, as frames of a stack do, and is no hint at a manual. */
function lastMeaningfulLine(text: string): string | undefined {
  const lines = text.split('\n').filter((one) => /[\p{L}\p{N}]/u.test(one) && !BESIDE_THE_POINT.test(one));
  const line = (lines.findLast((one) => /^\S/.test(one)) ?? lines.at(-1))?.trim();
  return line && cut(line, { charsMax: LINE_CHARS_MAX });
}

/** What Node, clap and others print below an error. */
const BESIDE_THE_POINT = /^(?:Node\.js v\d|note: |Usage: |For more information)/;

function clipped(report: string): string {
  return cut(stripVTControlCharacters(report), { charsMax: FAILURE_CHARS_MAX });
}

interface Reply {
  readonly content: string;
  readonly data?: unknown;
  readonly type?: string;
}

/** A program that was given JSON may answer in JSON: `{content, data?, type?}`. Undefined for anything else, which is text. */
function replyInJson(text: string): Reply | undefined {
  const parsed = parseReply(text);
  // What would be sent as other data than was written stays text, in which nothing is lost.
  if (!parsed || parsed.fault !== undefined) return undefined;
  const { value } = parsed;
  if (typeof value !== 'object' || value === null || !('content' in value)) return undefined;
  const { content, data, type, ...rest } = value as Readonly<Record<string, unknown>>;
  if (typeof content !== 'string' || Object.keys(rest).length > 0) return undefined;
  if (type !== undefined && typeof type !== 'string') return undefined;
  return { content, ...(data === undefined ? {} : { data }), ...(type === undefined ? {} : { type }) };
}

function checked(
  reply: Reply,
  { check, denied }: { check: CheckData | undefined; denied: readonly string[] },
): Verdict {
  if (!check) return { kind: 'answer', ...reply, denied };
  const found = check(reply.data === undefined ? reply.content : JSON.stringify(reply.data));
  if ('data' in found) return { kind: 'answer', ...reply, data: found.data, denied };
  return { kind: 'correct', correction: { previous: reply.content, faults: found.faults } };
}
