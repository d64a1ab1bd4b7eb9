import { echo } from '../shared/text.ts';
import {
  availableOn,
  type Board,
  boardFor,
  type TaskEntry,
  heldBy,
  holderOf,
  isHeldBack,
  isSettled,
  type Lapse,
  type BoardCommand,
  type CommandRefusal,
} from './board.ts';
import { type DistributorContext, commandOf, type Now, messageIn, decide } from './decide.ts';
import { endText, type DistributionReport, reportOf, statusText } from './report.ts';
import {
  blockedText,
  lostText,
  minutesText,
  offersData,
  offersText,
  remainingText,
  reworkText,
  startText,
  type OfferTerms,
  thanksText,
  workData,
} from './text.ts';

/** A message of the distribution; for programs, `data.kind` says what it is. */
export interface DistributorMessage {
  readonly type: 'INFO' | 'BLOCKED';
  readonly content: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly replyTo?: string;
}

/** `all`, or the agents that may claim. */
export function audienceOf({ board }: DistributorContext): string | readonly string[] {
  return board.agents ?? 'all';
}

export function offer(board: Board, context: DistributorContext): DistributorMessage {
  return {
    type: 'INFO',
    content: offersText(board, offerTermsOf(context)),
    data: { kind: 'available', tasks: offersData(board) },
  };
}

/** The available tasks, to each agent those it is offered. */
export function offers(
  board: Board,
  context: DistributorContext,
): { to: string | readonly string[]; message: DistributorMessage }[] {
  const isPart = (agent: string): boolean => board.entries.some((entry) => isHeldBack(entry, agent));
  const { agents } = board;
  if (!agents?.some((agent) => isPart(agent))) return [{ to: audienceOf(context), message: offer(board, context) }];
  const others = agents.filter((agent) => !isPart(agent));
  const parts = agents
    .filter((agent) => isPart(agent))
    .map((agent) => ({ to: agent, board: boardFor(board, agent) }))
    .filter((part) => availableOn(part.board).length > 0);
  return [
    ...(others.length === 0 ? [] : [{ to: others, message: offer(board, context) }]),
    ...parts.map((part) => ({ to: part.to, message: offer(part.board, context) })),
  ];
}

export function claimed({ task, status }: TaskEntry): DistributorMessage {
  const { agent, epoch } = 'holder' in status ? status.holder : { agent: 'nobody', epoch: 0 };
  return {
    type: 'INFO',
    content: `${agent} claimed: ${task.title}`,
    data: { kind: 'claimed', taskId: task.id, agent, epoch },
  };
}

/** Replies to the claim, so that the message is in its thread. */
export function start(entry: TaskEntry, context: DistributorContext): DistributorMessage {
  const claimId = holderOf(entry)?.claimId;
  return {
    type: 'INFO',
    content: startText(entry, offerTermsOf(context)),
    data: { kind: 'start', ...workData(entry) },
    ...(claimId === undefined ? {} : { replyTo: claimId }),
  };
}

export function rework(entry: TaskEntry, context: DistributorContext): DistributorMessage {
  const feedback = entry.status.at === 'claimed' ? (entry.status.feedback ?? '') : '';
  return {
    type: 'INFO',
    content: reworkText(entry, feedback, offerTermsOf(context)),
    data: { kind: 'rework', feedback, ...workData(entry) },
  };
}

/** The reply to a result, followed by the available tasks, unless everybody is told those now. */
export function thanks(
  { entry, board, kind }: { entry: TaskEntry; board: Board; kind: 'done' | 'submitted' | 'known' },
  context: DistributorContext,
): DistributorMessage {
  const isToldToAll = isSettled(board) || availableOn(board).length > availableOn(context.board).length;
  const ofAsker = boardFor(board, holderOf(entry)?.agent ?? '');
  return {
    type: 'INFO',
    content: [
      thanksText(entry, kind),
      ...(isToldToAll ? [] : ['', remainingText(ofAsker, offerTermsOf(context))]),
    ].join('\n'),
    data: { kind, taskId: entry.task.id, epoch: entry.epoch, tasks: offersData(ofAsker) },
  };
}

export function lost(entry: TaskEntry, lapse: Lapse, context: DistributorContext): DistributorMessage {
  return {
    type: 'INFO',
    content: lostText(entry, lapse, offerTermsOf(context)),
    data: { kind: 'lost', taskId: entry.task.id, epoch: lapse.holder.epoch, reason: lapse.reason },
  };
}

export function blocked(entry: TaskEntry, { address }: DistributorContext): DistributorMessage {
  return {
    type: 'BLOCKED',
    content: blockedText(entry, address),
    data: { kind: 'blocked', taskId: entry.task.id, reasons: entry.lapses },
  };
}

/** The reply to a refused command: the reason, and what is available instead. */
export function refusalMessage(now: Now): DistributorMessage {
  const [command, verdict] = [commandOf(now.event), decide(now)];
  if (!command || verdict?.kind !== 'refused') throw new TypeError(`${now.event.type} is not refused`);
  const board = boardFor(now.context.board, messageIn(now).from);
  return {
    type: 'INFO',
    content: refusalText(
      { command, refusal: verdict.refusal, board, entry: verdict.before },
      offerTermsOf(now.context),
    ),
    data: { kind: 'refused', taskId: command.taskId, why: verdict.refusal.why, tasks: offersData(board) },
  };
}

/** The reply to a question: the state of all tasks, and again what the asker is to do. */
export function answer(now: Now): DistributorMessage {
  const { context } = now;
  const board = boardFor(context.board, messageIn(now).from);
  const held = heldBy(context.board, messageIn(now).from).filter(
    ({ status }) => status.at === 'claimed' && status.isStarted,
  );
  return {
    type: 'INFO',
    content: [
      statusText(context.board),
      remainingText(board, offerTermsOf(context)),
      ...held.map((entry) => startText(entry, offerTermsOf(context))),
    ].join('\n\n'),
    data: { kind: 'status', tasks: offersData(board), held: held.map((entry) => workData(entry)) },
  };
}

/** Its data is short, however large the results are; the output has all of them. */
export function endMessage(context: DistributorContext): DistributorMessage {
  const { outcome, tasks } = report(context);
  return {
    type: 'INFO',
    content: endText(context.board, { outcome }),
    data: {
      kind: 'ended',
      outcome,
      tasks: tasks.map(({ id, state, holder, commit }) => ({ id, state, holder, commit })),
    },
  };
}

export function report({ board, ending, undelivered }: DistributorContext): DistributionReport {
  return reportOf(board, { ending, undelivered });
}

function offerTermsOf({ address, leaseMinutes }: DistributorContext): OfferTerms {
  return { address, leaseMinutes };
}

/** Why a command is refused, and what is available instead. */
function refusalText(
  {
    command,
    refusal,
    board,
    entry,
  }: { command: BoardCommand; refusal: CommandRefusal; board: Board; entry: TaskEntry | null },
  terms: OfferTerms,
): string {
  const what = {
    claim: 'You cannot claim',
    complete: 'Your result is not accepted for',
    'give-back': 'You cannot give back',
  } as const;
  const opening = what[command.kind as keyof typeof what];
  const name = entry ? `${entry.task.title} (${entry.task.id})` : echo(command.taskId);
  return `${opening} ${name}: ${reasonText(refusal, entry, terms)}\n\n${remainingText(board, terms)}`;
}

function reasonText(refusal: CommandRefusal, entry: TaskEntry | null, { leaseMinutes }: OfferTerms): string {
  switch (refusal.why) {
    case 'unknown':
      return `there is no such task.${refusal.near === null ? '' : ` Did you mean ${refusal.near}?`}`;
    case 'not-asked':
      return 'this work is offered to other agents.';
    case 'given-up':
      return `it was claimed and lost ${entry?.lapses.length ?? 0} times, so nobody can claim it any more.`;
    case 'held-back':
      return `you returned it, so the others are asked first. You will be told if nobody claims it within ${minutesText(leaseMinutes)}.`;
    case 'taken':
      return `${refusal.holder.agent} holds it.`;
    case 'in-review':
      return `the result of ${refusal.holder.agent} is under review. Please wait for the outcome.`;
    case 'done':
      return `${refusal.holder.agent} has done it.`;
    case 'not-ready':
      return `these must be done first: ${refusal.missing.map(({ title, id }) => `${title} (${id})`).join(', ')}.`;
    case 'other-epoch':
      return `you hold it in epoch ${refusal.epoch}, and your message is about another epoch.`;
    case 'not-held':
      return 'you do not hold it. Claim it first.';
    default: {
      const { holder, end } = refusal.lapse;
      const why = {
        silent: `you sent nothing about it for ${minutesText(leaseMinutes)}`,
        'given-back': 'you gave it back',
        'taken-away': 'it was taken from you',
      }[end];
      return `your claim, epoch ${holder.epoch}, is over: ${why}.${nowText(entry)} Thank you anyway.`;
    }
  }
}

function nowText(entry: TaskEntry | null): string {
  const holder = entry && holderOf(entry);
  if (!holder) return ' It can be claimed again.';
  return entry.status.at === 'done' ? ` ${holder.agent} has done it.` : ` ${holder.agent} holds it now.`;
}
