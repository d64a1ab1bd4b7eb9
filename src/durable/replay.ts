import type { AnyStateMachine } from 'xstate';
import { advance } from '../machine/advance.ts';
import type { PlannedMail } from '../machine/outgoing-mail.ts';
import type { WorkflowState } from '../machine/workflow-state.ts';
import { messageOf } from '../room/draft.ts';
import type { RoomContext } from '../room/context.ts';
import type { CommitRecord, OutboxEntry } from './journal-record.ts';
import { readJournal } from './read-journal.ts';
import { openEntry } from './sealed-entry.ts';

/** Where the machine of today would have done something else than what the journal says. */
export interface Divergence {
  readonly seq: number;
  /** The place, such as `state.snapshot.context.count`. */
  readonly where: string;
  readonly recorded: unknown;
  readonly replayed: unknown;
}

export interface Replayed {
  /** Steps that were taken again. */
  readonly steps: number;
  readonly divergences: readonly Divergence[];
}

/**
 * Takes every step of a workflow's journal again, each from the recorded state before it, and compares what comes out:
 * state, timers, calls, messages, actions. Changes nothing. Undefined when there is no journal. Throws as `readJournal`.
 */
export function replayWorkflow(context: RoomContext, address: string, machine: AnyStateMachine): Replayed | undefined {
  const divergences: Divergence[] = [];
  let before: WorkflowState | undefined;
  let steps = 0;
  const isThere = readJournal(context, address, (entry) => {
    if (!('commit' in entry)) return;
    const { commit, seq } = entry;
    steps += 1;
    divergences.push(...compareStep(context, { address, machine, before, commit }).map((one) => ({ seq, ...one })));
    before = commit.state;
  });
  return isThere ? { steps, divergences } : undefined;
}

function compareStep(
  context: RoomContext,
  step: { address: string; machine: AnyStateMachine; before: WorkflowState | undefined; commit: CommitRecord },
): Omit<Divergence, 'seq'>[] {
  const { address, machine, before, commit } = step;
  const ids = commit.outbox.map(({ id }) => id);
  const again = advance({
    machine,
    address,
    state: before,
    cause: commit.cause,
    at: commit.at,
    nextId: () => ids.shift() ?? 'one message more',
  });
  const { state, verdict, failure, actions } = again;
  const replayed = asJson({
    verdict,
    failure,
    state,
    actions,
    mail: again.mail.map((mail) => plannedMail(context, address, mail)),
  });
  const { outbox } = commit;
  const recorded = asJson({
    verdict: commit.verdict,
    failure: commit.failure,
    state: commit.state,
    actions: commit.actions,
    mail: outbox.map((entry) => recordedMail(entry)),
  });
  return differences('', recorded, replayed);
}

/** The message as it would be sent, without the order of its fields. */
function plannedMail(context: RoomContext, from: string, { id, to, draft }: PlannedMail): unknown {
  return messageOf(context, { id, from, to, draft });
}

function recordedMail(entry: OutboxEntry): unknown {
  return openEntry(entry)?.message ?? { id: entry.id, refusal: entry.refusal };
}

function asJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

function differences(where: string, recorded: unknown, replayed: unknown): Omit<Divergence, 'seq'>[] {
  if (recorded === replayed) return [];
  const isPair = typeof recorded === 'object' && typeof replayed === 'object' && recorded !== null && replayed !== null;
  if (!isPair || Array.isArray(recorded) !== Array.isArray(replayed)) return [{ where, recorded, replayed }];
  const a = recorded as Readonly<Record<string, unknown>>;
  const b = replayed as Readonly<Record<string, unknown>>;
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].flatMap((name) => differences(where === '' ? name : `${where}.${name}`, a[name], b[name]));
}
