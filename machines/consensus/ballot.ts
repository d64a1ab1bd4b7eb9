import { cut } from 'agent-mailroom/workflow';
import { z } from 'zod';
import { optionOf } from '../poll/tally.ts';
import { plain, echo, readClauses } from '../shared/text.ts';
import { ABSTAIN, distinctEvidence, type Election, namesOf } from './election.ts';

/** One vote, and the message that carried it. */
export interface Ballot {
  /** The verified sender. */
  readonly voter: string;
  /** The id of an option, or `abstain`. */
  readonly option: string;
  /** 0 to 1. Default: 1. */
  readonly confidence: number;
  /** Distinct items. */
  readonly evidence: readonly string[];
  readonly reason: string;
  /** 0 to 1, as the voter rates its own research; null if it does not. */
  readonly researchQuality: number | null;
  /** A UUIDv7: of two votes of one voter, the one with the greater id was sent later. */
  readonly messageId: string;
}

/** The content of a vote, without its sender. */
export type Choice = Omit<Ballot, 'voter' | 'messageId'>;

/** How a message is read: as a vote, as a vote with a fault, or as no vote. */
export type Reading = { readonly choice: Choice } | { readonly fault: string } | { readonly isNone: true };

const REASON_CHARS_MAX = 300;
const VOTE_BYTES_MAX = 16 * 1_024;
/** All votes together go into one message, the result for a parent. */
const VOTES_BYTES_MAX = 128 * 1_024;

const PREFIX = /^\s*vote:/i;

const unit = z.number('expected a number from 0 to 1').min(0).max(1);
const voteData = z.object({
  option: z.string().optional(),
  confidence: unit.optional(),
  evidence: z.array(z.string()).default([]),
  reason: z.string().optional(),
  researchQuality: unit.optional(),
});

interface VoteMessage {
  readonly type: string;
  readonly content: string;
  readonly data: unknown;
}

/**
 * Reads a vote from a message. A VOTE is one, and so is an INFO that begins with `vote:`, names an option in its data, or
 * consists of an option and a reason; any other INFO is no vote. The text is an option, then optionally any number of
 * `; evidence: <item>` and `; confidence: 0.8`. The data has the same by name, and takes precedence.
 */
export function readBallot({ type, content, data }: VoteMessage, election: Election): Reading {
  const text = content.replace(PREFIX, '').trim();
  const parsed = voteData.safeParse(data ?? {});
  const named = parsed.success ? parsed.data.option : undefined;
  const option = optionIn(named ?? text, election);
  const isMeant = type === 'VOTE' || PREFIX.test(content) || named !== undefined;
  if (!isMeant && option === undefined) return { isNone: true };
  if (!parsed.success) {
    const [{ path, message } = { path: [], message: '' }] = parsed.error.issues;
    return { fault: `${['data', ...path].join('.')}: ${message}` };
  }
  if (option === undefined) return { fault: `${echo(named ?? text)} is none of the options` };
  const written = readText(text);
  if ('fault' in written) return written;
  const choice: Choice = {
    option,
    confidence: parsed.data.confidence ?? written.confidence ?? 1,
    evidence: distinctEvidence([...parsed.data.evidence, ...written.evidence]),
    reason: cut(plain(parsed.data.reason ?? written.reason), { charsMax: REASON_CHARS_MAX }),
    researchQuality: parsed.data.researchQuality ?? written.researchQuality ?? null,
  };
  const bytes = Buffer.byteLength(JSON.stringify(choice));
  const bytesMax = Math.min(VOTE_BYTES_MAX, Math.floor(VOTES_BYTES_MAX / election.electorate.length));
  return bytes > bytesMax
    ? { fault: `the vote has ${bytes} bytes, at most ${bytesMax}; name files and lines instead of quoting them` }
    : { choice };
}

function optionIn(text: string, { options }: Election): string | undefined {
  const name = optionOf(text, [...options.flatMap((option) => namesOf(option)), ABSTAIN]);
  if (name === undefined || name === ABSTAIN) return name;
  return options.find((option) => namesOf(option).includes(name))?.id;
}

interface Written {
  readonly evidence: readonly string[];
  readonly reason: string;
  readonly confidence?: number;
  readonly researchQuality?: number;
}

/** The part of a vote after its option. */
function readText(text: string): Written | { readonly fault: string } {
  const { named, rest } = readClauses(text, ['evidence', 'confidence', 'research quality']);
  const [, reason = ''] = /\bbecause\b(.*)/is.exec(rest.join('; ')) ?? [];
  const numbers: { confidence?: number; researchQuality?: number } = {};
  for (const [name, key] of NUMBERS) {
    const last = named(name).at(-1);
    const number = last === undefined ? undefined : unitOf(last);
    if (last !== undefined && number === undefined) return { fault: `${name}: expected a number from 0 to 1` };
    if (number !== undefined) numbers[key] = number;
  }
  return { evidence: named('evidence'), reason, ...numbers };
}

const NUMBERS = [
  ['confidence', 'confidence'],
  ['research quality', 'researchQuality'],
] as const;

/** `0.8`, or `80%`. */
function unitOf(text: string): number | undefined {
  const [, digits, percent] = /^\s*(\d+(?:\.\d+)?|\.\d+)\s*(%?)\.?\s*$/u.exec(text) ?? [];
  if (digits === undefined) return undefined;
  const number = percent === '%' ? Number(digits) / 100 : Number(digits);
  return number <= 1 ? number : undefined;
}
