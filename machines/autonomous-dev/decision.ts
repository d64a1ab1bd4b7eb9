import { cut } from 'agent-mailroom/workflow';
import type { ConsensusOutput } from '../consensus.ts';

/** What a vote on a disagreement came to. */
export interface Decision {
  readonly taskId: string;
  /** The id of the issue that was challenged. */
  readonly issue?: string;
  readonly question: string;
  readonly outcome: ConsensusOutput['outcome'];
  /** `change` or `keep`; null where nothing was decided. */
  readonly option: string | null;
  /** Whether the author has to change it: also where nothing was decided, because then the reviewer's issue stands. */
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

/** On a line, for whoever reviews it next. */
export function settledText({ question, outcome, option, mustChange }: Decision): string {
  const topic = cut(question.replaceAll(/\s+/gu, ' '), { charsMax: TOPIC_CHARS_SHOWN });
  const what = option === null ? `no decision (${outcome}), so the issue stands` : option;
  return `${topic}\nIt was put to the vote: ${what}. ${mustChange ? 'So it is to be changed.' : 'So it stays as it is.'}`;
}

/** For the author. */
export function decisionText({ question, outcome, option, mustChange, votes }: Decision): string {
  const what = option === null ? `the vote decided nothing (${outcome}), so the issue stands` : `voted: ${option}`;
  const voices = votes.map(({ voter, option: chosen }) => `${voter}: ${chosen}`).join(', ');
  return [
    question,
    `It was put to the vote; ${what}. (${voices === '' ? 'nobody voted' : voices})`,
    mustChange ? 'So change it as the reviewer asked, and hand it in again.' : 'So it stays as it is.',
  ].join('\n');
}
