import { cut } from '../message/cut.ts';
import type { Message } from '../message/message.ts';
import { actorLayout, type ActorLayout } from '../message/layout.ts';
import type { RoomContext } from '../room/context.ts';
import { readsPrompt, toolOf, type AgentCommand, type AgentSettings } from './settings.ts';
import {
  type AgentReply,
  contextAfter,
  ensureRecordDirectory,
  historyPath,
  promptPath,
  putRound,
  readRound,
  readThread,
  type QuestionRound,
  type ThreadRecord,
  withExchange,
  writeThread,
} from './records.ts';
import { invocationOf, missingProgram } from './invocation.ts';
import { judge, readRulesOf, type JudgedRun, type EndedRun } from './judge.ts';
import { makeAnswer, makeFailure } from './make-answer.ts';
import { presetOf } from './presets.ts';
import { MAIL_BYTES_MAX, type Correction, type AgentTask } from './prompt.ts';
import { questionKey, threadOf, wishesOf } from './question.ts';
import { createCheck, type CheckData } from './reply-data.ts';
import { putPrompt, runRound, stopRound } from './rounds.ts';

/** How often a round asks again for data that does not fit its schema. */
const CORRECTIONS_MAX = 2;
const PREVIOUS_CHARS_MAX = 4_000;
const BACKOFF_MS_MAX = 300_000;
const BACKOFF_GROWTH = 4;
/** The exit code of a shell that finds no program of that name (POSIX.1-2024, 2.8.2). */
const SHELL_NOT_FOUND = 127;

export interface FindAnswerOptions {
  readonly context: RoomContext;
  readonly address: string;
  readonly question: Message;
  readonly settings: AgentSettings;
  /** Whether this is the last attempt at the message before it becomes a dead letter. */
  readonly isLast: boolean;
  /** Ends the wait for the command. */
  readonly signal: AbortSignal;
  /** Called when the wait was aborted: whether to end the command, too. */
  readonly endsCommand: () => boolean;
  readonly tell: (
    event: { readonly kind: 'asked'; readonly round: number } | { readonly kind: 'restarted'; readonly retold: number },
  ) => void;
}

/** An answer, or when to ask again and why. */
export type FindAnswerResult =
  { readonly answer: AgentReply } | { readonly retryInMs: number; readonly why: string; readonly failures: number };

/**
 * Asks the command until it has answered or failed too often. Every round is stored before it runs, and its result is kept,
 * so that after a crash the same rounds are replayed and none is run twice.
 */
export async function findAnswer(asked: FindAnswerOptions): Promise<FindAnswerResult> {
  const { context, address, question, settings, isLast } = asked;
  const { host } = context;
  const actor = actorLayout(context.layout, address);
  const key = questionKey(address, question);
  const directory = `${actor.agent.questions}/${key}`;
  const fail = (why: string, tries: number, isFinal = false): FindAnswerResult => ({
    answer: makeFailure(context, { address, question, failure: { why, tries, isFinal } }),
  });
  const wishes = wishesOf(question);
  let check: CheckData | undefined;
  if (wishes.replySchema !== undefined) {
    const bytes = Buffer.byteLength(JSON.stringify(wishes.replySchema));
    const isTooLarge = readsPrompt(settings.command) && bytes > MAIL_BYTES_MAX;
    const made = isTooLarge
      ? { unusable: `it has ${bytes} bytes, and a prompt holds ${MAIL_BYTES_MAX}` }
      : createCheck(wishes.replySchema);
    if ('unusable' in made) return fail(`The replySchema of the question cannot be used: ${made.unusable}.`, 0, true);
    check = made.check;
  }
  const plan: RoundPlan = { failures: 0, corrections: 0, correction: undefined, session: undefined, isDoubted: false };
  for (let number = 1; ; number++) {
    const place = { directory, number };
    const round = readRound(host, place) ?? (await nextRound(asked, { actor, place, plan }));
    const { retold } = round;
    if (retold !== undefined) asked.tell({ kind: 'restarted', retold });
    asked.tell({ kind: 'asked', round: number });
    const judged = await judgeRound(asked, { job: `${actor.jobs}/${key}.${number}`, round, check });
    await keepThread(asked, { actor, round, judged });
    const { verdict, session } = judged;
    if (verdict.kind === 'answer') {
      const notes = { denied: verdict.denied, retold };
      return { answer: makeAnswer(context, { address, question, reply: verdict, notes, tries: number }) };
    }
    if (verdict.kind === 'correct') {
      plan.corrections += 1;
      plan.correction = verdict.correction;
      plan.session = session;
      if (plan.corrections > CORRECTIONS_MAX) return fail(misfit(verdict.correction, plan.corrections), number);
      continue;
    }
    plan.isDoubted ||= round.resumes;
    // The lost session was never asked, so this is no failure; the next round resumes no session.
    if (round.resumes && verdict.isSessionLost) continue;
    plan.failures += 1;
    const why = `The command ${verdict.why}`;
    if (verdict.isFinal) return fail(why, number, true);
    if (plan.failures >= settings.triesMax || isLast) return fail(why, number);
    // The process that stored the next round has already waited the backoff.
    if (readRound(host, { directory, number: number + 1 })) continue;
    await nextRound(asked, { actor, place: { directory, number: number + 1 }, plan });
    const retryInMs = Math.min(settings.backoffMs * BACKOFF_GROWTH ** (plan.failures - 1), BACKOFF_MS_MAX);
    return { retryInMs, why, failures: plan.failures };
  }
}

/** What the rounds so far mean for the next one. */
interface RoundPlan {
  failures: number;
  corrections: number;
  correction: Correction | undefined;
  /** The session of the answer to correct. */
  session: string | undefined;
  /** Whether the session may be the cause of a failure; then the next round starts a new one. */
  isDoubted: boolean;
}

async function nextRound(
  { context, address, question, settings }: FindAnswerOptions,
  { actor, place, plan }: { actor: ActorLayout; place: { directory: string; number: number }; plan: RoundPlan },
): Promise<QuestionRound> {
  const { host } = context;
  const { command } = settings;
  const threadId = threadOf(question);
  const thread = readThread(host, actor.agent.threads, threadId);
  const own = thread?.tool === toolOf(command) ? thread : undefined;
  const session = plan.isDoubted ? undefined : (plan.session ?? own?.session);
  const earlier = session === undefined && isResumable(command) ? earlierOf(thread) : undefined;
  const mail = contextAfter(host, actor.agent.context, earlier ? 0 : (own?.told ?? 0));
  const { replySchema } = wishesOf(question);
  const task: AgentTask = {
    address,
    message: question,
    context: mail.map(({ message }) => message),
    ...(earlier === undefined ? {} : { earlier }),
    ...(replySchema === undefined ? {} : { replySchema }),
    ...(plan.correction === undefined ? {} : { correction: plan.correction }),
  };
  const prompt = promptPath(place.directory, place.number);
  const paths = { prompt, history: historyPath(actor.agent.threads, threadId) };
  const invocation = invocationOf(context, { settings, task, session, paths });
  if (invocation.prompt !== undefined) {
    await ensureRecordDirectory(host, place.directory);
    await ensureRecordDirectory(host, actor.agent.threads);
    await putPrompt(host, prompt, invocation.prompt);
  }
  const told = mail.at(-1)?.number ?? own?.told ?? 0;
  const retold = earlier === undefined ? {} : { retold: earlier.length };
  return putRound(host, place, { spec: invocation.spec, resumes: invocation.resumes, told, ...retold });
}

function isResumable(command: AgentCommand): boolean {
  return command.kind === 'preset' && presetOf(command.preset).resume !== undefined;
}

/** The exchanges of a conversation whose session cannot be resumed; undefined for a new conversation. */
function earlierOf(thread: ThreadRecord | undefined): ThreadRecord['exchanges'] | undefined {
  return thread && (thread.session !== undefined || thread.exchanges.length > 0) ? thread.exchanges : undefined;
}

async function judgeRound(
  { context, settings, signal, endsCommand }: FindAnswerOptions,
  { job, round, check }: { job: string; round: QuestionRound; check: CheckData | undefined },
): Promise<JudgedRun> {
  const { host } = context;
  const { command } = settings;
  const rules = readRulesOf(command);
  try {
    const ran = await runRound(host, job, { spec: round.spec, rules, leaveMs: settings.leaveMs, signal });
    const missing = isUnfound(ran) ? await missingProgram(host, settings) : undefined;
    if (missing !== undefined) {
      const why = `was not run: there is no program ${missing}. Install it, or correct the agent's PATH.`;
      return { verdict: { kind: 'failed', why, isFinal: true }, session: undefined };
    }
    if ('why' in ran) return { verdict: { kind: 'failed', why: ran.why }, session: undefined };
    return judge(ran, command, check);
  } catch (error) {
    if (signal.aborted && endsCommand()) await stopRound(host, job, rules);
    throw error;
  }
}

/** Whether the cause may be that there is no such program. */
function isUnfound(ran: EndedRun | { readonly why: string }): boolean {
  return 'why' in ran || ran.result.exitCode === SHELL_NOT_FOUND;
}

/** Stores the session of a run that did not fail: the next question of this conversation resumes it. */
async function keepThread(
  { context, question, settings }: FindAnswerOptions,
  { actor, round, judged }: { actor: ActorLayout; round: QuestionRound; judged: JudgedRun },
): Promise<void> {
  const { verdict, session: reported } = judged;
  if (verdict.kind === 'failed') return;
  const { threads } = actor.agent;
  const threadId = threadOf(question);
  const known = readThread(context.host, threads, threadId);
  const session = reported ?? (round.resumes ? known?.session : undefined);
  const { id, from, type, sentAt, content } = question;
  const before = known?.exchanges ?? [];
  const exchanges =
    verdict.kind === 'answer' && isResumable(settings.command)
      ? withExchange(before, { id, from, type, sentAt, content, answer: verdict.content })
      : before;
  const facts = { threadId, tool: toolOf(settings.command), told: round.told, exchanges };
  const thread = session === undefined ? facts : { ...facts, session };
  if (known && JSON.stringify(known) === JSON.stringify(thread)) return;
  await writeThread(context.host, threads, thread);
}

function misfit({ previous, faults }: Correction, times: number): string {
  const shown = cut(previous, { charsMax: PREVIOUS_CHARS_MAX });
  return `It answered ${times} times, but never with JSON that fits the replySchema. The last faults: ${faults.join(' ')}\nIts last answer was:\n${shown}`;
}
