import { cut } from 'agent-mailroom/workflow';
import type { ConsensusOutput } from '../consensus.ts';

/** The result of a vote on a disagreement. */
export interface Decision {
  readonly taskId: string;
  /** The id of the challenged issue. */
  readonly issue?: string;
  readonly question: string;
  readonly outcome: ConsensusOutput['outcome'];
  /** `change` or `keep`; null if the vote decided nothing. */
  readonly option: string | null;
  /** Whether the author has to change it; true if the vote decided nothing, because then the reviewer's issue stands. */
  readonly mustChange: boolean;
  readonly tieBreak: string | null;
  readonly votes: readonly {
    readonly voter: string;
    readonly option: string;
    readonly evidence: readonly string[];
    readonly messageId: string;
  }[];
  readonly missing: readonly string[];
}

export function decisionOf(
  { taskId, issue }: { readonly taskId: string; readonly issue: string },
  { question, outcome, option, tieBreak, votes, missing }: ConsensusOutput,
): Decision {
  return {
    taskId,
    issue,
    question,
    outcome,
    option: option ?? null,
    mustChange: option !== 'keep',
    tieBreak: tieBreak ?? null,
    votes: votes.map(({ voter, option: chosen, evidence, messageId }) => ({
      voter,
      option: chosen,
      evidence,
      messageId,
    })),
    missing,
  };
}

const TOPIC_CHARS_SHOWN = 300;

/** The decision in two lines, for the next reviewers. */
export function settledText({ question, outcome, option, mustChange }: Decision): string {
  const topic = cut(question.replaceAll(/\s+/gu, ' '), { charsMax: TOPIC_CHARS_SHOWN });
  const what = option === null ? `no decision (${outcome}), so the issue stands` : option;
  return `${topic}\nIt was put to the vote: ${what}. ${mustChange ? 'It has to be changed.' : 'It stays as it is.'}`;
}

/** The decision, for the author. */
export function decisionText({ question, outcome, option, mustChange, votes }: Decision): string {
  const what = option === null ? `the vote decided nothing (${outcome}), so the issue stands` : `voted: ${option}`;
  const voices = votes.map(({ voter, option: chosen }) => `${voter}: ${chosen}`).join(', ');
  return [
    question,
    `It was put to the vote; ${what}. (${voices === '' ? 'nobody voted' : voices})`,
    mustChange ? 'Please change it as the reviewer asked, and hand it in again.' : 'It stays as it is.',
  ].join('\n');
}
