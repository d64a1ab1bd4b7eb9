import type { Poll } from './input.ts';
import type { Tally, Vote } from './tally.ts';
import { echo } from '../shared/text.ts';
import { shellWord } from '../shared/shell-word.ts';

const ID_CHARS_SHOWN = 8;

/** The question, with commands that vote when they are pasted into a shell. */
export function questionText({ question, options, voters, minutes, quorum }: Poll, address: string): string {
  const end = voters
    ? `when all who are asked have voted, ${minutesText(minutes)} after this message at the latest`
    : `${minutesText(minutes)} after this message`;
  const needed = quorum === 1 ? '' : ` It takes ${quorum} votes to decide.`;
  return [
    question,
    '',
    howToVote(options, address),
    `Say why if you like: VOTE ${shellWord(`${options[0] ?? ''} because …`)}. Of your votes the last one counts.`,
    `The poll ends ${end}.${needed}`,
  ].join('\n');
}

/** What somebody is told whose vote is for none of the options. */
export function correctionText(
  { question, options }: Poll,
  { said, address }: { said: string; address: string },
): string {
  return `${echo(said)} is none of the options of: ${question}\n\n${howToVote(options, address)}`;
}

export function resultText(question: string, { outcome, option, tied, counts, votes, quorum, missing }: Tally): string {
  const first = {
    decided: `Decided: ${option ?? ''}`,
    tie: `No decision, it is a tie: ${tied?.join(', ') ?? ''}`,
    'no-quorum': `No decision: ${votes.length} of the ${quorum} votes that it takes`,
  }[outcome];
  return [
    first,
    '',
    question,
    ...counts.map((one) => `  ${one.votes} ${one.option}${sourcesText(votes, one.option)}`),
    ...(missing.length === 0 ? [] : [`No vote from ${missing.join(', ')}.`]),
  ].join('\n');
}

/** `: alice (1a2b3c4d), bob (5e6f7a8b)`: whose messages they are. */
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
