import type { AnyStateMachine } from 'xstate';
import { Fenced } from '../errors.ts';
import type { Clock } from '../host/host.ts';
import { nextTurn } from '../host/node-clock.ts';
import type { JournalFold } from '../journal/fold.ts';
import { type Arrivals, watchArrivals } from '../mailbox/arrivals.ts';
import type { Durability, Mailbox } from '../mailbox/mailbox.ts';
import { keepShowingLife, showLife } from '../room/signs-of-life.ts';
import type { Cause } from '../step/cause.ts';
import type { ExpectedStart } from '../step/receive.ts';
import { isAwaited, standingOf, type WorkflowState } from '../step/workflow-state.ts';
import { Activities } from './activities.ts';
import { Committer, type CommitterOptions } from './committer.ts';
import { EffectRunner, type EffectRunnerOptions } from './effects.ts';
import { MailIntake, takeMail, takeStop, type TakeMailOptions } from './mail-intake.ts';
import { waitMsAfter } from '../host/growing-wait.ts';

/** Idle time before progress is written to the journal. */
const IDLE_MS = 200;
const RETRIES = { msMin: 250, msMax: 30_000 };

export interface WorkflowRunOptions extends Omit<CommitterOptions, 'progress'> {
  readonly durability: Durability;
  readonly mailbox: Mailbox;
  /** Which parent may start it now, and as which incarnation: for a child that waits for its parent's START. */
  readonly expected: () => ExpectedStart | undefined;
  readonly childReady: EffectRunnerOptions['childReady'];
  /** Called when the workflow has ended or is FAILED, and all committed effects are done. May be called again. */
  readonly onSettled: () => void;
}

/**
 * One workflow that this process runs: its loop, from opening to release. All of its state is in the journal; the modes are:
 *
 * | mode     | entered when                                   | the loop then                                              |
 * |----------|------------------------------------------------|------------------------------------------------------------|
 * | unstarted| opened, and the journal has no state           | takes only the start: a request, or a parent's START       |
 * | active   | the first step is committed                    | takes what is due, see `takeDue`, and performs its effects |
 * | FAILED   | a step threw that cannot be skipped            | takes only requests of a person, and a STOP                |
 * | ended    | `done`, `error` or `stopped` is committed      | takes only mail, which is refused or late                  |
 * | released | `release`: another host may resume it          | writes its progress, marks the journal as closed, and ends |
 * | broken   | fenced, or the journal can no longer be written | ends and writes nothing                                    |
 */
export class WorkflowRun {
  readonly address: string;
  readonly machine: AnyStateMachine;
  readonly #options: WorkflowRunOptions;
  readonly #committer: Committer;
  readonly #effects: EffectRunner;
  readonly #activities: Activities;
  readonly #arrivals: Arrivals;
  readonly #released = new AbortController();
  readonly #requested = new PendingCauses({ evenFailed: true });
  readonly #happened = new PendingCauses();
  readonly #due: TakeDueOptions;
  readonly #announcements: { effectId: string; done: () => void; failed: (error: Error) => void }[] = [];
  #idleSinceMs: number | undefined;
  #hasSwept = false;
  /** True while the loop waits, if it will look for work again soon in any case. */
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
      onResult: (cause) => this.#addCause((state) => (isAwaited(cause, state) ? cause : undefined)),
    });
    this.#effects = new EffectRunner({
      ...options,
      address: this.address,
      onRefused: (entry, refused) => this.#addCause(() => this.#effects.undelivered(entry, refused)),
      onMoved: () => this.#arrivals.hint(),
      // Mostly one of many: it is written with the next record, or once the loop is idle.
      onDelivered: () => {
        if (!this.#restsBriefly || this.#isOver) this.#arrivals.hint();
      },
    });
    this.#committer = new Committer({ ...options, progress: this.#effects.progress });
    this.#due = {
      ...options,
      address: this.address,
      clock: context.host.clock,
      intake: new MailIntake(mailbox, { isUnclean: journal.isUnclean }),
      committer: this.#committer,
      activities: this.#activities,
      requested: this.#requested,
      happened: this.#happened,
      outstanding: () => this.#effects.outstanding,
    };
    this.#arrivals = watchArrivals(mailbox, {
      pollMs: context.config.limitsOf(this.address).pollMs,
      watch: true,
      warn: (detail) => context.log.append({ event: 'warning', to: this.address, detail }),
    });
  }

  /** Undefined before the start. */
  get state(): WorkflowState | undefined {
    return this.#options.journal.fold.state;
  }

  /** Has the loop take a request of a person, before anything else. */
  request(cause: PendingCause): void {
    this.#requested.add(cause);
    this.#arrivals.hint();
  }

  /**
   * Runs the workflow until `release` is called: first what an earlier host left undone, then whatever comes. Throws Fenced if
   * another host has taken the workflow, and errors after which the journal cannot be written.
   */
  async run(): Promise<void> {
    try {
      // Released before it began: all work is left to the next host.
      if (this.#released.signal.aborted) return await this.#closeCleanly();
      this.#effects.recover();
      if (this.#options.journal.isUnclean) await takeStop(this.#due);
      this.#reconcile();
      void keepShowingLife(this.#options.context, this.address, this.#released.signal);
      for (let failures = 0; !this.#released.signal.aborted;) {
        try {
          if (!(await this.#pass())) await this.#rest();
          failures = 0;
        } catch (error) {
          await this.#afterFailure(error, failures++);
        }
      }
      await this.#closeCleanly();
    } catch (error) {
      await this.#closeBroken();
      throw error;
    }
  }

  /** Has the loop look for work. */
  wake(): void {
    this.#arrivals.hint();
  }

  /** Finishes what is being committed, writes the progress, and ends the loop. Another host may then resume the workflow. */
  release(): void {
    this.#released.abort();
    this.#arrivals.hint();
  }

  /** Takes what is due now. Resolves with whether there was anything. */
  async #pass(): Promise<boolean> {
    await takeDue(this.#due);
    for (let one = this.#announcements.shift(); one; one = this.#announcements.shift()) {
      await this.#committer.writeProgress({ started: [one.effectId] }).then(one.done, one.failed);
    }
    const made = await this.#committer.makeTrue();
    if (!made) return false;
    this.#idleSinceMs = undefined;
    this.#effects.perform(made.outbox);
    // Messages that need no sync are delivered before the next steps, whose records then say so.
    await nextTurn();
    this.#due.intake.resume({ hasStepped: true });
    this.#reconcile();
    return true;
  }

  /** Waits for the next thing to do; writes the progress after a while without any. */
  async #rest(): Promise<void> {
    const { clock } = this.#options.context.host;
    const now = clock.now();
    const { progress } = this.#effects;
    if (progress.hasNews) {
      this.#idleSinceMs ??= now;
      const isIdle = now - this.#idleSinceMs >= IDLE_MS || now < this.#idleSinceMs;
      if (isIdle || (this.#isOver && this.#effects.isDone) || progress.outstanding >= UNPERFORMED_MAX) {
        await progress.sync();
        await this.#committer.writeProgress();
        this.#idleSinceMs = undefined;
        return;
      }
    }
    if (this.#isOver && this.#effects.isSettled) this.#options.onSettled();
    const timers = this.#isOver ? [] : Object.values(this.state?.timers ?? {});
    const nextDue = Math.min(...timers.map(({ dueAt }) => dueAt));
    this.#restsBriefly = progress.hasNews;
    await waitUntil(this.#arrivals, clock, Math.min(nextDue - now, progress.hasNews ? IDLE_MS : Infinity));
    this.#restsBriefly = false;
    this.#due.intake.resume({ hasStepped: false });
    showLife(this.#options.context, this.address);
    this.#options.journal.lookForOwner();
  }

  /** Whether the workflow makes no more progress by itself: it has ended, or is FAILED. */
  get #isOver(): boolean {
    return this.state !== undefined && standingOf(this.state) !== 'active';
  }

  #addCause(cause: PendingCause): void {
    this.#happened.add(cause);
    this.#arrivals.hint();
  }

  /** While the workflow is FAILED nothing is started or ended: the result at which it failed is still wanted and already reported. */
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

  /** Retries after a passing failure. Throws, and so ends the loop, if this host has lost the workflow or cannot write any more. */
  async #afterFailure(error: unknown, failures: number): Promise<void> {
    const { context, journal } = this.#options;
    if (error instanceof Fenced || !journal.canGoOn(error)) throw error;
    context.log.append({ event: 'warning', from: this.address, detail: `not committed now: ${String(error)}` });
    await context.host.clock.sleep(waitMsAfter(RETRIES, failures), this.#released.signal);
    // Read the journal to see which records count: one may be true although its append failed.
    journal.assertOwner();
    // What was appended before the failure is true only once it is on the disk; nothing of it may be sent before.
    await journal.sync();
    await this.#committer.makeTrue();
    this.#effects.recover();
  }

  async #closeCleanly(): Promise<void> {
    const { journal } = this.#options;
    this.#arrivals.close();
    await this.#activities.close();
    await this.#effects.close();
    await this.#effects.progress.sync();
    await this.#committer.writeProgress({ isClosing: true });
    await this.#committer.makeTrue();
    journal.close();
  }

  async #closeBroken(): Promise<void> {
    this.#released.abort();
    this.#arrivals.close();
    await this.#activities.close();
    await this.#effects.close();
    this.#options.journal.close();
  }
}

/** Makes a cause when its turn comes; undefined if the workflow no longer waits for it. */
export type PendingCause = (state: WorkflowState | undefined) => Cause | undefined;

/** Causes from this process that are not committed yet, oldest first. */
export class PendingCauses {
  readonly #waiting: PendingCause[] = [];
  readonly #evenFailed: boolean;

  /** `evenFailed`: take them even while the workflow is FAILED, for requests of a person. Default: false. */
  constructor({ evenFailed = false }: { readonly evenFailed?: boolean } = {}) {
    this.#evenFailed = evenFailed;
  }

  add(cause: PendingCause): void {
    this.#waiting.push(cause);
  }

  /** Commits all of them. Throws what the committer throws; causes that are not committed stay. */
  async take({ fold, committer }: { readonly fold: JournalFold; readonly committer: Committer }): Promise<void> {
    for (let pending = this.#waiting[0]; pending; pending = this.#waiting[0]) {
      if (fold.state?.failed && !this.#evenFailed) return;
      const cause = pending(fold.state);
      if (cause) await committer.commit(cause);
      // The cause was not consumed, and may be obsolete by the time that the workflow resumes.
      if (fold.state?.failed && !this.#evenFailed) return;
      this.#waiting.shift();
    }
  }
}

/**
 * The timers that are due at `now` (ms since the epoch), by due time, then in the order in which they were set. None while the
 * workflow is FAILED.
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

/** Compares effect ids, `<incarnation>.<step>.<effect>`, by the numbers at their end. */
function compareEffectIds(a: string, b: string): number {
  const [stepA = 0, effectA = 0] = a.split('.').slice(-2).map(Number);
  const [stepB = 0, effectB = 0] = b.split('.').slice(-2).map(Number);
  return stepA - stepB || effectA - effectB;
}

/** The longest wait of a Node timer (setTimeout: 2³¹ − 1 ms); a later time takes several waits. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** Resolves at the next hint, and after `waitMs` at the latest. Infinity: no time limit. */
async function waitUntil(arrivals: Arrivals, clock: Clock, waitMs: number): Promise<void> {
  if (waitMs === Infinity) return arrivals.next();
  const over = new AbortController();
  const sleptMs = Math.min(Math.max(waitMs, 0), TIMER_MS_MAX);
  void clock.sleep(sleptMs, over.signal).then(() => {
    if (!over.signal.aborted) arrivals.hint();
  });
  await arrivals.next();
  over.abort();
}

/** Messages taken between two checks of the timers. */
const MAIL_PER_PASS_MAX = 64;
/** Stop taking mail while this many records have unfinished effects (mail that precedes a due timer excepted). */
const UNPERFORMED_MAX = 64;

export interface TakeDueOptions extends TakeMailOptions {
  readonly clock: Clock;
  readonly activities: Activities;
  /** Requests of a person at opening: to start, to retry, to give up. */
  readonly requested: PendingCauses;
  readonly happened: PendingCauses;
  readonly outstanding: () => number;
}

/**
 * Takes what is due now, in this order: requests; timers, each after the mail that was sent and the commands that ended before it
 * was due; causes from this process; other mail. While the workflow is FAILED, everything but requests and a STOP waits. Throws
 * what the committer throws.
 */
async function takeDue(taking: TakeDueOptions): Promise<void> {
  const { journal, committer, clock, activities, requested, happened, outstanding } = taking;
  const { fold } = journal;
  await requested.take({ fold, committer });
  let taken = 0;
  for (const cause of dueTimers(fold.state, clock.now())) {
    if (await activities.resultsUntil(cause.dueAt)) await happened.take({ fold, committer });
    taken += await takeMail(taking, { max: MAIL_PER_PASS_MAX - taken, sentBefore: cause.dueAt });
    // An earlier cause may have cancelled this timer, or failed.
    if (fold.state?.timers[cause.timer]?.dueAt !== cause.dueAt || fold.state.failed) continue;
    await committer.commit(cause);
  }
  await happened.take({ fold, committer });
  await takeMail(taking, { max: Math.min(MAIL_PER_PASS_MAX, UNPERFORMED_MAX - outstanding()) - taken });
}
