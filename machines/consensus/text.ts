import { shellWord } from '../shared/shell-word.ts';
import type { DecisionRule } from './algorithms.ts';
import { ABSTAIN, type Election, type Option } from './election.ts';
import type { ConsensusOutcome, ConsensusTally } from './tally.ts';

const ID_CHARS_SHOWN = 8;

/** What it takes to win, as the question says it. */
const RULES: Readonly<Record<DecisionRule, string>> = {
  'evidence-based': 'The option with the most distinct pieces of evidence wins; confidence decides between equals.',
  'simple-majority': 'It takes more than half of the votes.',
  supermajority: 'It takes two thirds of the votes.',
  unanimous: 'It takes all of the votes.',
  'confidence-weighted': 'The option with the greatest sum of confidence wins.',
};

/** The question, with commands that vote when they are pasted into a shell. */
export function questionText(election: Election, address: string): string {
  const { question, options, electorate, algorithm, quorum, seconds } = election;
  return [
    question,
    '',
    ...options.flatMap((option) => optionLines(option, election)),
    '',
    howToVote(election, address),
    '',
    ...howToArgue(election, address),
    '',
    `${RULES[algorithm]} An abstention supports no option. At least ${quorum} of these must answer: ${electorate.join(', ')}.`,
    `Only your last vote counts. The vote ends when all have voted, at the latest ${seconds} s after this message.`,
  ].join('\n');
}

/** Sent to each voter, who would otherwise be one of many recipients of the question. */
export function summonsText(election: Election, address: string): string {
  const { question, electorate } = election;
  return [
    `You are one of ${electorate.length} voters: ${question}`,
    'The evidence so far and the rules are in the QUESTION to all.',
    '',
    howToVote(election, address),
  ].join('\n');
}

/** The reply to a vote that cannot be counted. */
export function correctionText(
  election: Election,
  { fault, address }: { readonly fault: string; readonly address: string },
): string {
  return `Your vote is not counted: ${fault}. The question is: ${election.question}\n\n${howToVote(election, address)}`;
}

export function strangerText({ question, electorate }: Election): string {
  return `Your vote does not count. The voters are ${electorate.join(', ')}. The question is: ${question}`;
}

export function resultText({ question }: Election, tally: ConsensusTally): string {
  const { scores, votes, abstentions, missing } = tally;
  const lines = scores.map(({ option, votes: count, evidence, confidence }) => {
    const sources = count === 0 ? '' : `: ${sourcesText(tally, option)}`;
    return `  ${option}: votes ${count}, evidence ${evidence}, confidence ${confidence}${sources}`;
  });
  return [
    VERDICTS[tally.outcome](tally),
    '',
    question,
    ...lines,
    ...(abstentions === 0 ? [] : [`  abstained: ${sourcesText(tally, ABSTAIN)}`]),
    ...(missing.length === 0 ? [] : [`No vote from ${missing.join(', ')}.`]),
    `Messages counted: ${votes.length}.`,
  ].join('\n');
}

const VERDICTS: Readonly<Record<ConsensusOutcome, (tally: ConsensusTally) => string>> = {
  decided: ({ option, tied, tieBreak }) =>
    tieBreak ? `Decided: ${option} (a tie of ${tied?.join(', ')}, by ${tieBreak})` : `Decided: ${option}`,
  tie: ({ tied }) => `No decision: a tie of ${tied?.join(', ')}`,
  'no-quorum': ({ votes, quorum }) => `No decision: ${votes.length} of the ${quorum} answers needed`,
  'no-evidence': () => 'No decision: no option that got votes has evidence',
  'no-majority': () => 'No decision: no option has the votes needed',
  'all-abstained': () => 'No decision: all who answered abstained',
  'no-votes': () => 'No decision: nobody answered',
};

function optionLines({ id, title, description, isSafer }: Option, { evidence }: Election): string[] {
  const head = [
    `  ${id}`,
    ...(title === undefined ? [] : [`: ${title}`]),
    ...(isSafer ? [' (declared the safer option)'] : []),
  ];
  const known = evidence.filter((one) => one.option === id).flatMap(({ items }) => items);
  return [
    head.join(''),
    ...(description === undefined ? [] : description.split('\n').map((line) => `    ${line}`)),
    ...known.map((item) => `    evidence: ${item}`),
  ];
}

function howToVote({ options }: Election, address: string): string {
  const commands = [...options.map(({ id }) => id), ABSTAIN].map(
    (one) => `  mailroom send ${address} VOTE ${shellWord(one)}`,
  );
  return ['Vote with one of these commands (with your --as, if you use it):', '', ...commands].join('\n');
}

/** Has `<option>` in it, so that a command sent without filling it in does not count. */
function howToArgue({ algorithm }: Election, address: string): string[] {
  const data = { option: '<option>', confidence: 0.8, evidence: ['<file and line, measurement, link>'], reason: '…' };
  const why = algorithm === 'evidence-based' ? 'Evidence decides, so give yours' : 'You may give reasons';
  return [
    `${why}, in words or as data:`,
    '',
    `mailroom send ${address} VOTE ${shellWord('<option> because …; evidence: <file and line>; evidence: …; confidence: 0.8')}`,
    `mailroom send ${address} VOTE ${shellWord('<option>')} --data ${shellWord(JSON.stringify(data))}`,
    '',
    'A researchQuality from 0 to 1 in the data breaks a tie.',
  ];
}

/** `alice (1a2b3c4d), bob (5e6f7a8b)`: voters and the ids of their messages. */
function sourcesText({ votes }: ConsensusTally, option: string): string {
  return votes
    .filter((vote) => vote.option === option)
    .map(({ voter, messageId }) => `${voter} (${messageId.slice(-ID_CHARS_SHOWN)})`)
    .join(', ');
}
