import { and, assign, enqueueActions, not, sendParent, setup } from 'xstate';
import { broadcast, isChild, reply, runIfMain, tell } from 'agent-mailroom/workflow';
import {
  changesText,
  conclusionText,
  correctedChallengeText,
  correctionText,
  disagreementText,
  earlyText,
  howToReview,
  howToRevise,
  lateText,
  wrongAddressText,
  type ReviewOutcome,
  requestText,
  strangerText,
} from './code-review/text.ts';
import { disagreementBy } from './code-review/disagreement.ts';
import {
  challengeIn,
  disagreementsWith,
  faultOf,
  feedbackIn,
  feedbackWith,
  mail,
  revisionIn,
  messageOf,
  type ChangesRequested,
  type ReviewEvent,
} from './code-review/events.ts';
import {
  answersOf,
  beginReview,
  electorateOf,
  withReviewers,
  issuesOf,
  openDisagreements,
  outputOf,
  subjectOf,
  type ReviewProgress,
  type ReviewOutput,
  revised,
  standing,
  toAsk,
  waitedFor,
  withoutReviewers,
} from './code-review/progress.ts';
import type { ReviewInput } from './code-review/review.ts';
import { readRevision } from './code-review/revision.ts';
import { undelivered } from './shared/text.ts';

const tellConclusion = tell<ReviewProgress, ReviewEvent, undefined, ReviewEvent>(
  ({ context: { change, reviewers } }) => [change.author, ...reviewers],
  ({ context }) => ({
    type: 'INFO',
    content: conclusionText(subjectOf(context), {
      ...context,
      answers: answersOf(context),
      open: openDisagreements(context),
      electorate: electorateOf(context),
    }),
    data: { outcome: context.outcome, rounds: context.round, commit: context.change.commit ?? null },
  }),
);

/**
 * The review of one change, in rounds, until enough reviewers approve it. The workflow asks reviewers in turn, replaces those
 * who do not answer, and tells the author (or the parent that speaks for the author) what to change. A challenged issue is a
 * disagreement, which is broadcast. It survives a kill at any instant.
 */
export const machine = setup({
  schemas: mail,
  types: {
    context: {} as ReviewProgress,
    events: {} as ReviewEvent,
    input: {} as ReviewInput,
    output: {} as ReviewOutput,
  },
  delays: { patience: ({ context }) => context.review.minutes * 60_000 },
  guards: {
    hasTooFew: ({ context: { reviewers, review } }) => reviewers.length < review.reviewersNeeded,
    /** A reviewer got the request and did not answer. */
    hasAskedInVain: ({ context }) => context.gone.some(({ why }) => why !== 'unreachable'),
    hasSomebodyToAsk: ({ context }) => toAsk(context).length > 0,
    isApproved: ({ context }) => standing(context) === 'approved',
    isDisputed: ({ context }) => standing(context) === 'disputed',
    isRefused: ({ context }) => standing(context) === 'changes-requested',
    hasOpenDisagreement: ({ context }) => openDisagreements(context).length > 0,
    isLastRound: ({ context: { round, review } }) => round >= review.rounds,
    isChild: ({ context }) => context.isChild,
    isAuthor: ({ context, event }) => messageOf(event).from === context.change.author,
    isReviewer: ({ context, event }) => context.reviewers.includes(messageOf(event).from),
    isWaitedFor: ({ context, event }) => waitedFor(context).includes(messageOf(event).from),
    isParty: ({ context: { change, review }, event }) =>
      [change.author, ...review.queue].includes(messageOf(event).from),
    isNoFeedback: ({ context, event }) => 'isNone' in feedbackIn(context, event),
    isBadFeedback: ({ context, event }) => 'fault' in feedbackIn(context, event),
    isBadChallenge: ({ context, event }) => 'fault' in challengeIn(context, event),
    isBadRevision: ({ event }) => 'fault' in readRevision(messageOf(event)),
    isToReviewer: ({ context, event }) => undelivered(event).some(({ to }) => context.reviewers.includes(to)),
    isToAuthor: ({ context, event }) => undelivered(event).some(({ to }) => to === context.change.author),
  },
  actions: {
    fill: assign(({ context }) => withReviewers(context)),
    request: tell(
      ({ context }) => toAsk(context),
      ({ context }) => ({
        type: 'REVIEW-REQUEST',
        content: requestText(subjectOf(context), context),
        data: { change: context.change, round: context.round },
      }),
    ),
    markAsked: assign({ asked: ({ context }) => [...context.asked, ...toAsk(context)] }),
    dropSilent: assign(({ context }) => withoutReviewers(context, waitedFor(context), 'silent')),
    dropSender: assign(({ context, event }) => withoutReviewers(context, [messageOf(event).from], 'declined')),
    dropUnreachable: assign(({ context, event }) => {
      const lost = undelivered(event).map(({ to }) => to);
      return withoutReviewers(context, lost, 'unreachable');
    }),
    noteUndelivered: assign({
      undelivered: ({ context, event }) => [...context.undelivered, ...undelivered(event)],
    }),
    takeFeedback: assign({ feedback: ({ context, event }) => feedbackWith(context, event) }),
    takeChallenge: assign({ disagreements: ({ context, event }) => disagreementsWith(context, event) }),
    tellDisagreement: broadcast(({ context, event }) => {
      const disagreement = disagreementBy(context.disagreements, messageOf(event).messageId);
      const isOver = standing(context) === 'disputed';
      const content = disagreementText(subjectOf(context), { disagreement, isOver });
      return { type: 'CHALLENGE', content, data: disagreement };
    }),
    tellAuthor: tell(
      ({ context }) => context.change.author,
      ({ context }) => ({
        type: 'QUESTION',
        content: `${changesText(subjectOf(context), answersOf(context))}\n\n${howToRevise(context.address)}`,
        data: { round: context.round, issues: issuesOf(context).map(({ issue }) => issue) },
      }),
    ),
    tellParent: sendParent(({ context }): ChangesRequested => ({
      type: 'CHANGES-REQUESTED',
      round: context.round,
      issues: issuesOf(context).map(({ issue, feedback: { reviewer } }) => ({ ...issue, reviewer })),
      feedback: changesText(subjectOf(context), answersOf(context)),
    })),
    beginRound: assign(({ context, event }) => revised(context, revisionIn(event))),
    correctFeedback: reply(({ context, event }) => ({
      type: 'INFO',
      content: correctionText(faultOf(feedbackIn(context, event)), howToReview(subjectOf(context))),
    })),
    correctChallenge: reply(({ context, event }) => {
      const others = issuesOf(context).filter(({ feedback }) => feedback.reviewer !== messageOf(event).from);
      const fault = faultOf(challengeIn(context, event));
      return { type: 'INFO', content: correctedChallengeText(fault, others, context.address) };
    }),
    correctRevision: reply(({ context, event }) => ({
      type: 'INFO',
      content: correctionText(faultOf(readRevision(messageOf(event))), howToRevise(context.address)),
    })),
    turnAway: reply(({ context: { change, reviewers } }) => ({
      type: 'INFO',
      content: strangerText(change, reviewers),
    })),
    askToWait: reply(({ context }) => ({
      type: 'INFO',
      content: earlyText(context.change, context.round, waitedFor(context)),
    })),
    sayItIsLate: reply(({ context: { change, round } }) => ({ type: 'INFO', content: lateText(change, round) })),
    pointToParent: reply(({ context: { change } }) => ({ type: 'INFO', content: wrongAddressText(change) })),
    /** A child concludes through its output alone; its parent decides whom to tell. */
    conclude: enqueueActions(({ context, enqueue }, { outcome }: { readonly outcome: ReviewOutcome }) => {
      enqueue.assign({ outcome });
      if (!context.isChild) enqueue(tellConclusion);
    }),
  },
}).createMachine({
  id: 'code-review-protocol',
  context: ({ input, self }) => beginReview(input, { address: self.sessionId, isChild: isChild(self) }),
  initial: 'assigning',
  on: {
    CHALLENGE: [
      { guard: not('isParty'), actions: 'turnAway' },
      { guard: 'isBadChallenge', actions: 'correctChallenge' },
      { actions: ['takeChallenge', 'tellDisagreement'] },
    ],
    'mailroom.delivery-failed': { actions: 'noteUndelivered' },
  },
  states: {
    assigning: {
      entry: 'fill',
      always: [
        { guard: and(['hasTooFew', 'hasAskedInVain']), target: 'no-answer' },
        { guard: 'hasTooFew', target: 'no-reviewers' },
        { guard: 'hasSomebodyToAsk', target: 'reviewing', actions: ['request', 'markAsked'] },
        { target: 'reviewing' },
      ],
    },
    reviewing: {
      always: [
        { guard: 'isApproved', target: 'approved' },
        { guard: 'isDisputed', target: 'disagreement' },
        { guard: and(['isRefused', 'isLastRound']), target: 'rounds-exhausted' },
        { guard: and(['isRefused', 'isChild']), target: 'revising-by-parent' },
        { guard: 'isRefused', target: 'revising-by-author' },
      ],
      after: { patience: { target: 'assigning', actions: 'dropSilent' } },
      on: {
        'REVIEW-FEEDBACK': [
          { guard: not('isReviewer'), actions: 'turnAway' },
          { guard: 'isBadFeedback', actions: 'correctFeedback' },
          { actions: 'takeFeedback' },
        ],
        INFO: [
          // No reply: it may be a reply itself, and two workflows that reply to each other never stop.
          { guard: not('isReviewer') },
          { guard: 'isNoFeedback' },
          { guard: 'isBadFeedback', actions: 'correctFeedback' },
          { actions: 'takeFeedback' },
        ],
        BLOCKED: { guard: 'isWaitedFor', target: 'assigning', actions: 'dropSender' },
        COMPLETED: [{ guard: 'isAuthor', actions: 'askToWait' }, { actions: 'turnAway' }],
        'mailroom.delivery-failed': [
          { guard: 'isToReviewer', target: 'assigning', actions: ['noteUndelivered', 'dropUnreachable'] },
          { actions: 'noteUndelivered' },
        ],
      },
    },
    'revising-by-parent': {
      entry: 'tellParent',
      always: { guard: 'isDisputed', target: 'disagreement' },
      on: {
        REVISED: [
          // Challenged issues are decided before anybody reviews the revision.
          { guard: 'hasOpenDisagreement', target: 'disagreement' },
          { target: 'assigning', actions: 'beginRound' },
        ],
        COMPLETED: [{ guard: 'isAuthor', actions: 'pointToParent' }, { actions: 'turnAway' }],
        'REVIEW-FEEDBACK': [{ guard: 'isReviewer', actions: 'sayItIsLate' }, { actions: 'turnAway' }],
      },
    },
    'revising-by-author': {
      entry: 'tellAuthor',
      always: { guard: 'isDisputed', target: 'disagreement' },
      after: { patience: 'no-revision' },
      on: {
        COMPLETED: [
          { guard: not('isAuthor'), actions: 'turnAway' },
          { guard: 'isBadRevision', actions: 'correctRevision' },
          { target: 'assigning', actions: 'beginRound' },
        ],
        'REVIEW-FEEDBACK': [{ guard: 'isReviewer', actions: 'sayItIsLate' }, { actions: 'turnAway' }],
        'mailroom.delivery-failed': [
          { guard: 'isToAuthor', target: 'no-revision', actions: 'noteUndelivered' },
          { actions: 'noteUndelivered' },
        ],
      },
    },
    approved: { type: 'final', entry: { type: 'conclude', params: { outcome: 'approved' } } },
    disagreement: { type: 'final', entry: { type: 'conclude', params: { outcome: 'disagreement' } } },
    'rounds-exhausted': { type: 'final', entry: { type: 'conclude', params: { outcome: 'rounds-exhausted' } } },
    'no-reviewers': { type: 'final', entry: { type: 'conclude', params: { outcome: 'no-reviewers' } } },
    'no-answer': { type: 'final', entry: { type: 'conclude', params: { outcome: 'no-answer' } } },
    'no-revision': { type: 'final', entry: { type: 'conclude', params: { outcome: 'no-revision' } } },
  },
  output: ({ context }) => outputOf(context),
});

runIfMain(import.meta.url);
