import { assign, emit, enqueueActions, sendParent, setup } from 'xstate';
import { activity } from 'agent-mailroom/workflow';
import { machine as codeReview } from '../code-review.ts';
import type { ReviewOutput } from '../code-review/progress.ts';
import { machine as consensus } from '../consensus.ts';
import {
  disputedBy,
  disputedIn,
  exhaustedText,
  IN_VAIN_MAX,
  isUnanswered,
  lastDecisions,
  lastReview,
  reportOf,
  roundsLeft,
  SAME_CONFLICT_MAX,
  submissionOf,
  UNANSWERED_MAX,
  unansweredReviews,
  voteId,
  voteOf,
  workspaceOf,
  type ChangeInput,
  type ChangeContext,
} from './change-context.ts';
import type {
  ChangeReport,
  ChangeEvent,
  FromChange,
  Submission,
  ToChange,
  VoteEnded,
  ChangeNotice,
} from './change-events.ts';
import { openWorkspace } from './checkouts.ts';
import { decisionOf, type Decision } from './decision.ts';
import { lookAtCommit, type HandedIn } from './handed-in.ts';
import { progress, type LoopProgress } from './progress.ts';
import type { Repository } from './repository.ts';

export function toLoop({ task, epoch }: ChangeContext, notice: ChangeNotice): FromChange {
  return { ...notice, taskId: task.id, epoch };
}

/** What a submission is checked for. */
export interface SubmissionCheck {
  readonly repository: Repository;
  readonly commit: string;
  readonly base: string;
  /** The files that the task names. */
  readonly files: readonly string[];
}

export function checkOf(context: ChangeContext): SubmissionCheck {
  const { repository, task } = context;
  const [{ commit }, { base }] = [submissionOf(context), workspaceOf(context)];
  return { repository, commit, base, files: task.files };
}

export function reviewable(handedIn: HandedIn): Pick<Submission, 'commit' | 'outside'> {
  if ('fault' in handedIn) throw new TypeError('the submission cannot be reviewed');
  return handedIn;
}

export interface SubmissionFault {
  readonly fault: string;
}

/** Why a submission cannot be reviewed, or is not new. Throws if it can be reviewed. */
export function faultOf({ asked }: ChangeContext, handedIn: HandedIn): SubmissionFault {
  if ('fault' in handedIn) return handedIn;
  if (!asked.includes(handedIn.commit)) throw new TypeError(`${handedIn.commit} can be reviewed`);
  const advice = 'commit the requested changes and hand in the new commit, or return the task';
  return { fault: `${handedIn.commit} was handed in before; ${advice}` };
}

export function isFaulty({ asked }: ChangeContext, handedIn: HandedIn): boolean {
  return 'fault' in handedIn || asked.includes(handedIn.commit);
}

/** Whether one more submission that cannot be reviewed ends the claim. */
export function isLastTry({ inVain }: ChangeContext): boolean {
  return inVain + 1 >= IN_VAIN_MAX;
}

/** Without a revision that arrived after a disputed review had ended: no reviewer was asked about that commit. */
export function askedIn(context: ChangeContext, { change: { commit } }: ReviewOutput): readonly string[] {
  return context.asked.filter((one) => one === commit || one !== submissionOf(context).commit);
}

export function conflictAfter(
  { conflict }: ChangeContext,
  { with: head }: ToChange & { type: 'CONFLICT' },
): ChangeContext['conflict'] {
  return { with: head, times: conflict?.with === head ? conflict.times + 1 : 1 };
}

export function decidedIn(context: ChangeContext, { actorId, output }: VoteEnded): Decision {
  return decisionOf({ taskId: context.task.id, issue: disputedBy(context, actorId).issue }, output);
}

export const change = setup({
  types: {
    context: {} as ChangeContext,
    events: {} as ChangeEvent,
    input: {} as ChangeInput,
    output: {} as ChangeReport,
    emitted: {} as LoopProgress,
  },
  actors: {
    prepare: activity(({ repository, ...place }: { repository: Repository; name: string; start: string }, { signal }) =>
      openWorkspace(repository, place, signal),
    ),
    check: activity(({ repository, ...about }: SubmissionCheck, { signal }) => lookAtCommit(repository, about, signal)),
    review: codeReview,
    vote: consensus,
  },
  delays: { patience: ({ context }) => context.reviewMinutes * 60_000 },
  guards: {
    hasCommit: ({ event }) => event.type === 'SUBMITTED' && event.commit !== null,
    isLastTry: ({ context }) => isLastTry(context),
    isApproved: ({ context }) => lastReview(context).outcome === 'approved',
    isDisputed: ({ context }) => lastReview(context).outcome !== 'rounds-exhausted' && disputedIn(context).length > 0,
    isUnanswered: ({ context }) => isUnanswered(lastReview(context)),
    isStalled: ({ context }) => unansweredReviews(context) >= UNANSWERED_MAX,
    areAllDecided: ({ context }) => lastDecisions(context).length >= disputedIn(context).length,
    mustChange: ({ context }) => lastDecisions(context).some((one) => one.mustChange),
    hasNoRoundLeft: ({ context }) => roundsLeft(context) < 1,
    /** A submission arrived while its review ended in a disagreement. */
    hasUnreviewed: ({ context }) => submissionOf(context).commit !== lastReview(context).change.commit,
    conflictsAgain: ({ context, event }) =>
      event.type === 'CONFLICT' && (conflictAfter(context, event)?.times ?? 0) >= SAME_CONFLICT_MAX,
  },
  actions: {
    take: assign(({ context, event }) => {
      if (event.type !== 'SUBMITTED' || event.commit === null) return {};
      const { commit, summary, messageId, agents } = event;
      return { agents, submissions: [...context.submissions, { commit, summary, messageId }] };
    }),
    /** Replaces the name that was handed in by the id of the checked commit, wherever a branch moves later. */
    identify: assign(({ context }, checked: Pick<Submission, 'commit' | 'outside'>) => ({
      submissions: [...context.submissions.slice(0, -1), { ...submissionOf(context), ...checked }],
    })),
    /** A submission that cannot be reviewed counts as none. */
    sendBack: enqueueActions(({ context, enqueue }, { fault }: SubmissionFault) => {
      enqueue.sendParent(toLoop(context, { type: 'GO-ON', feedback: `Your submission cannot be reviewed: ${fault}.` }));
      enqueue.assign({ submissions: context.submissions.slice(0, -1), inVain: context.inVain + 1 });
    }),
    askForCommit: enqueueActions(({ context, enqueue }) => {
      const feedback = 'Please name the commit: --data \'{"commit":"…"}\' with the full id, as in the command below.';
      enqueue.sendParent(toLoop(context, { type: 'GO-ON', feedback }));
      enqueue.assign({ inVain: context.inVain + 1 });
    }),
    tellHandedIn: emit(({ context }) => {
      const { commit, summary, messageId } = submissionOf(context);
      return progress({ type: 'handed-in', taskId: context.task.id, agent: context.agent, commit, summary, messageId });
    }),
    report: sendParent(({ context }) => toLoop(context, { type: 'CHANGE-ENDED', report: reportOf(context) })),
    giveUp: sendParent(({ context }, { reason }: { readonly reason: string }) =>
      toLoop(context, { type: 'STUCK', reason }),
    ),
    giveUpTrying: sendParent(({ context }, { fault }: SubmissionFault) =>
      toLoop(context, { type: 'STUCK', reason: `${IN_VAIN_MAX} times in a row nothing new was handed in: ${fault}` }),
    ),
    giveUpRounds: sendParent(({ context }) => toLoop(context, { type: 'STUCK', reason: exhaustedText(context) })),
    noteAsked: assign(({ context }) => ({ asked: [...context.asked, submissionOf(context).commit], inVain: 0 })),
    openVotes: enqueueActions(({ context, enqueue }) => {
      for (const one of disputedIn(context)) {
        enqueue.spawnChild('vote', { id: voteId(one), input: voteOf(context, one) });
      }
    }),
    tellReviewers: enqueueActions(({ context, enqueue }) => {
      const { feedback, gone } = lastReview(context);
      const silent = gone.filter(({ why }) => why === 'silent').map(({ reviewer }) => reviewer);
      const declined = gone.filter(({ why }) => why === 'declined').map(({ reviewer }) => reviewer);
      const agents = [...new Set([...feedback.map(({ reviewer }) => reviewer), ...declined])];
      if (agents.length + silent.length > 0) enqueue.sendParent(toLoop(context, { type: 'ANSWERED', agents, silent }));
    }),
  },
});
