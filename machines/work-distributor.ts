import { and, assign, cancel, enqueueActions, not, raise, sendParent, setup } from 'xstate';
import { isChild, reply, runIfMain, tell } from 'agent-mailroom/workflow';
import {
  availableOn,
  createBoard,
  type TaskEntry,
  isSettled,
  type Lapse,
  type BoardVerdict,
  withNothingHeldBack,
} from './work-distributor/board.ts';
import { parseDistribution, type DistributionInput } from './work-distributor/input.ts';
import * as messages from './work-distributor/messages.ts';
import type { ToParent } from './work-distributor/parent.ts';
import { withTasks } from './work-distributor/rules.ts';
import type { DistributionReport } from './work-distributor/report.ts';
import { renewedBy } from './work-distributor/request.ts';
import {
  addedIn,
  changeOf,
  mail,
  messageIn,
  decide,
  type DistributorContext,
  type DistributorEvent,
  type Now,
} from './work-distributor/decide.ts';

const UNDELIVERED_MAX = 100;

function isVerdict(now: Now, kind: BoardVerdict['kind']): boolean {
  return decide(now)?.kind === kind;
}

/** The id of a task's lease timer, by which the timer is cancelled. */
function leaseOf({ task }: TaskEntry): string {
  return `lease.${task.id}`;
}

function leaseEnded({ task: { id }, epoch }: TaskEntry): { type: 'LEASE-ENDED'; taskId: string; epoch: number } {
  return { type: 'LEASE-ENDED', taskId: id, epoch };
}

/** The agent that a change concerns: the new holder, or else the former one. */
function agentOf({ before, after }: { readonly before: TaskEntry; readonly after: TaskEntry }): string {
  for (const { status } of [after, before]) if ('holder' in status) return status.holder.agent;
  throw new TypeError(`${after.task.id} has no holder`);
}

/** How the epoch ended that this event ends. */
function lapseIn(now: Now): Lapse {
  const lapse = changeOf(now).after.lapses.at(-1);
  if (!lapse) throw new TypeError(`${now.event.type} ends no epoch`);
  return lapse;
}

function toParent(event: ToParent): ToParent {
  return event;
}

const distribution = setup({
  schemas: mail,
  types: {
    context: {} as DistributorContext,
    events: {} as DistributorEvent,
    input: {} as DistributionInput,
    output: {} as DistributionReport,
  },
  delays: {
    deadline: ({ context }) => context.minutes * 60_000,
    lease: ({ context }) => context.leaseMinutes * 60_000,
  },
  guards: {
    isGranted: (now) => isVerdict(now, 'granted'),
    isHeld: (now) => isVerdict(now, 'held'),
    isSubmitted: (now) => isVerdict(now, 'submitted'),
    isDone: (now) => isVerdict(now, 'done'),
    isKnown: (now) => isVerdict(now, 'known'),
    isFreed: (now) => isVerdict(now, 'freed'),
    isBlocked: (now) => isVerdict(now, 'blocked'),
    isAssigned: (now) => isVerdict(now, 'assigned'),
    isReworked: (now) => isVerdict(now, 'reworked'),
    isSuspended: (now) => isVerdict(now, 'suspended'),
    isRefused: (now) => isVerdict(now, 'refused'),
    areSound: (now) => !(addedIn(now) instanceof TypeError),
    isSettled: ({ context }) => isSettled(context.board),
    staysOpen: ({ context }) => context.staysOpen,
    /** Only an offer goes to all agents; those who are missing may still join. */
    isToAbsent: ({ context: { board }, event }) =>
      event.type === 'mailroom.delivery-failed' &&
      event.code === 'ACTOR_NOT_FOUND' &&
      event.to.split(', ').every((one) => one === 'all' || board.agents?.includes(one)),
  },
  actions: {
    offer: enqueueActions(({ context, enqueue }) => {
      for (const { to, message } of messages.offers(context.board, context)) enqueue(tell(to, message));
    }),
    /** Only if there is something new to offer. An agent that returned a task is offered it after the others. */
    offerOpened: enqueueActions(({ context, event, enqueue }) => {
      const { opened, board, after } = changeOf({ context, event });
      if (opened.length === 0) return;
      for (const { to, message } of messages.offers(board, context)) enqueue(tell(to, message));
      if (opened.includes(after) && after.heldBackFrom) {
        enqueue.cancel('offer');
        enqueue.raise({ type: 'OFFER-AGAIN' }, { delay: 'lease', id: 'offer' });
      }
    }),
    offerAgain: enqueueActions(({ context: { absent, ...context }, enqueue }) => {
      const board = withNothingHeldBack(context.board);
      const heldBack = context.board.entries.flatMap(({ status, heldBackFrom }) =>
        status.at === 'free' && heldBackFrom ? [heldBackFrom] : [],
      );
      const audience = [...new Set([...absent, ...heldBack])];
      if (availableOn(board).length > 0 && audience.length > 0)
        enqueue(tell(audience, messages.offer(board, { ...context, absent })));
      enqueue.assign({ absent: [], board });
    }),
    tellClaim: tell(
      ({ context }) => messages.audienceOf(context),
      (now) => messages.claimed(changeOf(now).after),
    ),
    /** Starts the holder at once, or asks the parent where to work. */
    begin: enqueueActions(({ context, event, enqueue }) => {
      const { after } = changeOf({ context, event });
      if (after.status.at !== 'claimed') return;
      const { agent, epoch, claimId } = after.status.holder;
      if (after.status.isStarted) {
        enqueue(tell(agent, messages.start(after, context)));
        enqueue.raise(leaseEnded(after), { delay: 'lease', id: leaseOf(after) });
      } else {
        enqueue(sendParent(toParent({ type: 'TASK-CLAIMED', task: after.task, agent, epoch, messageId: claimId })));
      }
    }),
    repeatStart: enqueueActions(({ context, event, enqueue }) => {
      const verdict = decide({ context, event });
      const status = verdict?.before?.status;
      if (!verdict?.before || status?.at !== 'claimed' || !status.isStarted) return;
      enqueue(reply(messages.start(verdict.before, context)));
    }),
    tellRework: enqueueActions(({ context, event, enqueue }) => {
      const change = changeOf({ context, event });
      enqueue(tell(agentOf(change), messages.rework(change.after, context)));
      enqueue.raise(leaseEnded(change.after), { delay: 'lease', id: leaseOf(change.after) });
    }),
    renew: enqueueActions(({ context, event, enqueue }) => {
      for (const entry of renewedBy(context.board, messageIn({ context, event }))) {
        enqueue.cancel(leaseOf(entry));
        enqueue.raise(leaseEnded(entry), { delay: 'lease', id: leaseOf(entry) });
      }
    }),
    endLease: cancel((now) => leaseOf(changeOf(now).before)),
    thank: reply((now) => {
      const verdict = decide(now);
      const kind = verdict?.kind;
      if (!verdict?.before || (kind !== 'done' && kind !== 'submitted' && kind !== 'known'))
        throw new TypeError(`${now.event.type} brings no result`);
      return messages.thanks({ entry: verdict.before, board: verdict.board, kind }, now.context);
    }),
    tellAccepted: tell(
      (now) => agentOf(changeOf(now)),
      (now) => {
        const { before, board } = changeOf(now);
        return messages.thanks({ entry: before, board, kind: 'done' }, now.context);
      },
    ),
    submit: enqueueActions(({ context, event, enqueue }) => {
      const { task, status } = changeOf({ context, event }).after;
      if (status.at !== 'submitted') return;
      const { agent, epoch } = status.holder;
      enqueue(sendParent(toParent({ type: 'TASK-COMPLETED', task, agent, epoch, ...status.result })));
    }),
    /** Sent to an agent that lost a task without giving it back. */
    tellLost: tell(
      (now) => agentOf(changeOf(now)),
      (now) => messages.lost(changeOf(now).after, lapseIn(now), now.context),
    ),
    tellBlocked: tell(
      ({ context }) => messages.audienceOf(context),
      (now) => messages.blocked(changeOf(now).after, now.context),
    ),
    release: enqueueActions(({ context, event, enqueue }) => {
      if (context.board.acceptance !== 'parent') return;
      const { kind, after } = changeOf({ context, event });
      const { holder, reason, end } = lapseIn({ context, event });
      const { agent, epoch } = holder;
      const [taskId, isBlocked] = [after.task.id, kind === 'blocked'];
      enqueue(sendParent(toParent({ type: 'TASK-RELEASED', taskId, agent, epoch, reason, end, isBlocked })));
      if (end === 'silent') enqueue.assign({ silent: [...new Set([...context.silent, agent])] });
    }),
    /** Any message of an agent ends its silence. */
    hear: enqueueActions(({ context, event, enqueue }) => {
      const { from } = messageIn({ context, event });
      if (!context.silent.includes(from)) return;
      enqueue(sendParent(toParent({ type: 'AGENT-HEARD', agent: from })));
      enqueue.assign({ silent: context.silent.filter((one) => one !== from) });
    }),
    explain: reply((now) => messages.refusalMessage(now)),
    answer: reply((now) => messages.answer(now)),
    refuseTasks: sendParent((now) => {
      const fault = addedIn(now);
      return toParent({ type: 'TASKS-REFUSED', reason: fault instanceof TypeError ? fault.message : '' });
    }),
    tellSettled: sendParent(({ context }) =>
      toParent({ type: 'TASKS-SETTLED', tasks: messages.report(context).tasks }),
    ),
    record: assign({
      undelivered: ({ context: { undelivered }, event }) => {
        if (event.type !== 'mailroom.delivery-failed') return undelivered;
        const { to, messageType: type, messageId, code, reason } = event;
        return [...undelivered, { to, type, messageId, code, reason }].slice(-UNDELIVERED_MAX);
      },
    }),
    noteAbsent: assign({
      absent: ({ context: { absent }, event }) =>
        event.type === 'mailroom.delivery-failed' ? [...new Set([...absent, ...event.to.split(', ')])] : absent,
    }),
    tellEnd: tell(
      ({ context }) => messages.audienceOf(context),
      ({ context }) => messages.endMessage(context),
    ),
    /** Always the last action: until then, all others see the board as it was. */
    take: assign({ board: (now) => changeOf(now).board }),
  },
});

const CLAIMED = [
  { guard: 'isGranted', actions: ['hear', 'tellClaim', 'begin', 'take'] },
  { guard: 'isHeld', actions: ['hear', 'renew', 'repeatStart'] },
] as const;
const COMPLETED = [
  { guard: 'isDone', actions: ['hear', 'endLease', 'thank', 'offerOpened', 'take'] },
  { guard: 'isSubmitted', actions: ['hear', 'endLease', 'thank', 'submit', 'take'] },
  { guard: 'isKnown', actions: ['hear', 'thank'] },
] as const;
const GIVEN_BACK = [
  { guard: 'isFreed', actions: ['hear', 'endLease', 'release', 'offerOpened', 'take'] },
  { guard: 'isBlocked', actions: ['hear', 'endLease', 'release', 'tellBlocked', 'take'] },
] as const;
const REFUSED = { guard: 'isRefused', actions: ['hear', 'explain'] } as const;

/**
 * Distributes the tasks of a plan to agents, who claim them from the command line. A task has one holder at a time and can be
 * claimed only when its dependencies are done. A holder that falls silent loses the task, and its late messages change
 * nothing. A task that is lost three times is given up. It survives a kill at any instant.
 */
export const machine = distribution.createMachine({
  id: 'work-distributor',
  context: ({ input, self }) => {
    const { plan, agents, acceptance, ...settings } = parseDistribution(input, {
      hasParent: isChild(self),
    });
    const board = createBoard(plan.tasks, { agents, acceptance });
    return { address: self.sessionId, ...settings, board, undelivered: [], absent: [], silent: [], ending: 'settled' };
  },
  initial: 'open',
  states: {
    open: {
      entry: 'offer',
      after: { deadline: { target: 'ended', actions: assign({ ending: 'time-over' }) } },
      on: {
        CLAIM: [...CLAIMED, REFUSED],
        COMPLETED: [...COMPLETED, REFUSED],
        BLOCKED: [...GIVEN_BACK, REFUSED],
        // One that only tells something is not answered: it may be an answer, and two that answer each other never end.
        INFO: [...CLAIMED, ...COMPLETED, ...GIVEN_BACK, REFUSED, { actions: ['hear', 'renew'] }],
        ACK: { actions: ['hear', 'renew'] },
        QUESTION: { actions: ['hear', 'renew', 'answer'] },
        'LEASE-ENDED': [
          { guard: 'isFreed', actions: ['tellLost', 'release', 'offerOpened', 'take'] },
          { guard: 'isBlocked', actions: ['tellLost', 'release', 'tellBlocked', 'take'] },
        ],
        ASSIGN: { guard: 'isAssigned', actions: ['begin', 'take'] },
        ACCEPTED: { guard: 'isDone', actions: ['tellAccepted', 'offerOpened', 'take'] },
        REWORK: { guard: 'isReworked', actions: ['tellRework', 'take'] },
        SUSPEND: { guard: 'isSuspended', actions: ['endLease', 'take'] },
        RELEASE: [
          { guard: 'isFreed', actions: ['endLease', 'tellLost', 'release', 'offerOpened', 'take'] },
          { guard: 'isBlocked', actions: ['endLease', 'tellLost', 'release', 'tellBlocked', 'take'] },
        ],
        'ADD-TASKS': [
          {
            guard: 'areSound',
            actions: [
              assign({
                board: (now) => {
                  const tasks = addedIn(now);
                  return tasks instanceof TypeError ? now.context.board : withTasks(now.context.board, tasks);
                },
              }),
              'offer',
            ],
          },
          { actions: 'refuseTasks' },
        ],
        FINISH: { target: 'ended', actions: assign({ ending: 'finished' }) },
        'mailroom.delivery-failed': [
          {
            guard: 'isToAbsent',
            actions: [
              'record',
              'noteAbsent',
              cancel('offer'),
              raise({ type: 'OFFER-AGAIN' }, { delay: 'lease', id: 'offer' }),
            ],
          },
          { actions: 'record' },
        ],
        'OFFER-AGAIN': { actions: 'offerAgain' },
      },
      initial: 'working',
      states: {
        working: {
          always: [
            { guard: and(['isSettled', 'staysOpen']), target: 'settled' },
            { guard: 'isSettled', target: '#work-distributor.ended' },
          ],
        },
        settled: { entry: 'tellSettled', always: { guard: not('isSettled'), target: 'working' } },
      },
    },
    ended: { type: 'final', entry: 'tellEnd' },
  },
  output: ({ context }) => messages.report(context),
});

runIfMain(import.meta.url);
