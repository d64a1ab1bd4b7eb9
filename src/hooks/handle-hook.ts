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
  isLiveSession,
  lastRunMs,
  listSessions,
  sessionOf,
  recordRun,
  type Session,
} from './session.ts';
import { acknowledgeShown, isInPart, keepShown, renewShown, releaseShown, shownMail } from './shown-mail.ts';
import { markPrompt, promptBefore } from './prompt-mark.ts';
import { showWaiting } from './show-waiting.ts';
import { endWaiter } from './waiter.ts';

export interface HookContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The command that runs this same program in the session's shell, such as `mailroom`. */
  readonly ownCommand: string;
  /** Sets the address in the session's own shell; false if the program has no way to do that. */
  readonly exportAddress: (address: string) => boolean;
}

/** The answer of a hook, and what it does once the program has the answer. */
export interface HookOutcome {
  /** The text for stdout; empty if there is nothing to say. */
  readonly answer: string;
  readonly afterwards: () => Promise<void>;
}

/** The same, with the earlier record of the session. */
interface KnownBefore extends HookContext {
  readonly known: Session | undefined;
}

/** Another hook that starts the same session at the same time is done within this time. */
const START_WAIT_MS_MAX = 1_000;

const NOTHING: HookOutcome = { answer: '', afterwards: async () => {} };

/**
 * Joins, shows mail and acknowledges shown mail, as the event requires. It may throw at any point: the next event repairs what
 * was left, and claimed mail comes back when its lease ends.
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
    // An introduction alone is no reason for another turn, and text from a hook before a tool call reaches no model.
    const isHeard = event.kind !== 'turn-end' && event.kind !== 'subagent';
    return isHeard ? startSession(context, event, { ...options, known }) : NOTHING;
  }
  recordRun(context, known);
  return inTurn(context, event, known, options);
}

/** Whether the agent has left the room by hand; its hooks then do nothing until a session starts. */
function hasLeft({ host, layout }: RoomContext, { address }: Session): boolean {
  return readCard(host, layout, address)?.leftAt !== undefined;
}

/**
 * Joins, and tells the session its address. Gemini CLI starts the hooks of a session and of the prompt on its command line at
 * the same time (0.61): the second hook finds the session started, and does not introduce it again.
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

/** Joins, and shows the session's unacknowledged mail again, because its context may be new. Acknowledges nothing. */
async function introduceSession(context: RoomContext, event: HookEvent, options: KnownBefore): Promise<HookOutcome> {
  const { known } = options;
  const session = await joinSession(context, event, options);
  if (known && known.address !== session.address) await releaseShown(context, known);
  await releaseFromEnded(context, session);
  endWaiter(context, session);
  if (event.kind === 'prompt') markPrompt(context.host.files, session.layout, event.turnId);
  else removeQuietly(context.host.files, session.layout.prompted);
  if (event.isUnheard) return NOTHING;
  const command = commandIn(session, options.ownCommand);
  const again = shownMail(context, session).map(({ mail }) => mail);
  const first = introduction(context, session, command);
  const charsMax = HOOK_CHARS_MAX - lengthFor(session.program, first);
  // Mail shown by a prompt's hook is part of that prompt's request, so it is not queued.
  const isQueued = event.kind === 'session-start';
  const showing = await showWaiting(context, session, { charsMax, command, again, isQueued });
  return {
    answer: hookAnswer(event, { text: `${first}${showing.text}`, address: session.address }),
    afterwards: showing.record,
  };
}

/** A session that may be resumed keeps its address this long. */
const SESSION_AGE_MS_MAX = 30 * 86_400_000;

/** Releases the shown mail of ended sessions of this address, so that this session is shown it. */
async function releaseFromEnded(context: RoomContext, own: Session): Promise<void> {
  const oldMs = context.host.clock.now() - SESSION_AGE_MS_MAX;
  for (const other of listSessions(context)) {
    if (other.key === own.key || isLiveSession(context, other, own.process)) continue;
    const isOld = lastRunMs(context, other) < oldMs;
    if (isOld || other.address === own.address) await releaseShown(context, other);
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
  // A person took back the previous prompt or the whole turn, and with it the mail shown there.
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
    // Several hooks of one message of the model run at once, so none proves that the model has run after another.
    else if (!isProof || isInPart(shown.mail)) await renewShown(context, session, shown);
    else if (shown.isQueued) await keepShown(context, session, { ...shown, isQueued: false });
    else await acknowledgeShown(context, session, shown);
  }
  // A turn is continued only once: later mail waits for the next prompt, or wakes the session.
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
  await releaseShown(context, session);
  forgetSession(context, session);
  const card = readCard(context.host, context.layout, session.address);
  const isOwn = card !== undefined && isSameProcess(card.process, session.process);
  if (isOwn && card.leftAt === undefined) await leaveRoom(context, session.address);
}
