import { cut } from 'agent-mailroom/workflow';
import type { z } from 'zod';
import type { Case } from './case.ts';
import type { inquiry } from './heard.ts';
import type { Member } from './member.ts';
import { quoted } from './quoted.ts';

/** Passes a question on to the mind, and its answer back: research, a plan, whatever is asked. */
export async function answerInquiry(
  _member: Member,
  one: Case,
  { replySchema }: z.output<typeof inquiry>,
): Promise<void> {
  const { from, id, content, threadId = id } = one.message;
  const thought = await one.ask('inquiry', () => ({
    // What is asked by one is one conversation: who plans has looked around before.
    threadId: cut(`questions of ${from}`, { charsMax: 200 }),
    content: [`${from} asks. Please answer it; change no files for it.`, '', quoted(content)].join('\n'),
    ...(replySchema === undefined ? {} : { replySchema }),
  }));
  await one.send('reply', () => ({
    to: from,
    type: thought.isFailure ? 'BLOCKED' : 'INFO',
    content: thought.content,
    ...(thought.data === undefined ? {} : { data: thought.data }),
    replyTo: id,
    threadId,
  }));
}
