import type { StoryLine } from '../durable/story.ts';
import { visible } from '../message/visible.ts';
import { preview, shortId } from './show-message.ts';

const CAUSE_COLUMNS = 44;
const OUTCOME_CHARS_MAX = 500;

/** One thing that happened to a workflow, on a line; lines for how what caused it ended, and for each message that it sent. */
export function storyText(
  line: StoryLine,
  { address, seq }: { address?: string | undefined; seq?: boolean } = {},
): string {
  const { at, mail, cause, effectId, outcome, sent } = line;
  const time = new Date(at).toISOString().slice(11, 23);
  const source = mail ? ` from ${mail.from} (${shortId(mail.id)})` : effectId === undefined ? '' : ` (${effectId})`;
  const number = seq ? (line.seq === undefined ? '-' : `#${line.seq}`).padEnd(6) : '';
  const who = address === undefined ? '' : `${address}  `;
  const head = `${number}${time}  ${who}${visible(`${cause}${source}`).padEnd(CAUSE_COLUMNS)}  ${visible(verdictText(line))}\n`;
  const indent = ' '.repeat(number.length + time.length + 2);
  const ended = outcome === undefined ? '' : `${indent}${preview(outcome, OUTCOME_CHARS_MAX)}\n`;
  const tail = sent.map(
    ({ id, type, to, content }) =>
      `${indent}→ ${visible(to.join(', '))} ${visible(type)} (${shortId(id)}) ${preview(content)}\n`,
  );
  return head + ended + tail.join('');
}

function verdictText({ verdict, from, to, detail }: StoryLine): string {
  switch (verdict) {
    case 'opened':
      return detail ?? '';
    case 'taken':
      return from === undefined ? `→ ${to ?? ''}` : from === to ? `stays in ${to ?? ''}` : `${from} → ${to ?? ''}`;
    case 'unhandled':
      return `unhandled in ${to ?? ''}`;
    case 'failed':
      return from === to
        ? `the step failed, still in ${to ?? ''}: ${detail ?? ''}`
        : `the step failed → ${to ?? ''}: ${detail ?? ''}`;
    case 'FAILED':
      return `${to ?? ''}: ${detail ?? ''}`;
    case 'late':
      return `too late: ${detail ?? ''}`;
    case 'refused':
      return `dead letter, ${detail ?? ''}`;
    default:
      return `never believed, ${detail ?? ''}`;
  }
}
