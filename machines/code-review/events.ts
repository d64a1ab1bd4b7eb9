import { z } from 'zod';
import { accepts } from 'agent-mailroom/workflow';
import { readChallenge, withChallenge, type ChallengeReading, type Disagreement } from './disagreement.ts';
import { readFeedback, type Feedback, type FeedbackReading, type Issue } from './feedback.ts';
import { issuesOf, type ReviewProgress, withFeedback } from './progress.ts';
import { readRevision, type Revision } from './revision.ts';

/** Any data is accepted: the functions below validate it and can tell the sender what is wrong. */
export const mail = accepts({
  'REVIEW-FEEDBACK': z.unknown(),
  CHALLENGE: z.unknown(),
  COMPLETED: z.unknown(),
  BLOCKED: z.unknown(),
  INFO: z.unknown(),
});

/** Sent to the parent with `sendParent` when a round ends with changes requested. */
export interface ChangesRequested {
  readonly type: 'CHANGES-REQUESTED';
  readonly round: number;
  readonly issues: readonly (Issue & { readonly reviewer: string })[];
  /** Text for the author: the requested changes, and how to challenge them. */
  readonly feedback: string;
}

/** Sent by the parent once the change is revised; believed from no other sender. */
export interface Revised {
  readonly type: 'REVISED';
  readonly commit?: string;
  readonly note?: string;
}

type ReviewMail = Exclude<typeof mail.events, { type: 'mailroom.delivery-failed' }>;
export type ReviewEvent = typeof mail.events | Revised;

/** The event as a message. Throws for any other event. */
export function messageOf(event: ReviewEvent): ReviewMail {
  if (event.type === 'mailroom.delivery-failed' || event.type === 'REVISED')
    throw new TypeError(`${event.type} is no message`);
  return event;
}

/** The fault of a reading, or an empty string. */
export function faultOf(reading: FeedbackReading | ChallengeReading | ReturnType<typeof readRevision>): string {
  return 'fault' in reading ? reading.fault : '';
}

export function feedbackIn(progress: ReviewProgress, event: ReviewEvent): FeedbackReading {
  return readFeedback(messageOf(event), progress);
}

export function challengeIn(progress: ReviewProgress, event: ReviewEvent): ChallengeReading {
  const reading = readChallenge(messageOf(event), issuesOf(progress));
  if ('fault' in reading) return reading;
  const after = withChallenge(progress.disagreements, reading.challenge);
  if (after === undefined) return { fault: 'the review holds as many challenges as fit' };
  return after === progress.disagreements ? { fault: 'you have sent a later challenge of the issue' } : reading;
}

/** All feedback, including that of the event. */
export function feedbackWith(progress: ReviewProgress, event: ReviewEvent): readonly Feedback[] {
  const reading = feedbackIn(progress, event);
  const { round, feedback } = progress;
  return 'feedback' in reading
    ? withFeedback(feedback, { round, reviewer: messageOf(event).from, ...reading.feedback })
    : feedback;
}

/** All disagreements, including the challenge of the event. */
export function disagreementsWith(progress: ReviewProgress, event: ReviewEvent): readonly Disagreement[] {
  const reading = challengeIn(progress, event);
  const { disagreements } = progress;
  return 'challenge' in reading ? (withChallenge(disagreements, reading.challenge) ?? disagreements) : disagreements;
}

/** The revision that the author or the parent announces. */
export function revisionIn(event: ReviewEvent): Revision {
  if (event.type === 'REVISED') {
    const { commit, note = '' } = event;
    return commit === undefined ? { note } : { commit, note };
  }
  const reading = readRevision(messageOf(event));
  if ('fault' in reading) throw new TypeError(reading.fault);
  return reading.revision;
}
