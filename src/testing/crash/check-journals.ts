import type { Cause } from '../../step/cause.ts';
import type { WorkflowState } from '../../step/workflow-state.ts';
import { listWaiting } from '../../mailbox/exclusive-reader.ts';
import { statusIn } from '../../mailbox/status.ts';
import { listAddresses, mailboxOf, type RoomContext } from '../../room/context.ts';
import type { CommitRecord } from '../../journal/record.ts';
import { readJournal, readJournalState } from '../../journal/read.ts';

/** What the journals of a room have. */
export interface JournalCounts {
  /** How many steps were committed. */
  readonly steps: number;
  /** How many messages caused a step. */
  readonly taken: number;
  /** How many messages were sent. */
  readonly sent: number;
  /** How many timers fired. */
  readonly timers: number;
}

/**
 * What must hold of every workflow of a room when nothing is under way any more, a sentence for each fault: no message
 * taken twice or left behind, no message sent and not delivered or delivered twice, timers at the time they were set for,
 * every effect id once.
 */
export function checkJournals(context: RoomContext): { faults: string[]; counts: JournalCounts } {
  const faults: string[] = [];
  const counts = { steps: 0, taken: 0, sent: 0, timers: 0 };
  for (const address of listAddresses(context)) {
    const fold = readJournalState(context, address);
    if (!fold) continue;
    const fault = (text: string): void => void faults.push(`${address}: ${text}`);
    const taken = new Set<string>();
    const effects = new Set<string>();
    const sent: Sent[] = [];
    // Of a message that can never be delivered its sender has heard, which is as good.
    const heardOf = new Map<string, readonly string[]>();
    let before: WorkflowState | undefined;
    readJournal(context, address, (entry) => {
      const mail = 'commit' in entry ? mailOf(entry.commit.cause) : 'note' in entry ? entry.note.mail : undefined;
      if (mail) {
        if (taken.has(mail.id)) fault(`the message ${mail.id} (${mail.type} from ${mail.from}) was taken twice`);
        taken.add(mail.id);
        counts.taken += 1;
      }
      if (!('commit' in entry)) return;
      const { commit } = entry;
      counts.steps += 1;
      if (commit.cause.kind === 'timer') {
        counts.timers += 1;
        checkTimer(commit, before, fault);
      }
      if (commit.cause.kind === 'undelivered') heardOf.set(commit.cause.messageId, commit.cause.to.split(', '));
      for (const { effectId } of [...commit.outbox, ...commit.actions]) {
        if (effects.has(effectId)) fault(`the effect ${effectId} was committed twice`);
        effects.add(effectId);
      }
      for (const { id, to, recipients = to, refusal } of commit.outbox) if (!refusal) sent.push({ id, recipients });
      before = commit.state;
    });
    counts.sent += sent.length;
    for (const { id, recipients } of sent) {
      const refusing = heardOf.get(id) ?? [];
      checkDelivered(context, { id, recipients: recipients.filter((to) => !refusing.includes(to)) }, fault);
    }
    // Of one that is FAILED all that is for it waits, also what it has to hear of its own messages.
    if (fold.state?.failed) continue;
    if (fold.undelivered.size > 0) fault(`${fold.undelivered.size} messages were not delivered`);
    // What reaches a workflow that has ended lies there until somebody purges it, as in any room.
    if (fold.state?.status !== 'active') continue;
    const mailbox = mailboxOf(context, address);
    const left = mailbox ? listWaiting(mailbox) : [];
    if (left.length > 0) fault(`${left.length} messages lie in its mailbox: ${left[0]?.name ?? ''}`);
  }
  return { faults, counts };
}

function mailOf(cause: Cause): { id: string; type: string; from: string } | undefined {
  return 'mail' in cause ? cause.mail : undefined;
}

function checkTimer(
  { cause, at }: CommitRecord,
  before: WorkflowState | undefined,
  fault: (text: string) => void,
): void {
  if (cause.kind !== 'timer') return;
  const armed = before?.timers[cause.timer];
  if (!armed) fault(`the timer ${cause.timer} fired and was not set`);
  else if (armed.dueAt !== cause.dueAt)
    fault(`the timer ${cause.timer} was set for ${armed.dueAt} and fired for ${cause.dueAt}`);
  if (at < cause.dueAt) fault(`the timer ${cause.timer} fired ${cause.dueAt - at} ms early`);
}

interface Sent {
  readonly id: string;
  readonly recipients: readonly string[];
}

function checkDelivered(context: RoomContext, { id, recipients }: Sent, fault: (text: string) => void): void {
  for (const to of recipients) {
    const mailbox = mailboxOf(context, to);
    const lies = mailbox ? statusIn(mailbox, { idEnding: id, history: true }) : [];
    if (lies.length !== 1) fault(`the message ${id} lies ${lies.length} times in the mailbox of ${to}`);
  }
}
