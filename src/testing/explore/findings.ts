import { whereabouts } from '../../journal/describe.ts';
import type { Taken, WorkflowStep } from './move.ts';

/** Something that happens in a system and may be a mistake. */
export interface Finding {
  /** The address of the workflow that it happens to. */
  readonly workflow: string;
  /** What happens, as a sentence. */
  readonly what: string;
  /** The shortest way to it, one line per event. */
  readonly path: readonly string[];
  /** In how many transitions it happens. */
  readonly count: number;
}

/** A message that a workflow refuses. */
export interface DeadLetter extends Finding {
  /** The message type. */
  readonly type: string;
  /** The address of the sender. */
  readonly from: string;
  /** Why, in a stable short form such as `undeclared-type`. */
  readonly reason: string;
}

/** A message of a workflow that can never be delivered. */
export interface UndeliveredMail extends Finding {
  /** The address of the recipient. */
  readonly to: string;
  /** A stable error code, such as `ACTOR_NOT_FOUND`. */
  readonly code: string;
}

/** An event that the machine has no transition for. */
export interface UnhandledEvent extends Finding {
  /** The type of the event. */
  readonly event: string;
  /** The state of the machine. */
  readonly state: string;
}

/** A step in which the machine throws. */
export interface FailedStep extends Finding {
  /** The text of the error. */
  readonly error: string;
}

/** What happens in a system and may be a mistake. */
export interface Findings {
  /** Messages that a workflow refuses. */
  readonly deadLetters: readonly DeadLetter[];
  /** Messages of workflows that can never be delivered. */
  readonly undelivered: readonly UndeliveredMail[];
  /** Steps in which a machine throws. */
  readonly failedSteps: readonly FailedStep[];
  /** Events that a machine has no transition for in its state. */
  readonly unhandled: readonly UnhandledEvent[];
  /** Answers and results that nobody waits for any more: they are acknowledged and ignored. */
  readonly late: readonly Finding[];
}

type Kind = keyof Findings;
type Found = { kind: Kind } & Omit<DeadLetter & UndeliveredMail & UnhandledEvent & FailedStep, 'path' | 'count'>;
type Kept = Record<string, unknown> & { count: number };

/** Keeps each finding once, with the way on which it was first found. */
export class FindingKeeper {
  readonly #found: Record<Kind, Map<string, Kept>> = {
    deadLetters: new Map(),
    undelivered: new Map(),
    failedSteps: new Map(),
    unhandled: new Map(),
    late: new Map(),
  };
  /** Children whose address was made from the number of a step; some have ended. */
  readonly #numbered = new Set<string>();

  /** `path` is only called for something new. */
  add({ step, situation }: Taken, path: () => readonly string[]): void {
    for (const [address, { isNumbered }] of situation.workflows) if (isNumbered) this.#numbered.add(address);
    for (const { kind, ...finding } of step ? findingsOf(step) : []) {
      const key = JSON.stringify(finding).replaceAll(ADDRESSES, (address) => this.#withoutNumbers(address));
      const before = this.#found[kind].get(key);
      if (before) before.count += 1;
      else this.#found[kind].set(key, { ...finding, path: path(), count: 1 });
    }
  }

  /** The same thing happening to another child of the same name is the same finding. */
  #withoutNumbers(address: string): string {
    const isNumbered = this.#numbered.has(address);
    const dot = address.lastIndexOf('.');
    const [parent, name] = [address.slice(0, Math.max(dot, 0)), address.slice(Math.max(dot, 0))];
    return `${parent && this.#withoutNumbers(parent)}${isNumbered ? name.replace(/-\d+$/, '-#') : name}`;
  }

  get all(): Findings {
    const lists = Object.entries(this.#found).map(([kind, found]) => [kind, [...found.values()]]);
    return Object.fromEntries(lists) as Findings;
  }
}

/** All words that could be addresses. */
const ADDRESSES = /[a-z0-9_-]+(?:\.[a-z0-9_-]+)*/g;

function findingsOf(step: WorkflowStep): (Partial<Found> & { kind: Kind; workflow: string; what: string })[] {
  const { address: workflow, message, received, cause, before, advanced } = step;
  const { type = '', from = '' } = message ?? {};
  if (received && 'refusal' in received) {
    const { reason, detail } = received.refusal;
    return [{ kind: 'deadLetters', workflow, what: `${type} from ${from}: ${detail}`, type, from, reason }];
  }
  if (received && 'late' in received) {
    return [{ kind: 'late', workflow, what: `${type} from ${from}: ${received.late}` }];
  }
  const found: ReturnType<typeof findingsOf> = [];
  if (cause?.kind === 'undelivered') {
    const { to, event, call } = cause;
    const { code, reason, messageType, error } = event as Partial<Record<string, string>> & {
      error?: { code?: string; message?: string };
    };
    const what = `${messageType ?? `what "${call}" sent`} to ${to}: ${reason ?? error?.message}`;
    found.push({ kind: 'undelivered', workflow, what, to, code: code ?? error?.code ?? '' });
  }
  if (advanced?.verdict === 'failed') {
    const error = advanced.failure?.message ?? '';
    found.push({ kind: 'failedSteps', workflow, what: `${cause?.kind} of ${workflow}: ${error}`, error });
    // A STOP is obeyed all the same, and what a FAILED workflow cannot get past waits.
    if (message && cause?.kind !== 'stop' && !advanced.state.failed)
      found.push({
        kind: 'deadLetters',
        workflow,
        what: `${type} from ${from}: ${error}`,
        type,
        from,
        reason: 'step-failed',
      });
  }
  if (advanced?.verdict === 'unhandled' && before?.status === 'active' && cause && 'event' in cause && cause.event) {
    const state = whereabouts(before);
    const event = cause.event.type;
    found.push({ kind: 'unhandled', workflow, what: `${event} in ${state}`, event, state });
  }
  return found;
}
