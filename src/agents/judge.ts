import { stripVTControlCharacters } from 'node:util';
import { cut } from '../message/cut.ts';
import { visible } from '../message/visible.ts';
import type { CommandResult } from '../jobs/job.ts';
import type { AgentCommand } from './settings.ts';
import type { FinalFailure, Preset } from './preset.ts';
import { presetOf } from './presets.ts';
import type { Correction } from './prompt.ts';
import type { ReadRules, ProgramOutput } from './read-output.ts';
import { parseReply, type CheckData } from './reply-data.ts';

const FAILURE_CHARS_MAX = 2_000;
const LINE_CHARS_MAX = 500;
const STDERR_CHARS_READ = 20_000;

/** The result of one run of the command. */
export type RunVerdict =
  | {
      readonly kind: 'answer';
      readonly content: string;
      readonly data?: unknown;
      readonly type?: string;
      /** Tools that the program was not allowed to use. */
      readonly denied: readonly string[];
    }
  /** The command must be asked again for data. */
  | { readonly kind: 'correct'; readonly correction: Correction }
  | FailedRun;

export interface FailedRun {
  readonly kind: 'failed';
  /** One sentence about the command, without its subject: "ended with exit code 1". */
  readonly why: string;
  /** A retry would fail as well. */
  readonly isFinal?: boolean;
  /** The session to resume does not exist. */
  readonly isSessionLost?: boolean;
}

export interface JudgedRun {
  readonly verdict: RunVerdict;
  readonly session: string | undefined;
}

/** How a run ended, and what it wrote until then. */
export interface EndedRun {
  readonly result: CommandResult;
  readonly output: ProgramOutput;
}

/** Judges how a run ended and what it wrote. Deterministic: the same run always gets the same verdict. */
export function judge(ran: EndedRun, command: AgentCommand, check: CheckData | undefined): JudgedRun {
  const { output } = ran;
  const { session, denied } = output;
  const preset = command.kind === 'preset' ? presetOf(command.preset) : undefined;
  const failed = failureOf(ran, preset);
  if (failed) return { verdict: failed, session };
  const reply = command.kind === 'shell' && command.stdin === 'json' ? replyInJson(output.reply) : undefined;
  return { verdict: checked(reply ?? { content: output.reply }, { check, denied }), session };
}

/** The rules for reading the output of a command. */
export function readRulesOf(command: AgentCommand): ReadRules {
  return command.kind === 'preset' ? presetOf(command.preset) : { output: { format: 'text' }, finalFailures: [] };
}

function failureOf({ result, output }: EndedRun, preset: Preset | undefined): FailedRun | undefined {
  // A complete answer counts, however the process ended after it.
  if (output.isEnded && output.failure === undefined && output.reply !== '') return undefined;
  const why = whyFailed(result, output);
  if (why === undefined) return undefined;
  const stderr = plainEnd(result.stderr);
  const final = finalReport({ output, stderr }, preset?.finalFailures ?? []);
  if (final) return { kind: 'failed', why: final, isFinal: true };
  const reports = [output.failure, output.incomplete, stderr];
  const isSessionLost = reports.some((one) => one !== undefined && preset?.lostSession?.test(one));
  return { kind: 'failed', why, isSessionLost };
}

/** A failure that no retry can fix: what failed, the program's own report, and what to do. Undefined if a retry may help. */
function finalReport(
  { output, stderr }: { output: ProgramOutput; stderr: string },
  failures: readonly FinalFailure[],
): string | undefined {
  const { failure, incomplete } = output;
  const sentences = ({ what, advice }: FinalFailure, report = ''): string => {
    const text = clipped(report).trim();
    return `${what}: ${text}${/[.!?…]$/.test(text) ? '' : '.'} ${advice}`;
  };
  if (output.final) return sentences(output.final, failure ?? incomplete);
  for (const one of failures) {
    if (!one.text) continue;
    if (failure !== undefined && one.text.test(failure)) return sentences(one, failure);
    const line = stderr.split('\n').find((each) => one.text?.test(each));
    if (line !== undefined) return sentences(one, visible(line));
  }
  return undefined;
}

function whyFailed(result: CommandResult, output: ProgramOutput): string | undefined {
  const { exitCode, signal, timedOut, limit, durationMs } = result;
  const seconds = Math.round(durationMs / 1000);
  if (output.failure !== undefined) return `failed: ${clipped(output.failure)}`;
  if (limit === 'output') return withErrors('wrote more than it may, and was ended', result);
  if (limit === 'idle') return withErrors(`${idled(output)}, and was ended after ${seconds} s`, result);
  if (timedOut) return withErrors(`took too long, and was ended after ${seconds} s`, result);
  if (signal !== null) return withErrors(`was ended by ${signal}`, result);
  if (exitCode !== 0) return withErrors(`ended with exit code ${exitCode}`, result);
  if (output.incomplete !== undefined) return withErrors(`did not finish: ${clipped(output.incomplete)}`, result);
  return output.reply === '' ? withErrors('wrote no answer', result) : undefined;
}

function idled({ incomplete }: ProgramOutput): string {
  return incomplete === undefined
    ? 'wrote nothing for too long'
    : `made no progress for too long (${clipped(incomplete)})`;
}

function withErrors(why: string, { stderr }: CommandResult): string {
  const line = lastMeaningfulLine(plainEnd(stderr));
  return line === undefined ? why : `${why}; the last line on its stderr: ${visible(line)}`;
}

/** The end of stderr, without escape sequences. */
function plainEnd(stderr: string): string {
  return stripVTControlCharacters(stderr.slice(-STDERR_CHARS_READ));
}

/** The most informative line: the last one that is not indented, as the frames of a stack are, and is not a usage hint. */
function lastMeaningfulLine(text: string): string | undefined {
  const lines = text.split('\n').filter((one) => /[\p{L}\p{N}]/u.test(one) && !BESIDE_THE_POINT.test(one));
  const line = (lines.findLast((one) => /^\S/.test(one)) ?? lines.at(-1))?.trim();
  return line && cut(line, { charsMax: LINE_CHARS_MAX });
}

/** Lines that Node, clap and others print below an error. */
const BESIDE_THE_POINT = /^(?:Node\.js v\d|note: |Usage: |For more information)/;

function clipped(report: string): string {
  return cut(stripVTControlCharacters(report), { charsMax: FAILURE_CHARS_MAX });
}

interface CommandReply {
  readonly content: string;
  readonly data?: unknown;
  readonly type?: string;
}

/** A program that was given JSON may answer in JSON: `{content, data?, type?}`. Undefined for anything else, which counts as text. */
function replyInJson(text: string): CommandReply | undefined {
  const parsed = parseReply(text);
  // JSON that would change when it is parsed stays text, in which nothing is lost.
  if (!parsed || parsed.fault !== undefined) return undefined;
  const { value } = parsed;
  if (typeof value !== 'object' || value === null || !('content' in value)) return undefined;
  const { content, data, type, ...rest } = value as Readonly<Record<string, unknown>>;
  if (typeof content !== 'string' || Object.keys(rest).length > 0) return undefined;
  if (type !== undefined && typeof type !== 'string') return undefined;
  return { content, ...(data === undefined ? {} : { data }), ...(type === undefined ? {} : { type }) };
}

function checked(
  reply: CommandReply,
  { check, denied }: { check: CheckData | undefined; denied: readonly string[] },
): RunVerdict {
  if (!check) return { kind: 'answer', ...reply, denied };
  const found = check(reply.data === undefined ? reply.content : JSON.stringify(reply.data));
  if ('data' in found) return { kind: 'answer', ...reply, data: found.data, denied };
  return { kind: 'correct', correction: { previous: reply.content, faults: found.faults } };
}
