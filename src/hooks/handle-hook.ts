import { removeQuietly } from '../host/files.ts';
import { isSameProcess } from '../host/processes.ts';
import { readCard } from '../room/card.ts';
import type { RoomContext } from '../room/context.ts';
import { leaveRoom } from '../room/join.ts';
import type { Mail } from '../room/mail.ts';
import { touch } from '../room/signs-of-life.ts';
import { joinSession } from './join-session.ts';
import { introduction } from './introduction.ts';
import { hookAnswer } from './hook-answer.ts';
import { sessionKey, type HookEvent } from './hook-event.ts';
import { PROMPTS_ITSELF } from './programs.ts';
import { HOOK_CHARS_MAX, lengthFor } from './mail-text.ts';
import {
  commandIn,
  forgetSession,
  goesOn,
  lastRunMs,
  listSessions,
  sessionOf,
  showRun,
  type Session,
} from './session.ts';
import { acknowledgeShown, isInPart, keepShown, renewShown, returnShown, shownMail } from './shown-mail.ts';
import { markPrompt, promptBefore } from './prompt-mark.ts';
import { showWaiting } from './show-waiting.ts';
import { endWaiter } from './waiter.ts';

export interface HookContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What runs this very program in the session's shell, such as `mailroom`. */
  readonly ownCommand: string;
  /** Tells the session's own shell who it is; false where the program has no way for that. */
  readonly exportAddress: (address: string) => boolean;
}

/** What a hook answers, and what it does once the program has the answer. */
export interface HookOutcome {
  /** For stdout; empty when there is nothing to say. */
  readonly answer: string;
  readonly afterwards: () => Promise<void>;
}

/** With what was known of the session before. */
interface KnownBefore extends HookContext {
  readonly known: Session | undefined;
}

/** A hook that started this session at the same time has done so by then. */
const START_WAIT_MS_MAX = 1_000;

const NOTHING: HookOutcome = { answer: '', afterwards: async () => {} };

/**
 * Joins, shows mail and acknowledges what was shown, as the event demands. Whatever it throws has changed nothing that the next
 * event does not put right: what was claimed comes back when its lease ends.
 */
export async function handleHook(context: RoomContext, event: HookEvent, options: HookContext): Promise<HookOutcome> {
  if (event.isSubagent) return NOTHING;
  const known = sessionOf(context, event);
  if (event.kind === 'session-end') {
    if (known) await endSession(context, known);
    return NOTHING;
  }
  if (event.kind === 'session-start') return startSession(context, event, { ...options, known });
  if (known && hasLeft(context, known)) return NOTHING;
  const isKnown = known && isSameProcess(known.process, context.host.processes.parent());
  if (!isKnown || (known.isUnheard && event.kind === 'prompt')) {
    // To be told who it is would be no reason for another turn, and before a tool call no model hears it.
    const isHeard = event.kind !== 'turn-end' && event.kind !== 'subagent';
    return isHeard ? startSession(context, event, { ...options, known }) : NOTHING;
  }
  showRun(context, known);
  return inTurn(context, event, known, options);
}

/** The agent has left the room by hand; until a session starts, its hooks do nothing. */
function hasLeft({ host, layout }: RoomContext, { address }: Session): boolean {
  return readCard(host, layout, address)?.leftAt !== undefined;
}

/**
 * Joins, and tells the session who it is. Gemini CLI starts the hooks of a session and of the prompt on its command line at the same
 * time (0.61): the one that is second finds the session there, and says nothing again.
 */
async function startSession(context: RoomContext, event: HookEvent, options: KnownBefore): Promise<HookOutcome> {
  const { host, layout } = context;
  const parent = host.processes.parent();
  const isStarted = (session: Session | undefined): session is Session =>
    session !== undefined && isSameProcess(session.process, parent);
  const release = await host.lock.smooth(`${layout.tmp}/${sessionKey(event)}`, { waitMsMax: START_WAIT_MS_MAX });
  try {
    const known = sessionOf(context, event);
    if (isStarted(options.known) || !isStarted(known) || known.isUnheard) {
      return await introduceSession(context, event, { ...options, known });
    }
    return event.kind === 'session-start' ? NOTHING : await inTurn(context, event, known, options);
  } finally {
    await release();
  }
}

/** Joins, and shows again what the session was shown: its context may be a new one. Acknowledges nothing. */
async function introduceSession(context: RoomContext, event: HookEvent, options: KnownBefore): Promise<HookOutcome> {
  const { known } = options;
  const session = await joinSession(context, event, options);
  if (known && known.address !== session.address) await returnShown(context, known);
  await returnOfEnded(context, session);
  endWaiter(context, session);
  if (event.kind === 'prompt') markPrompt(context.host.files, session.layout, event.turnId);
  else removeQuietly(context.host.files, session.layout.prompted);
  if (event.isUnheard) return NOTHING;
  const command = commandIn(session, options.ownCommand);
  const again = shownMail(context, session).map(({ mail }) => mail);
  const first = introduction(context, session, command);
  const charsMax = HOOK_CHARS_MAX - lengthFor(session.program, first);
  // What a prompt's hook shows is in that prompt's request.
  const isQueued = event.kind === 'session-start';
  const showing = await showWaiting(context, session, { charsMax, command, again, isQueued });
  return {
    answer: hookAnswer(event, { text: `${first}${showing.text}`, address: session.address }),
    afterwards: showing.record,
  };
}

/** A session that may be resumed keeps its address for so long. */
const SESSION_AGE_MS_MAX = 30 * 86_400_000;

/** Another session of this address that is over returns what it was shown, so that this one is shown it. */
async function returnOfEnded(context: RoomContext, own: Session): Promise<void> {
  const oldMs = context.host.clock.now() - SESSION_AGE_MS_MAX;
  for (const other of listSessions(context)) {
    if (other.key === own.key || goesOn(context, other, own.process)) continue;
    const isOld = lastRunMs(context, other) < oldMs;
    if (isOld || other.address === own.address) await returnShown(context, other);
    if (isOld) forgetSession(context, other);
  }
}

async function inTurn(
  context: RoomContext,
  event: HookEvent,
  session: Session,
  options: HookContext,
): Promise<HookOutcome> {
  const { kind } = event;
  const { files } = context.host;
  const { prompted, subagent } = session.layout;
  if (kind === 'prompt' && event.isByPerson) endWaiter(context, session);
  const before = kind === 'prompt' ? promptBefore(files, session.layout) : undefined;
  const isMidTurn = before !== undefined && before === event.turnId;
  // A person took the prompt before back, or the whole turn, and with it what was shown there.
  const isTakenBack = before !== undefined && !isMidTurn;
  if (kind === 'prompt' || event.isInterrupted) markPrompt(files, session.layout, event.turnId);
  else removeQuietly(files, prompted);
  if (kind === 'prompt' || kind === 'turn-end') removeQuietly(files, subagent);
  if (kind === 'subagent') touch(context, subagent);
  if (files.lstat(subagent)) return NOTHING;
  const isProof = kind !== 'tool' && !event.isInterrupted && !isMidTurn;
  const again: Mail[] = [];
  for (const shown of shownMail(context, session)) {
    if (isTakenBack) again.push(shown.mail);
    // Of several hooks of one message of the model, none proves that it has run since another.
    else if (!isProof || isInPart(shown.mail)) await renewShown(context, session, shown);
    else if (shown.isQueued) await keepShown(context, session, { ...shown, isQueued: false });
    else await acknowledgeShown(context, session, shown);
  }
  // Never twice in a row: what comes now waits for the next prompt, or wakes the session.
  if (kind === 'turn-end' && (event.isContinued || event.isInterrupted)) return NOTHING;
  const { text, record } = await showWaiting(context, session, {
    charsMax: HOOK_CHARS_MAX,
    command: commandIn(session, options.ownCommand),
    again,
    isQueued: isMidTurn || (kind === 'turn-end' && PROMPTS_ITSELF.has(session.program)),
  });
  return { answer: hookAnswer(event, { text }), afterwards: record };
}

async function endSession(context: RoomContext, session: Session): Promise<void> {
  await returnShown(context, session);
  forgetSession(context, session);
  const card = readCard(context.host, context.layout, session.address);
  const isOwn = card !== undefined && isSameProcess(card.process, session.process);
  if (isOwn && card.leftAt === undefined) await leaveRoom(context, session.address);
}
