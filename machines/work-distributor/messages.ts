import { echo } from '../shared/text.ts';
import {
  availableOn,
  type Board,
  boardFor,
  type Entry,
  heldBy,
  holderOf,
  isHeldBack,
  isSettled,
  type Lapse,
  type Move,
  type Refusal,
} from './board.ts';
import { type Context, moveOf, type Now, saidIn, verdictOf } from './decide.ts';
import { endText, type Report, reportOf, statusText } from './report.ts';
import {
  blockedText,
  lostText,
  minutesText,
  offersData,
  offersText,
  remainingText,
  reworkText,
  startText,
  type Terms,
  thanksText,
  workData,
} from './text.ts';

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
export function refusalLetter(now: Now): Letter {
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
export function endLetter(context: Context): Letter {
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

/** What somebody is told who asked for what cannot be: why, and what there is instead. */
function refusalText(
  { move, refusal, board, entry }: { move: Move; refusal: Refusal; board: Board; entry: Entry | null },
  terms: Terms,
): string {
  const what = {
    claim: 'You cannot have',
    complete: 'Your result is not taken for',
    'give-back': 'You cannot give back',
  } as const;
  const opening = what[move.kind as keyof typeof what];
  const name = entry ? `${entry.task.title} (${entry.task.id})` : echo(move.taskId);
  return `${opening} ${name}: ${reasonText(refusal, entry, terms)}\n\n${remainingText(board, terms)}`;
}

function reasonText(refusal: Refusal, entry: Entry | null, { leaseMinutes }: Terms): string {
  switch (refusal.why) {
    case 'unknown':
      return `there is no such task.${refusal.near === null ? '' : ` Did you mean ${refusal.near}?`}`;
    case 'not-asked':
      return 'others are asked to do this work.';
    case 'given-up':
      return `it was claimed and lost ${entry?.lapses.length ?? 0} times, so nobody can claim it any more.`;
    case 'held-back':
      return `you returned it, and the others are asked first. You will hear of it if nobody claims it within ${minutesText(leaseMinutes)}.`;
    case 'taken':
      return `${refusal.holder.agent} holds it.`;
    case 'in-review':
      return `what ${refusal.holder.agent} has done is being looked at. Please wait for what comes of it.`;
    case 'done':
      return `${refusal.holder.agent} has done it.`;
    case 'not-ready':
      return `first this has to be done: ${refusal.missing.map(({ title, id }) => `${title} (${id})`).join(', ')}.`;
    case 'other-epoch':
      return `you hold it in epoch ${refusal.epoch}, and this is about another one.`;
    case 'not-held':
      return 'you do not hold it. Claim it first.';
    default: {
      const { holder, end } = refusal.lapse;
      const why = {
        silent: `nothing was heard of you for ${minutesText(leaseMinutes)}`,
        'given-back': 'you gave it back',
        'taken-away': 'it was taken back',
      }[end];
      return `your claim, epoch ${holder.epoch}, is over: ${why}.${nowText(entry)} Thank you all the same.`;
    }
  }
}

function nowText(entry: Entry | null): string {
  const holder = entry && holderOf(entry);
  if (!holder) return ' It can be claimed again.';
  return entry.status.at === 'done' ? ` ${holder.agent} has done it.` : ` ${holder.agent} holds it now.`;
}
