import { echo } from '../shared/echo.ts';
import { holderOf, type Board, type Entry } from './board.ts';
import type { Move, Refusal } from './moves.ts';
import { minutesText, remainingText, type Terms } from './offer-text.ts';

/** What somebody is told who asked for what cannot be: why, and what there is instead. */
export function refusalText(
  { move, refusal, board, entry }: { move: Move; refusal: Refusal; board: Board; entry: Entry | null },
  terms: Terms,
): string {
  const what = {
    claim: 'You cannot have',
    complete: 'Your result is not taken for',
    'give-back': 'You cannot give back',
  } as const;
  const opening = what[move.kind as keyof typeof what];
  const name = entry ? `${entry.task.title} (${entry.task.id})` : echo(move.taskId);
  return `${opening} ${name}: ${reasonText(refusal, entry, terms)}\n\n${remainingText(board, terms)}`;
}

function reasonText(refusal: Refusal, entry: Entry | null, { leaseMinutes }: Terms): string {
  switch (refusal.why) {
    case 'unknown':
      return `there is no such task.${refusal.near === null ? '' : ` Did you mean ${refusal.near}?`}`;
    case 'not-asked':
      return 'others are asked to do this work.';
    case 'given-up':
      return `it was claimed and lost ${entry?.lapses.length ?? 0} times, so nobody can claim it any more.`;
    case 'held-back':
      return `you returned it, and the others are asked first. You will hear of it if nobody claims it within ${minutesText(leaseMinutes)}.`;
    case 'taken':
      return `${refusal.holder.agent} holds it.`;
    case 'in-review':
      return `what ${refusal.holder.agent} has done is being looked at. Please wait for what comes of it.`;
    case 'done':
      return `${refusal.holder.agent} has done it.`;
    case 'not-ready':
      return `first this has to be done: ${refusal.missing.map(({ title, id }) => `${title} (${id})`).join(', ')}.`;
    case 'other-epoch':
      return `you hold it in epoch ${refusal.epoch}, and this is about another one.`;
    case 'not-held':
      return 'you do not hold it. Claim it first.';
    default: {
      const { holder, end } = refusal.lapse;
      const why = {
        silent: `nothing was heard of you for ${minutesText(leaseMinutes)}`,
        'given-back': 'you gave it back',
        'taken-away': 'it was taken back',
      }[end];
      return `your claim, epoch ${holder.epoch}, is over: ${why}.${nowText(entry)} Thank you all the same.`;
    }
  }
}

function nowText(entry: Entry | null): string {
  const holder = entry && holderOf(entry);
  if (!holder) return ' It can be claimed again.';
  return entry.status.at === 'done' ? ` ${holder.agent} has done it.` : ` ${holder.agent} holds it now.`;
}
