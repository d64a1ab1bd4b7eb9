import type { AnyStateMachine } from 'xstate';
import { errnoOf } from '../host/file-system.ts';
import { cancelJob, listJobs, removeJob } from '../jobs/end-job.ts';
import { endedAtMs } from '../jobs/job-files.ts';
import { readSpec } from '../jobs/job-spec.ts';
import { runJob } from '../jobs/run-job.ts';
import { type Activity, type Command, durableWorkOf } from '../workflow/activity.ts';
import { resultEvent, type Cause } from '../step/cause.ts';
import { errorFacts } from '../workflow/plain-facts.ts';
import type { WorkflowCall } from '../step/workflow-state.ts';
import { actorLayout } from '../message/layout.ts';
import type { RoomContext } from '../room/context.ts';
import { during } from './during.ts';

type Calls = Readonly<Record<string, WorkflowCall>>;
type Work = WorkflowCall & { readonly kind: 'activity' | 'command' };

interface Running {
  readonly call: Work;
  readonly abort: AbortController;
  /** Settles when its result was told. */
  readonly told: Promise<void>;
}

/** How long a timer waits for the result of a command that ended before it: for what the command left behind to be ended. */
const RESULT_WAIT_MS_MAX = 5_000;

export interface ActivitiesOptions {
  readonly context: RoomContext;
  readonly address: string;
  readonly machine: AnyStateMachine;
  /** Writes down that it is about to be started, before it is; rejects when this host has lost the workflow. */
  readonly announce: (effectId: string) => Promise<void>;
  readonly onResult: (cause: Cause & { kind: 'result' }) => void;
}

/**
 * The activities and commands that a workflow's state says it waits for: what is missing is started, what is no longer
 * waited for is ended. So after a restart the same look that starts new work goes on with what was under way.
 */
export class Activities {
  readonly #options: ActivitiesOptions;
  readonly #running = new Map<string, Running>();
  readonly #underWay = new Set<Promise<void>>();

  constructor(options: ActivitiesOptions) {
    this.#options = options;
  }

  /** Starts and ends what the calls ask for. `started` are those that an earlier host was about to start. */
  reconcile(calls: Calls, started: ReadonlySet<string>): void {
    const wanted = new Set<string>();
    for (const [childId, call] of Object.entries(calls)) {
      if (call.kind !== 'activity' && call.kind !== 'command') continue;
      wanted.add(call.effectId);
      if (!this.#running.has(call.effectId)) this.#begin(childId, call, started.has(call.effectId));
    }
    for (const [effectId, { call, abort }] of this.#running) {
      if (wanted.has(effectId)) continue;
      this.#running.delete(effectId);
      abort.abort(new Error('the machine no longer waits for it'));
      if (call.kind === 'command') this.#track(this.#endJob(effectId));
    }
  }

  /** Ends commands of an earlier host that nobody waits for any more. */
  sweep(calls: Calls): void {
    const { context, address } = this.#options;
    const wanted = new Set(Object.values(calls).map(({ effectId }) => effectId));
    for (const effectId of listJobs(context.host, actorLayout(context.layout, address).jobs)) {
      if (!wanted.has(effectId)) this.#track(this.#endJob(effectId));
    }
  }

  /** Has commands that ended before a time (ms since the epoch) tell their results; whether there are any. */
  async resultsUntil(timeMs: number): Promise<boolean> {
    const ended = [...this.#running.values()].filter(({ call }) => this.#endedBefore(call, timeMs));
    if (ended.length === 0) return false;
    const { clock } = this.#options.context.host;
    const waited = new AbortController();
    const told = Promise.allSettled(ended.map((one) => one.told)).finally(() => waited.abort());
    await Promise.race([told, clock.sleep(RESULT_WAIT_MS_MAX, waited.signal)]);
    return true;
  }

  #endedBefore({ kind, effectId }: Work, timeMs: number): boolean {
    if (kind !== 'command') return false;
    try {
      return (endedAtMs(this.#options.context.host, this.#jobPath(effectId)) ?? Infinity) < timeMs;
    } catch (error) {
      // Whoever waits for it is told what is wrong with it.
      if (errnoOf(error) === undefined) throw error;
      return false;
    }
  }

  /** Leaves: activities of this process are told so, commands go on without it. Resolves when nothing is under way. */
  async close(): Promise<void> {
    for (const { abort } of this.#running.values()) abort.abort(new Error('the host leaves'));
    this.#running.clear();
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  #begin(childId: string, call: Work, wasStarted: boolean): void {
    const abort = new AbortController();
    const ended = this.#perform(childId, call, { signal: abort.signal, wasStarted }).then(
      (output) => resultEvent(childId, call.src, { output }),
      (error: unknown) => resultEvent(childId, call.src, { error }),
    );
    const told = ended.then((event) => {
      if (abort.signal.aborted) return;
      this.#options.onResult({ kind: 'result', call: childId, src: call.src, effectId: call.effectId, event });
    });
    this.#running.set(call.effectId, { call, abort, told });
    // An activity that does not heed its signal is not waited for.
    if (call.kind === 'command') this.#track(told);
    else void told;
  }

  async #perform(
    childId: string,
    call: Work,
    { signal, wasStarted }: { signal: AbortSignal; wasStarted: boolean },
  ): Promise<unknown> {
    const { machine, context, address, announce } = this.#options;
    const { src, effectId, input } = call;
    const work = durableWorkOf(machine.implementations.actors[src]) as Activity | Command | undefined;
    if (work?.kind === 'activity') {
      if (work.onCrash === 'fail') {
        if (wasStarted) throw new Error(`"${src}" was under way when its host ended, and it is not to be run twice`);
        await announce(effectId);
      }
      return during(context, address, {
        on: `activity ${src}`,
        work: () => work.run(structuredClone(input), { effectId, signal, childId, src }),
      });
    }
    if (work?.kind === 'command') {
      const directory = this.#jobPath(effectId);
      return runJob(context.host, {
        directory,
        // The host that asked first has decided: in this one a path or a part of the environment may be another.
        spec:
          readSpec(context.host, directory) ??
          during(context, address, { on: `command ${src}`, work: () => work.spec(structuredClone(input)) }),
        onCrash: work.onCrash,
        signal,
      });
    }
    throw new TypeError(`the machine ${machine.id} has no activity or command "${src}" any more`);
  }

  async #endJob(effectId: string): Promise<void> {
    const { host } = this.#options.context;
    const directory = this.#jobPath(effectId);
    await cancelJob(host, directory);
    removeJob(host, directory);
  }

  #jobPath(effectId: string): string {
    const { context, address } = this.#options;
    return `${actorLayout(context.layout, address).jobs}/${effectId}`;
  }

  #track(work: Promise<void>): void {
    const tracked = work
      .catch((error: unknown) => {
        const { context, address } = this.#options;
        context.log.append({ event: 'warning', from: address, detail: errorFacts(error).message });
      })
      .finally(() => this.#underWay.delete(tracked));
    this.#underWay.add(tracked);
  }
}
