import { visibleLines } from '../message/visible.ts';
import type { CommandResult } from '../jobs/job.ts';
import type { AgentCommand } from './agent-command.ts';
import { presetOf, type OutputRules } from './presets.ts';
import type { Correction } from './prompt.ts';
import { readOutput, type Said } from './read-output.ts';
import type { CheckData } from './reply-data.ts';

const STDERR_CHARS_MAX = 1_000;
const FAILURE_CHARS_MAX = 2_000;

/** What one run of the command amounts to. */
export type Verdict =
  | { readonly kind: 'answer'; readonly content: string; readonly data?: unknown; readonly type?: string }
  /** It is to be asked again for data. */
  | { readonly kind: 'correct'; readonly correction: Correction }
  /** `why` is one sentence about the command, without its subject: "ended with exit code 1". */
  | { readonly kind: 'failed'; readonly why: string };

export interface Judged {
  readonly verdict: Verdict;
  readonly session: string | undefined;
}

/** Judges how a run ended and what it wrote; the same run is always judged the same. */
export function judge(result: CommandResult, command: AgentCommand, check: CheckData | undefined): Judged {
  const said = readOutput(result.stdout, rulesOf(command));
  const failure = failureOf(result, said);
  if (failure !== undefined) return { verdict: { kind: 'failed', why: failure }, session: said.session };
  const reply = command.kind === 'shell' && command.stdin === 'json' ? replyInJson(said.reply) : undefined;
  const answer = reply ?? { content: said.reply };
  return { verdict: checked(answer, check), session: said.session };
}

function rulesOf(command: AgentCommand): OutputRules {
  return command.kind === 'preset' ? presetOf(command.preset).output : { format: 'text' };
}

function failureOf(result: CommandResult, said: Said): string | undefined {
  const { exitCode, signal, timedOut, limit, durationMs } = result;
  const seconds = Math.round(durationMs / 1000);
  if (limit === 'output') return withErrors('wrote more than it may, and was ended', result);
  if (limit === 'idle') return withErrors(`wrote nothing for too long, and was ended after ${seconds} s`, result);
  if (timedOut) return withErrors(`took too long, and was ended after ${seconds} s`, result);
  if (said.failure !== undefined) return `failed: ${clipped(said.failure)}`;
  if (signal !== null) return withErrors(`was ended by ${signal}`, result);
  if (exitCode !== 0) return withErrors(`ended with exit code ${exitCode}`, result);
  if (said.incomplete !== undefined) return withErrors(`did not finish: ${clipped(said.incomplete)}`, result);
  return said.reply === '' ? withErrors('wrote no answer', result) : undefined;
}

function withErrors(why: string, { stderr }: CommandResult): string {
  const errors = visibleLines(stderr.trim());
  if (errors === '') return why;
  const last = errors.length > STDERR_CHARS_MAX ? `…${errors.slice(-STDERR_CHARS_MAX)}` : errors;
  return `${why}; the end of what it wrote to stderr: ${last}`;
}

function clipped(text: string): string {
  return text.length > FAILURE_CHARS_MAX ? `${text.slice(0, FAILURE_CHARS_MAX)}…` : text;
}

interface Reply {
  readonly content: string;
  readonly data?: unknown;
  readonly type?: string;
}

/** A program that was given JSON may answer in JSON: `{content, data?, type?}`. Undefined for anything else, which is text. */
function replyInJson(text: string): Reply | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || !('content' in value)) return undefined;
  const { content, data, type, ...rest } = value as Readonly<Record<string, unknown>>;
  if (typeof content !== 'string' || Object.keys(rest).length > 0) return undefined;
  if (type !== undefined && typeof type !== 'string') return undefined;
  return { content, ...(data === undefined ? {} : { data }), ...(type === undefined ? {} : { type }) };
}

function checked(reply: Reply, check: CheckData | undefined): Verdict {
  if (!check) return { kind: 'answer', ...reply };
  const found = check(reply.data === undefined ? reply.content : JSON.stringify(reply.data));
  if ('data' in found) return { kind: 'answer', ...reply, data: found.data };
  return { kind: 'correct', correction: { previous: reply.content, faults: found.faults } };
}
