import {
  availableOn,
  boardFor,
  heldBy,
  holderOf,
  isHeldBack,
  isSettled,
  type Board,
  type Entry,
  type Lapse,
} from './board.ts';
import { offersData, offersText, remainingText, type Terms } from './offer-text.ts';
import { refusalText } from './refusal-text.ts';
import { endText, reportOf, statusText, type Report } from './report.ts';
import { saidIn, moveOf, verdictOf, type Context, type Now } from './turn.ts';
import { blockedText, lostText, reworkText, startText, thanksText, workData } from './work-text.ts';

/** A message with what a program needs of it: `data.kind` says what it is. */
export interface Letter {
  readonly type: 'INFO' | 'BLOCKED';
  readonly content: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly replyTo?: string;
}

/** `all`, or the agents that are asked. */
export function audienceOf({ board }: Context): string | readonly string[] {
  return board.agents ?? 'all';
}

export function offer(board: Board, context: Context): Letter {
  return {
    type: 'INFO',
    content: offersText(board, termsOf(context)),
    data: { kind: 'available', tasks: offersData(board) },
  };
}

/** What is available, to each as far as it is offered it. */
export function offers(board: Board, context: Context): { to: string | readonly string[]; letter: Letter }[] {
  const isPart = (agent: string): boolean => board.entries.some((entry) => isHeldBack(entry, agent));
  const { agents } = board;
  if (!agents?.some((agent) => isPart(agent))) return [{ to: audienceOf(context), letter: offer(board, context) }];
  const others = agents.filter((agent) => !isPart(agent));
  const parts = agents
    .filter((agent) => isPart(agent))
    .map((agent) => ({ to: agent, board: boardFor(board, agent) }))
    .filter((part) => availableOn(part.board).length > 0);
  return [
    ...(others.length === 0 ? [] : [{ to: others, letter: offer(board, context) }]),
    ...parts.map((part) => ({ to: part.to, letter: offer(part.board, context) })),
  ];
}

export function claimed({ task, status }: Entry): Letter {
  const { agent, epoch } = 'holder' in status ? status.holder : { agent: 'nobody', epoch: 0 };
  return {
    type: 'INFO',
    content: `${agent} claimed: ${task.title}`,
    data: { kind: 'claimed', taskId: task.id, agent, epoch },
  };
}

/** Answers the claim, so that it is found in its thread. */
export function start(entry: Entry, context: Context): Letter {
  const claimId = holderOf(entry)?.claimId;
  return {
    type: 'INFO',
    content: startText(entry, termsOf(context)),
    data: { kind: 'start', ...workData(entry) },
    ...(claimId === undefined ? {} : { replyTo: claimId }),
  };
}

export function rework(entry: Entry, context: Context): Letter {
  const feedback = entry.status.at === 'claimed' ? (entry.status.feedback ?? '') : '';
  return {
    type: 'INFO',
    content: reworkText(entry, feedback, termsOf(context)),
    data: { kind: 'rework', feedback, ...workData(entry) },
  };
}

/** For a result that has come; behind it what there is to do next, unless everybody is told that now. */
export function thanks(
  { entry, board, kind }: { entry: Entry; board: Board; kind: 'done' | 'submitted' | 'known' },
  context: Context,
): Letter {
  const isToldToAll = isSettled(board) || availableOn(board).length > availableOn(context.board).length;
  const ofAsker = boardFor(board, holderOf(entry)?.agent ?? '');
  return {
    type: 'INFO',
    content: [thanksText(entry, kind), ...(isToldToAll ? [] : ['', remainingText(ofAsker, termsOf(context))])].join(
      '\n',
    ),
    data: { kind, taskId: entry.task.id, epoch: entry.epoch, tasks: offersData(ofAsker) },
  };
}

export function lost(entry: Entry, lapse: Lapse, context: Context): Letter {
  return {
    type: 'INFO',
    content: lostText(entry, lapse, termsOf(context)),
    data: { kind: 'lost', taskId: entry.task.id, epoch: lapse.holder.epoch, reason: lapse.reason },
  };
}

export function blocked(entry: Entry, { address }: Context): Letter {
  return {
    type: 'BLOCKED',
    content: blockedText(entry, address),
    data: { kind: 'blocked', taskId: entry.task.id, reasons: entry.lapses },
  };
}

/** Why what somebody wanted cannot be, and what there is instead. */
export function refusal(now: Now): Letter {
  const [move, verdict] = [moveOf(now.event), verdictOf(now)];
  if (!move || verdict?.kind !== 'refused') throw new TypeError(`${now.event.type} is not refused`);
  const board = boardFor(now.context.board, saidIn(now).from);
  return {
    type: 'INFO',
    content: refusalText({ move, refusal: verdict.refusal, board, entry: verdict.before }, termsOf(now.context)),
    data: { kind: 'refused', taskId: move.taskId, why: verdict.refusal.why, tasks: offersData(board) },
  };
}

/** Where everything stands, and once more what the asker is to do. */
export function answer(now: Now): Letter {
  const { context } = now;
  const board = boardFor(context.board, saidIn(now).from);
  const held = heldBy(context.board, saidIn(now).from).filter(
    ({ status }) => status.at === 'claimed' && status.isStarted,
  );
  return {
    type: 'INFO',
    content: [
      statusText(context.board),
      remainingText(board, termsOf(context)),
      ...held.map((entry) => startText(entry, termsOf(context))),
    ].join('\n\n'),
    data: { kind: 'status', tasks: offersData(board), held: held.map((entry) => workData(entry)) },
  };
}

/** The data is short, whatever the results: the whole is the output. */
export function end(context: Context): Letter {
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

export function report({ board, ending, undelivered }: Context): Report {
  return reportOf(board, { ending, undelivered });
}

function termsOf({ address, leaseMinutes }: Context): Terms {
  return { address, leaseMinutes };
}
