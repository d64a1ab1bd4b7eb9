import { cut } from 'agent-mailroom/workflow';
import { distinctEvidence, type ElectionInput, EVIDENCE_ITEMS_MAX, TEXT_CHARS_MAX } from '../consensus/election.ts';
import type { Disagreement, IssuePosition } from './disagreement.ts';

/** Doing what the reviewer wants is the safer of the two. */
const SIDES = { change: 'change', keep: 'keep' } as const;

/** The vote on a disagreement, as the input of a consensus: change what the reviewer wants, or keep it. */
export function electionOf({ topic, positions }: Disagreement, electorate: readonly string[]): ElectionInput {
  const sides = [
    { id: SIDES.change, title: 'Change it', held: positions.slice(0, 1), isSafer: true },
    { id: SIDES.keep, title: 'Keep it as it is', held: positions.slice(1), isSafer: false },
  ];
  return {
    question: `Disagreement on a review: ${topic}`,
    options: sides.map(({ id, title, held, isSafer }) => ({ id, title, description: linesOf(held), isSafer })),
    electorate: [...electorate],
    evidence: sides.map(({ id, held }) => ({ option: id, items: itemsOf(held) })),
  };
}

function linesOf(positions: readonly IssuePosition[]): string {
  const lines = positions.map(({ who, position }) => `${who}: ${position}`);
  return cut(lines.join('\n'), { charsMax: TEXT_CHARS_MAX });
}

function itemsOf(positions: readonly IssuePosition[]): string[] {
  const items = distinctEvidence(positions.flatMap(({ evidence }) => evidence));
  return items.slice(0, EVIDENCE_ITEMS_MAX).map((item) => cut(item, { charsMax: TEXT_CHARS_MAX }));
}
