import { cut } from 'agent-mailroom/workflow';
import { z } from 'zod';
import type { Case } from './case.ts';
import { type Rework, threadOfTask } from './heard.ts';
import type { Member } from './member.ts';
import { quoted } from './quoted.ts';

const ISSUES_MAX = 20;
const POSITION_CHARS_MAX = 1_500;
const EVIDENCE_CHARS_MAX = 300;
const EVIDENCE_ITEMS_MAX = 6;

const stands = z.object({
  issues: z.array(
    z.object({
      id: z.string(),
      stand: z.enum(['accept', 'challenge']),
      because: z.string(),
      evidence: z.array(z.string()),
    }),
  ),
});

export interface Challenged {
  /** Nothing is left to do before there was a vote. */
  readonly isAllChallenged: boolean;
  /** What the mind is told of what it has challenged. */
  readonly remark: string;
}

/**
 * Asks the mind of each issue of a review whether it accepts it, and challenges the others, with its evidence. Feedback
 * that does not say how to challenge, such as the result of a vote, is accepted.
 */
export async function challengeIssues(member: Member, one: Case, rework: Rework): Promise<Challenged> {
  const { feedback } = rework;
  const [, review] = /^ {2}mailroom send (\S+) CHALLENGE '/m.exec(feedback) ?? [];
  const issues = issuesIn(feedback);
  if (review === undefined || issues.length === 0) return { isAllChallenged: false, remark: '' };
  const thought = await one.ask('stands', () => ({
    threadId: threadOfTask(rework),
    content: standsText(rework, issues),
    replySchema: z.toJSONSchema(stands, { io: 'input' }),
  }));
  const parsed = stands.safeParse(thought.data);
  const challenged = (thought.isFailure || !parsed.success ? [] : parsed.data.issues).filter(
    // Without words for it, it is no position.
    ({ id, stand, because }) => stand === 'challenge' && issues.includes(id) && /[\p{L}\p{N}]/u.test(because),
  );
  for (const { id, because, evidence } of challenged) {
    const position = cut(because.replaceAll(/\s+/gu, ' ').trim(), { charsMax: POSITION_CHARS_MAX });
    const items = evidence.slice(0, EVIDENCE_ITEMS_MAX).map((item) => cut(item, { charsMax: EVIDENCE_CHARS_MAX }));
    await one.send(`challenge ${id}`, () => ({
      to: review,
      type: 'CHALLENGE',
      content: `${id} because ${position}`,
      data: { issue: id, position, evidence: items },
    }));
    member.say(`${rework.title}: challenges ${id}, ${position}`);
  }
  const names = challenged.map(({ id }) => id);
  return {
    isAllChallenged: issues.every((id) => names.includes(id)),
    remark: names.length === 0 ? '' : `You have challenged ${names.join(' and ')}; leave those parts as they are.`,
  };
}

/** The ids of the issues in a feedback: each begins its line. */
function issuesIn(feedback: string): string[] {
  return [...feedback.matchAll(/^ {2}([0-9a-f]{8}\.\d+) {2}\S/gm)].map(([, id = '']) => id).slice(0, ISSUES_MAX);
}

function standsText({ title, workspace, feedback }: Rework, issues: readonly string[]): string {
  return [
    `Your work on "${title.replaceAll(/\s+/gu, ' ')}", in ${workspace.directory}, was reviewed. Change nothing yet.`,
    '',
    quoted(feedback),
    '',
    `For each of these issues, say whether you accept it, or challenge it because it is wrong: ${issues.join(', ')}.`,
    'The team votes on each challenged issue, and evidence decides: name files and lines, tests, measurements. A failing test is not a matter of opinion; accept it.',
  ].join('\n');
}
