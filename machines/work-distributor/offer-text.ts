import { cut } from 'agent-mailroom/workflow';
import { shellWord } from '../shared/shell-word.ts';
import { availableOn, type Board, type Entry } from './board.ts';

const OFFERS_MAX = 20;
const FILES_SHOWN_MAX = 5;

/** What a distribution says of itself in its texts. */
export interface Terms {
  /** Where claims are sent to. */
  readonly address: string;
  readonly leaseMinutes: number;
}

/** Everything that can be claimed, each with a command that claims it when it is pasted into a shell. */
export function offersText(board: Board, { address, leaseMinutes }: Terms): string {
  const offers = availableOn(board);
  const shown = offers.slice(0, OFFERS_MAX);
  const more =
    offers.length > shown.length
      ? ['', `There are ${offers.length - shown.length} more: mailroom send ${address} QUESTION ${shellWord('tasks')}`]
      : [];
  return [
    'Available tasks:',
    '',
    ...shown.flatMap((entry) => [
      `  ${entry.task.title}${asidesText(entry)}`,
      `    mailroom send ${address} CLAIM ${shellWord(entry.task.id)}`,
    ]),
    ...more,
    '',
    'Claim one with its command (with your --as, if you use it). You are told what to do.',
    `It is yours for ${minutesText(leaseMinutes)} from your last message about it.`,
  ].join('\n');
}

/** The same as the end of an answer. */
export function remainingText(board: Board, terms: Terms): string {
  return availableOn(board).length === 0
    ? 'Nothing is available now. You will hear of it when something is.'
    : offersText(board, terms);
}

/** For programs: what is available. */
export function offersData(
  board: Board,
): { id: string; title: string; files: string[]; skills: string[]; epoch: number }[] {
  return availableOn(board).map(({ task: { id, title, files, skills }, epoch }) => ({
    id,
    title,
    files,
    skills,
    epoch,
  }));
}

export function minutesText(minutes: number): string {
  return minutes < 1 ? `${Math.round(minutes * 60_000) / 1_000} s` : `${minutes} min`;
}

/** ` (files: src/csv.js; skills: parsing; given back by bob: no spec)` */
function asidesText({ task: { files, skills }, lapses }: Entry): string {
  const [shown, hidden] = [files.slice(0, FILES_SHOWN_MAX), files.length - FILES_SHOWN_MAX];
  const asides = [
    ...(shown.length > 0 ? [`files: ${shown.join(', ')}${hidden > 0 ? ` and ${hidden} more` : ''}`] : []),
    ...(skills.length > 0 ? [`skills: ${skills.join(', ')}`] : []),
    ...lapses
      .filter(({ end }) => end !== 'silent')
      .map(({ holder, end, reason }) =>
        end === 'given-back'
          ? `given back by ${holder.agent}: ${firstLine(reason)}`
          : `taken from ${holder.agent}: ${firstLine(reason)}`,
      ),
  ];
  return asides.length === 0 ? '' : ` (${asides.join('; ')})`;
}

const REASON_CHARS_MAX = 160;

export function firstLine(text: string): string {
  const [line = ''] = text.trim().split('\n');
  return cut(line, { charsMax: REASON_CHARS_MAX });
}
