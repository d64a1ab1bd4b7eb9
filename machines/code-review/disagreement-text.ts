import { challengeCommand } from './author-text.ts';
import type { Disagreement } from './disagreement.ts';
import { evidenceText, sourceText } from './feedback-lines.ts';
import type { Place } from './request-text.ts';

/** What everybody hears. Ends in the words by which it is known that a vote is needed. */
export function disagreementText(
  { change, address }: Place,
  { disagreement, isOver }: { readonly disagreement: Disagreement; readonly isOver: boolean },
): string {
  const { issue, topic, positions } = disagreement;
  const howTo = [
    'To take a side, as the author or a reviewer, with evidence:',
    '',
    challengeCommand(address, issue),
    '',
  ];
  return [
    `Disagreement on the review of: ${change.title}`,
    '',
    topic,
    ...positions.map(
      ({ who, position, evidence, messageId }) =>
        `  ${sourceText(who, messageId)}: ${position}${evidenceText(evidence)}`,
    ),
    '',
    ...(isOver ? [] : howTo),
    'Need consensus vote!',
  ].join('\n');
}
