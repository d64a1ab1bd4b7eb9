import { z } from 'zod';
import { accepts } from 'agent-mailroom/workflow';
import { readChallenge, withChallenge, type ChallengeReading, type Disagreement } from './disagreement.ts';
import { readFeedback, type Feedback, type FeedbackReading, type Issue } from './feedback.ts';
import { issuesOf, type Progress, withFeedback } from './progress.ts';
import { readRevision, type Revision } from './revision.ts';

/** Read by functions that can tell the sender what is wrong. */
export const mail = accepts({
  'REVIEW-FEEDBACK': z.unknown(),
  CHALLENGE: z.unknown(),
  COMPLETED: z.unknown(),
  BLOCKED: z.unknown(),
  INFO: z.unknown(),
});

/** What a parent is told by `sendParent`. */
export interface ChangesRequested {
  readonly type: 'CHANGES-REQUESTED';
  readonly round: number;
  readonly issues: readonly (Issue & { readonly reviewer: string })[];
  /** For the author: what is to change, and how to challenge it. */
  readonly feedback: string;
}

/** What a parent says when it is revised; nobody else can. */
export interface Revised {
  readonly type: 'REVISED';
  readonly commit?: string;
  readonly note?: string;
}

type MailEvent = Exclude<typeof mail.events, { type: 'mailroom.delivery-failed' }>;
export type Event = typeof mail.events | Revised;

/** The event as the message that it is. */
export function said(event: Event): MailEvent {
  if (event.type === 'mailroom.delivery-failed' || event.type === 'REVISED')
    throw new TypeError(`${event.type} is no message`);
  return event;
}

/** What is wrong with what somebody said; nothing where all is well. */
export function faultOf(reading: FeedbackReading | ChallengeReading | ReturnType<typeof readRevision>): string {
  return 'fault' in reading ? reading.fault : '';
}

export function feedbackIn(progress: Progress, event: Event): FeedbackReading {
  return readFeedback(said(event), progress);
}

export function challengeIn(progress: Progress, event: Event): ChallengeReading {
  const reading = readChallenge(said(event), issuesOf(progress));
  if ('fault' in reading) return reading;
  const after = withChallenge(progress.disagreements, reading.challenge);
  if (after === undefined) return { fault: 'there is no room for more of them' };
  return after === progress.disagreements ? { fault: 'you have challenged the issue later than that' } : reading;
}

/** With the feedback that the event is. */
export function feedbackWith(progress: Progress, event: Event): readonly Feedback[] {
  const reading = feedbackIn(progress, event);
  const { round, feedback } = progress;
  return 'feedback' in reading
    ? withFeedback(feedback, { round, reviewer: said(event).from, ...reading.feedback })
    : feedback;
}

/** With the challenge that the event is. */
export function disagreementsWith(progress: Progress, event: Event): readonly Disagreement[] {
  const reading = challengeIn(progress, event);
  const { disagreements } = progress;
  return 'challenge' in reading ? (withChallenge(disagreements, reading.challenge) ?? disagreements) : disagreements;
}

/** What is revised, as the author or the parent says it. */
export function revisionIn(event: Event): Revision {
  if (event.type === 'REVISED') {
    const { commit, note = '' } = event;
    return commit === undefined ? { note } : { commit, note };
  }
  const reading = readRevision(said(event));
  if ('fault' in reading) throw new TypeError(reading.fault);
  return reading.revision;
}
