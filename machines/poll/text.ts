import type { Poll } from './input.ts';
import type { PollTally, Vote } from './tally.ts';
import { echo } from '../shared/text.ts';
import { shellWord } from '../shared/shell-word.ts';

const ID_CHARS_SHOWN = 8;

/** The question, with commands that vote when they are pasted into a shell. */
export function questionText({ question, options, voters, minutes, quorum }: Poll, address: string): string {
  const end = voters
    ? `when all voters have voted, at the latest ${minutesText(minutes)} after this message`
    : `${minutesText(minutes)} after this message`;
  const needed = quorum === 1 ? '' : ` It takes ${quorum} votes to decide.`;
  return [
    question,
    '',
    howToVote(options, address),
    `You may add a reason: VOTE ${shellWord(`${options[0] ?? ''} because …`)}. Only your last vote counts.`,
    `The poll ends ${end}.${needed}`,
  ].join('\n');
}

/** The reply to a vote for something that is no option. */
export function correctionText(
  { question, options }: Poll,
  { text, address }: { text: string; address: string },
): string {
  return `${echo(text)} is none of the options of: ${question}\n\n${howToVote(options, address)}`;
}

export function resultText(
  question: string,
  { outcome, option, tied, counts, votes, quorum, missing }: PollTally,
): string {
  const first = {
    decided: `Decided: ${option ?? ''}`,
    tie: `No decision: a tie of ${tied?.join(', ') ?? ''}`,
    'no-quorum': `No decision: ${votes.length} of the ${quorum} votes needed`,
  }[outcome];
  return [
    first,
    '',
    question,
    ...counts.map((one) => `  ${one.votes} ${one.option}${sourcesText(votes, one.option)}`),
    ...(missing.length === 0 ? [] : [`No vote from ${missing.join(', ')}.`]),
  ].join('\n');
}

/** `: alice (1a2b3c4d), bob (5e6f7a8b)`: voters and the ids of their messages. */
function sourcesText(votes: readonly Vote[], option: string): string {
  const sources = votes
    .filter((vote) => vote.option === option)
    .map(({ voter, messageId }) => `${voter} (${messageId.slice(-ID_CHARS_SHOWN)})`);
  return sources.length === 0 ? '' : `: ${sources.join(', ')}`;
}

function howToVote(options: readonly string[], address: string): string {
  const commands = options.map((one) => `  mailroom send ${address} VOTE ${shellWord(one)}`);
  return ['Vote with one of these commands (with your --as, if you use it):', '', ...commands, ''].join('\n');
}

function minutesText(minutes: number): string {
  return minutes < 1 ? `${Math.round(minutes * 60_000) / 1_000} s` : `${minutes} min`;
}
