import type { AnyStateMachine } from 'xstate';
import { Fenced } from '../errors.ts';
import type { Clock } from '../host/host.ts';
import { nextTurn } from '../host/next-turn.ts';
import type { JournalFold } from '../journal/fold.ts';
import { type Arrivals, watchArrivals } from '../mailbox/arrivals.ts';
import type { Durability, Mailbox } from '../mailbox/mailbox.ts';
import { keepShowingLife, showLife } from '../room/signs-of-life.ts';
import type { Cause } from '../step/cause.ts';
import type { ExpectedStart } from '../step/receive.ts';
import { isAwaited, standingOf, type WorkflowState } from '../step/workflow-state.ts';
import { Activities } from './activities.ts';
import { Committer, type CommitterOptions } from './committer.ts';
import { Consequences, type ConsequencesOptions } from './effects.ts';
import { MailIntake, takeMail, takeStop, type TakingMail } from './mail-intake.ts';
import { waitMsAfter } from '../host/growing-wait.ts';

/** How long there is nothing to do before it is written down how far everything is. */
const IDLE_MS = 200;
const RETRIES = { msMin: 250, msMax: 30_000 };

export interface WorkflowRunOptions extends Omit<CommitterOptions, 'progress'> {
  readonly durability: Durability;
  readonly mailbox: Mailbox;
  /** Who may start it now, and as which incarnation: for a child that waits for its parent's START. */
  readonly expected: () => ExpectedStart | undefined;
  readonly childReady: ConsequencesOptions['childReady'];
  /** It has ended or is FAILED, and everything that it committed is done. May be called again. */
  readonly onSettled: () => void;
}

/** One workflow that this process runs: its loop, from opening to leaving. */
export class WorkflowRun {
  readonly address: string;
  readonly machine: AnyStateMachine;
  readonly #options: WorkflowRunOptions;
  readonly #committer: Committer;
  readonly #consequences: Consequences;
  readonly #activities: Activities;
  readonly #arrivals: Arrivals;
  readonly #leaving = new AbortController();
  readonly #asked = new Happenings({ evenFailed: true });
  readonly #happened = new Happenings();
  readonly #taking: TakingDue;
  readonly #announcements: { effectId: string; done: () => void; failed: (error: Error) => void }[] = [];
  #idleSinceMs: number | undefined;
  #hasSwept = false;
  /** While it waits, and will look around soon in any case. */
  #restsBriefly = false;

  constructor(options: WorkflowRunOptions) {
    const { context, mailbox, journal, machine } = options;
    this.#options = options;
    this.address = journal.address;
    this.machine = machine;
    this.#activities = new Activities({
      context,
      address: this.address,
      machine,
      announce: (effectId) => this.#announce(effectId),
      onResult: (cause) => this.#happen((state) => (isAwaited(cause, state) ? cause : undefined)),
    });
    this.#consequences = new Consequences({
      ...options,
      address: this.address,
      onRefused: (entry, refused) => this.#happen(() => this.#consequences.undelivered(entry, refused)),
      onMoved: () => this.#arrivals.hint(),
      // One of many, mostly: it is written down with the next record, or once there is nothing else to do.
      onDelivered: () => {
        if (!this.#restsBriefly || this.#isOver) this.#arrivals.hint();
      },
    });
    this.#committer = new Committer({ ...options, progress: this.#consequences.progress });
    this.#taking = {
      ...options,
      address: this.address,
      clock: context.host.clock,
      intake: new MailIntake(mailbox, { isUnclean: journal.isUnclean }),
      committer: this.#committer,
      activities: this.#activities,
      asked: this.#asked,
      happened: this.#happened,
      outstanding: () => this.#consequences.outstanding,
    };
    this.#arrivals = watchArrivals(mailbox, {
      pollMs: context.config.limitsOf(this.address).pollMs,
      watch: true,
      warn: (detail) => context.log.append({ event: 'warning', to: this.address, detail }),
    });
  }

  /** Undefined before it is started. */
  get state(): WorkflowState | undefined {
    return this.#options.journal.fold.state;
  }

  /** Has the loop take what a person asks for, before anything else. */
  ask(happening: Happening): void {
    this.#asked.add(happening);
    this.#arrivals.hint();
  }

  /**
   * Goes on with the workflow until `leave` is called: first what an earlier host left undone, then whatever happens. Throws
   * Fenced when another host has taken it, and what the journal cannot survive.
   */
  async run(): Promise<void> {
    try {
      // Left before it began: all of it is for the next host.
      if (this.#leaving.signal.aborted) return await this.#close();
      this.#consequences.recover();
      if (this.#options.journal.isUnclean) await takeStop(this.#taking);
      this.#reconcile();
      void keepShowingLife(this.#options.context, this.address, this.#leaving.signal);
      for (let failures = 0; !this.#leaving.signal.aborted;) {
        try {
          if (!(await this.#pass())) await this.#rest();
          failures = 0;
        } catch (error) {
          await this.#afterFailure(error, failures++);
        }
      }
      await this.#close();
    } catch (error) {
      await this.#abandon();
      throw error;
    }
  }

  /** Has the loop look around. */
  wake(): void {
    this.#arrivals.hint();
  }

  /** Finishes what is being committed, writes down how far everything is, and ends the loop. */
  leave(): void {
    this.#leaving.abort();
    this.#arrivals.hint();
  }

  /** Takes what is due now; whether there was anything. */
  async #pass(): Promise<boolean> {
    await takeDue(this.#taking);
    for (let one = this.#announcements.shift(); one; one = this.#announcements.shift()) {
      await this.#committer.writeProgress({ started: [one.effectId] }).then(one.done, one.failed);
    }
    const made = await this.#committer.makeTrue();
    if (!made) return false;
    this.#idleSinceMs = undefined;
    this.#consequences.perform(made.outbox);
    // What needs no disk is delivered before the next steps, which then write down that it is.
    await nextTurn();
    this.#taking.intake.resume({ hasStepped: true });
    this.#reconcile();
    return true;
  }

  /** Waits for the next thing; when there is none for a while, writes down how far everything is. */
  async #rest(): Promise<void> {
    const { clock } = this.#options.context.host;
    const now = clock.now();
    const { progress } = this.#consequences;
    if (progress.hasNews) {
      this.#idleSinceMs ??= now;
      const isIdle = now - this.#idleSinceMs >= IDLE_MS || now < this.#idleSinceMs;
      if (isIdle || (this.#isOver && this.#consequences.isDone) || progress.outstanding >= UNPERFORMED_MAX) {
        await progress.sync();
        await this.#committer.writeProgress();
        this.#idleSinceMs = undefined;
        return;
      }
    }
    if (this.#isOver && this.#consequences.isSettled) this.#options.onSettled();
    const timers = this.#isOver ? [] : Object.values(this.state?.timers ?? {});
    const nextDue = Math.min(...timers.map(({ dueAt }) => dueAt));
    this.#restsBriefly = progress.hasNews;
    await hintBefore(this.#arrivals, clock, Math.min(nextDue - now, progress.hasNews ? IDLE_MS : Infinity));
    this.#restsBriefly = false;
    this.#taking.intake.resume({ hasStepped: false });
    showLife(this.#options.context, this.address);
    this.#options.journal.lookForOwner();
  }

  /** Whether nothing more happens by itself: it has ended, or is FAILED. */
  get #isOver(): boolean {
    return this.state !== undefined && standingOf(this.state) !== 'active';
  }

  #happen(happening: Happening): void {
    this.#happened.add(happening);
    this.#arrivals.hint();
  }

  /** Nothing is begun or ended while it is FAILED: the result that it failed at is wanted still, and was told already. */
  #reconcile(): void {
    const { fold } = this.#options.journal;
    if (fold.state?.failed) return;
    if (fold.state && !this.#hasSwept) this.#activities.sweep(fold.state.calls);
    this.#hasSwept = true;
    this.#activities.reconcile(fold.state?.calls ?? {}, fold.started);
  }

  #announce(effectId: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#announcements.push({ effectId, done: resolve, failed: reject });
      this.#arrivals.hint();
    });
  }

  /** What fails for now is tried again; what this host has lost, or must not go on after, ends the loop. */
  async #afterFailure(error: unknown, failures: number): Promise<void> {
    const { context, journal } = this.#options;
    if (error instanceof Fenced || !journal.canGoOn(error)) throw error;
    context.log.append({ event: 'warning', from: this.address, detail: `not committed now: ${String(error)}` });
    await context.host.clock.sleep(waitMsAfter(RETRIES, failures), this.#leaving.signal);
    // Whether a record counts is read, not told: one may be true although its append failed.
    journal.assertOwner();
    // What was appended before the failure is true only on the disk, and nothing of it may leave before.
    await journal.sync();
    await this.#committer.makeTrue();
    this.#consequences.recover();
  }

  async #close(): Promise<void> {
    const { journal } = this.#options;
    this.#arrivals.close();
    await this.#activities.close();
    await this.#consequences.close();
    await this.#consequences.progress.sync();
    await this.#committer.writeProgress({ isClosing: true });
    await this.#committer.makeTrue();
    journal.close();
  }

  async #abandon(): Promise<void> {
    this.#leaving.abort();
    this.#arrivals.close();
    await this.#activities.close();
    await this.#consequences.close();
    this.#options.journal.close();
  }
}

/** The cause that it is when its turn comes; undefined when nobody waits for it any more. */
export type Happening = (state: WorkflowState | undefined) => Cause | undefined;

/** What happened in this process and is not committed yet, oldest first. */
export class Happenings {
  readonly #waiting: Happening[] = [];
  readonly #evenFailed: boolean;

  /** While the workflow is FAILED all of it waits, except for what a person asks for, `evenFailed`. */
  constructor({ evenFailed = false }: { readonly evenFailed?: boolean } = {}) {
    this.#evenFailed = evenFailed;
  }

  add(happening: Happening): void {
    this.#waiting.push(happening);
  }

  /** Commits all of it. Throws as the committer; what was not committed stays. */
  async take({ fold, committer }: { readonly fold: JournalFold; readonly committer: Committer }): Promise<void> {
    for (let happening = this.#waiting[0]; happening; happening = this.#waiting[0]) {
      if (fold.state?.failed && !this.#evenFailed) return;
      const cause = happening(fold.state);
      if (cause) await committer.commit(cause);
      // Nothing of it is used up: it may be over by the time that the workflow goes on.
      if (fold.state?.failed && !this.#evenFailed) return;
      this.#waiting.shift();
    }
  }
}

/**
 * The timers that are due at `now` (ms since the epoch), by the time they are due, then in the order in which they were set. None
 * fires while the workflow is FAILED.
 */
function dueTimers(state: WorkflowState | undefined, now: number): (Cause & { kind: 'timer' })[] {
  if (state?.failed) return [];
  return Object.entries(state?.timers ?? {})
    .filter(([, timer]) => timer.dueAt <= now)
    .sort(([, a], [, b]) => a.dueAt - b.dueAt || compareEffectIds(a.effectId, b.effectId))
    .map(([timer, one]) => ({
      kind: 'timer',
      timer,
      dueAt: one.dueAt,
      ...('event' in one ? { event: one.event } : {}),
    }));
}

/** `<incarnation>.<step>.<effect>`: by the numbers at their end. */
function compareEffectIds(a: string, b: string): number {
  const [stepA = 0, effectA = 0] = a.split('.').slice(-2).map(Number);
  const [stepB = 0, effectB = 0] = b.split('.').slice(-2).map(Number);
  return stepA - stepB || effectA - effectB;
}

/** The longest that a timer of Node can wait (setTimeout: 2³¹ − 1 ms); whatever is later is looked at again then. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** Resolves at the next hint, and after `waitMs` at the latest; Infinity for no such end. */
async function hintBefore(arrivals: Arrivals, clock: Clock, waitMs: number): Promise<void> {
  if (waitMs === Infinity) return arrivals.next();
  const over = new AbortController();
  const sleptMs = Math.min(Math.max(waitMs, 0), TIMER_MS_MAX);
  void clock.sleep(sleptMs, over.signal).then(() => {
    if (!over.signal.aborted) arrivals.hint();
  });
  await arrivals.next();
  over.abort();
}

/** Messages taken between two looks at the timers. */
const MAIL_PER_PASS_MAX = 64;
/** Records whose consequences are outstanding before other mail than what a timer lets pass waits for them. */
const UNPERFORMED_MAX = 64;

export interface TakingDue extends TakingMail {
  readonly clock: Clock;
  readonly activities: Activities;
  /** What a person asks for when it is opened: to begin, to try again, to give up. */
  readonly asked: Happenings;
  readonly happened: Happenings;
  readonly outstanding: () => number;
}

/**
 * Takes what is due now, in its order: what was asked for, timers, each behind the mail that was sent and the commands that ended
 * before it was due, what happened in this process, other mail. Of a FAILED workflow everything but what was asked for, and a
 * STOP, waits. Throws as the committer.
 */
async function takeDue(taking: TakingDue): Promise<void> {
  const { journal, committer, clock, activities, asked, happened, outstanding } = taking;
  const { fold } = journal;
  await asked.take({ fold, committer });
  let taken = 0;
  for (const cause of dueTimers(fold.state, clock.now())) {
    if (await activities.resultsUntil(cause.dueAt)) await happened.take({ fold, committer });
    taken += await takeMail(taking, { max: MAIL_PER_PASS_MAX - taken, sentBefore: cause.dueAt });
    // An earlier one may have cancelled it, or failed.
    if (fold.state?.timers[cause.timer]?.dueAt !== cause.dueAt || fold.state.failed) continue;
    await committer.commit(cause);
  }
  await happened.take({ fold, committer });
  await takeMail(taking, { max: Math.min(MAIL_PER_PASS_MAX, UNPERFORMED_MAX - outstanding()) - taken });
}
