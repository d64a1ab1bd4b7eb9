import type { AnyStateMachine } from 'xstate';
import { errnoOf } from '../host/file-system.ts';
import { cancelJob, listJobs, removeJob } from '../jobs/end-job.ts';
import { endedAtMs } from '../jobs/job-files.ts';
import { readSpec } from '../jobs/job-spec.ts';
import { runJob } from '../jobs/run-job.ts';
import { type Activity, type Command, durableWorkOf } from '../workflow/activity.ts';
import { resultEvent, type Cause } from '../step/cause.ts';
import { errorFacts } from '../errors.ts';
import type { WorkflowCall } from '../step/workflow-state.ts';
import { actorLayout } from '../message/layout.ts';
import type { RoomContext } from '../room/context.ts';
import { during } from './during.ts';

type Calls = Readonly<Record<string, WorkflowCall>>;
type WorkCall = WorkflowCall & { readonly kind: 'activity' | 'command' };

interface RunningWork {
  readonly call: WorkCall;
  readonly abort: AbortController;
  /** Resolves when the result has been reported. */
  readonly reported: Promise<void>;
}

/** How long a timer waits for the result of a command that ended before it, while the command's leftover processes are ended. */
const RESULT_WAIT_MS_MAX = 5_000;

export interface ActivitiesOptions {
  readonly context: RoomContext;
  readonly address: string;
  readonly machine: AnyStateMachine;
  /** Writes to the journal that a call is about to start. Rejects if this host has lost the workflow. */
  readonly announce: (effectId: string) => Promise<void>;
  readonly onResult: (cause: Cause & { kind: 'result' }) => void;
}

/**
 * Runs the activities and commands that a workflow's state waits for: starts those that are missing, ends those that are no longer
 * awaited. After a restart the same comparison resumes what was in progress.
 *
 * | a call is      | durable state                                  | after a crash                                        |
 * |----------------|------------------------------------------------|------------------------------------------------------|
 * | awaited        | in `calls` of the state                        | starts                                               |
 * | announced      | also in `started` (`onCrash: 'fail'`, activity) | fails, because it may have run                       |
 * | running        | of a command: its job directory                | an activity runs again; a command is attached to     |
 * | done           | the `result` cause is committed                | nothing to do; its job directory is removed          |
 * | no longer awaited | not in `calls`                              | a command is ended and its job directory removed     |
 */
export class Activities {
  readonly #options: ActivitiesOptions;
  readonly #running = new Map<string, RunningWork>();
  readonly #underWay = new Set<Promise<void>>();

  constructor(options: ActivitiesOptions) {
    this.#options = options;
  }

  /** Starts and ends work so that it matches the calls. `started`: effect ids that an earlier host was about to start. */
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

  /** Ends commands of an earlier host that are no longer awaited. */
  sweep(calls: Calls): void {
    const { context, address } = this.#options;
    const wanted = new Set(Object.values(calls).map(({ effectId }) => effectId));
    for (const effectId of listJobs(context.host, actorLayout(context.layout, address).jobs)) {
      if (!wanted.has(effectId)) this.#track(this.#endJob(effectId));
    }
  }

  /** Waits for the results of commands that ended before a time (ms since the epoch). Resolves with whether there are any. */
  async resultsUntil(timeMs: number): Promise<boolean> {
    const ended = [...this.#running.values()].filter(({ call }) => this.#endedBefore(call, timeMs));
    if (ended.length === 0) return false;
    const { clock } = this.#options.context.host;
    const waited = new AbortController();
    const reported = Promise.allSettled(ended.map((one) => one.reported)).finally(() => waited.abort());
    await Promise.race([reported, clock.sleep(RESULT_WAIT_MS_MAX, waited.signal)]);
    return true;
  }

  #endedBefore({ kind, effectId }: WorkCall, timeMs: number): boolean {
    if (kind !== 'command') return false;
    try {
      return (endedAtMs(this.#options.context.host, this.#jobPath(effectId)) ?? Infinity) < timeMs;
    } catch (error) {
      // The run of the command reports what is wrong.
      if (errnoOf(error) === undefined) throw error;
      return false;
    }
  }

  /** Aborts the activities of this process; commands keep running without it. Resolves when nothing is in progress. */
  async close(): Promise<void> {
    for (const { abort } of this.#running.values()) abort.abort(new Error('the host is closing'));
    this.#running.clear();
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  #begin(childId: string, call: WorkCall, wasStarted: boolean): void {
    const abort = new AbortController();
    const ended = this.#perform(childId, call, { signal: abort.signal, wasStarted }).then(
      (output) => resultEvent(childId, call.src, { output }),
      (error: unknown) => resultEvent(childId, call.src, { error }),
    );
    const reported = ended.then((event) => {
      if (abort.signal.aborted) return;
      this.#options.onResult({ kind: 'result', call: childId, src: call.src, effectId: call.effectId, event });
    });
    this.#running.set(call.effectId, { call, abort, reported });
    // Not for an activity, which may ignore its signal.
    if (call.kind === 'command') this.#track(reported);
    else void reported;
  }

  async #perform(
    childId: string,
    call: WorkCall,
    { signal, wasStarted }: { signal: AbortSignal; wasStarted: boolean },
  ): Promise<unknown> {
    const { machine, context, address, announce } = this.#options;
    const { src, effectId, input } = call;
    const work = durableWorkOf(machine.implementations.actors[src]) as Activity | Command | undefined;
    if (work?.kind === 'activity') {
      if (work.onCrash === 'fail') {
        if (wasStarted) throw new Error(`"${src}" was running when its host ended, and it must not run twice`);
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
        // The first host has decided: in this one a path or a part of the environment may differ.
        spec:
          readSpec(context.host, directory) ??
          during(context, address, { on: `command ${src}`, work: () => work.spec(structuredClone(input)) }),
        onCrash: work.onCrash,
        signal,
      });
    }
    throw new TypeError(`the machine ${machine.id} no longer has an activity or command "${src}"`);
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
