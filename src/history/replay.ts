import type { AnyStateMachine } from 'xstate';
import { stepWorkflow, failedStep } from '../step/step.ts';
import { END } from '../workflow/control.ts';
import { endingWithout } from '../step/ending.ts';
import type { PlannedMessage } from '../step/outgoing.ts';
import { errorFacts, isErrorCode } from '../errors.ts';
import type { StepFailure, WorkflowCall, WorkflowState } from '../step/workflow-state.ts';
import { messageOf } from '../room/draft.ts';
import type { RoomContext } from '../room/context.ts';
import { contextOf, type Room } from '../room/room.ts';
import type { CommitRecord, FailedRecord, OutboxEntry } from '../journal/record.ts';
import { readJournal } from '../journal/read.ts';
import { openEntry } from '../runtime/deliver-entry.ts';
import { mayBeTooLarge, STEP_TOO_LARGE } from '../runtime/committer.ts';

/** A place where the machine would now act differently from what the journal says. */
export interface Divergence {
  /** The sequence number of the journal record. */
  readonly seq: number;
  /** The number of the step in what `mailroom why` prints. */
  readonly step: number;
  /** The path of the value, such as `state.snapshot.context.count`. */
  readonly where: string;
  /** The value in the journal. */
  readonly recorded: unknown;
  /** The value of the replayed step. */
  readonly replayed: unknown;
}

type Difference = Omit<Divergence, 'seq' | 'step'>;

/** What `replayWorkflow` found. */
export interface ReplayReport {
  /** How many steps were replayed. */
  readonly steps: number;
  /** Every difference, oldest first; none if the machine still acts as it did. */
  readonly divergences: readonly Divergence[];
}

/**
 * Replays every step of a workflow's journal, each from the recorded state before it, and compares state, timers, calls, messages
 * and actions. It changes nothing and runs no effect. Returns undefined if there is no journal.
 *
 * @throws `ChainDamaged`, or the error of the system, if the journal cannot be read.
 */
export function replayWorkflow(room: Room, address: string, machine: AnyStateMachine): ReplayReport | undefined {
  const context = contextOf(room);
  const divergences: Divergence[] = [];
  let before: WorkflowState | undefined;
  let steps = 0;
  let step = 0;
  const isThere = readJournal(context, address, (entry) => {
    if (!('performed' in entry)) step += 1;
    const commit = 'failed' in entry ? asCommit(entry.failed, before) : 'commit' in entry ? entry.commit : undefined;
    if (!commit) return;
    const { seq } = entry;
    steps += 1;
    const found = compareStep(context, { address, machine, before, commit });
    divergences.push(...found.map((one) => ({ seq, step, ...one })));
    before = commit.state;
  });
  return isThere ? { steps, divergences } : undefined;
}

/** A step that blocks the workflow, as a commit: it keeps the state and has no effects. */
function asCommit(
  { progress, kin, ...failed }: FailedRecord,
  before: WorkflowState | undefined,
): CommitRecord | undefined {
  if (!before) return undefined;
  const { at, cause, failure } = failed;
  const nothing = { outbox: [], actions: [], logs: [], emitted: [] };
  return {
    at,
    cause,
    verdict: 'failed',
    failure,
    state: { ...before, failed },
    ...nothing,
    ...(kin ? { kin } : {}),
    progress,
  };
}

function compareStep(
  context: RoomContext,
  step: { address: string; machine: AnyStateMachine; before: WorkflowState | undefined; commit: CommitRecord },
): Difference[] {
  const { address, machine, before, commit } = step;
  let planned = 0;
  const options = {
    machine,
    address,
    state: before,
    cause: commit.cause,
    at: commit.at,
    nextId: () => `planned ${++planned}`,
    isKin: (one: string) => commit.kin?.[one] ?? false,
  };
  const taken = stepWorkflow(options);
  const isTooLarge = commit.failure?.name === STEP_TOO_LARGE && mayBeTooLarge(commit.cause, taken);
  const again = isTooLarge ? failedStep(options, commit.failure) : taken;
  const { verdict, failure, actions } = again;
  // A message that was planned and dropped within the step took an id as well, so ids are matched by position.
  const ids = new Map(again.mail.map(({ id }, index) => [id, commit.outbox[index]?.id ?? id]));
  const replayed = asJson({
    verdict,
    failure: comparable(failure),
    state: { ...placeless(again.state), calls: withIds(again.state.calls, ids) },
    actions,
    mail: again.mail.map((mail, index) => plannedMail(context, address, { mail, entry: commit.outbox[index] })),
  });
  const { outbox } = commit;
  const recorded = asJson({
    verdict: commit.verdict,
    failure: comparable(commit.failure),
    state: placeless(commit.state),
    actions: commit.actions,
    mail: outbox.map((entry) => recordedMail(entry)),
  });
  return differences('', recorded, replayed);
}

/**
 * What is comparable of a failure. Its place differs between checkouts, and the text of Mailroom's own errors between
 * releases; their code does not.
 */
function comparable(failure: StepFailure | undefined): unknown {
  if (!failure) return undefined;
  const { place: _place, message, ...error } = failure;
  return isErrorCode(error.code) ? error : { ...error, message };
}

function placeless({ failed, ...state }: WorkflowState): object {
  return failed ? { ...state, failed: { ...failed, failure: comparable(failed.failure) } } : state;
}

function withIds(
  calls: WorkflowState['calls'],
  ids: ReadonlyMap<string, string>,
): Readonly<Record<string, WorkflowCall>> {
  const given = Object.entries(calls).map(([name, call]): [string, WorkflowCall] =>
    call.kind === 'ask' ? [name, { ...call, questionId: ids.get(call.questionId) ?? call.questionId }] : [name, call],
  );
  return Object.fromEntries(given);
}

/** The message as it would be sent, ignoring the order of its fields; for one that cannot be made, what its entry would say. */
function plannedMail(
  context: RoomContext,
  from: string,
  { mail, entry }: { mail: PlannedMessage; entry: OutboxEntry | undefined },
): unknown {
  const { to, draft } =
    entry?.withoutOutput && mail.draft.type === END ? endingWithout(mail, entry.withoutOutput) : mail;
  const { type, content, data } = draft;
  // The journal has no such message: the replay sends one more.
  if (!entry) return { to, type, content, data };
  // The refusal depended on the room (who had joined, size limits), not on the machine.
  if (entry.refusal) return { id: entry.id, to, type, content };
  try {
    return messageOf(context, { id: entry.id, from, to, draft });
  } catch (error) {
    return { id: entry.id, to, type, content, refusal: errorFacts(error) };
  }
}

function recordedMail(entry: OutboxEntry): unknown {
  const { id, to, type, content } = entry;
  return openEntry(entry)?.message ?? { id, to, type, content };
}

function asJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

function differences(where: string, recorded: unknown, replayed: unknown): Difference[] {
  if (recorded === replayed) return [];
  const isPair = typeof recorded === 'object' && typeof replayed === 'object' && recorded !== null && replayed !== null;
  if (!isPair || Array.isArray(recorded) !== Array.isArray(replayed)) return [{ where, recorded, replayed }];
  const a = recorded as Readonly<Record<string, unknown>>;
  const b = replayed as Readonly<Record<string, unknown>>;
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].flatMap((name) => differences(where === '' ? name : `${where}.${name}`, a[name], b[name]));
}
