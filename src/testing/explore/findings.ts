import { whereabouts } from '../../journal/describe.ts';
import type { Taken, WorkflowStep } from './move.ts';

/** Something that a tester wants to know of, and how to get there. */
export interface Finding {
  /** The address of the workflow it happened to. */
  readonly workflow: string;
  /** One sentence. */
  readonly what: string;
  /** The shortest way to it, one line for each thing that happens. */
  readonly path: readonly string[];
  /** In how many transitions the same was found. */
  readonly count: number;
}

export interface DeadLetter extends Finding {
  readonly type: string;
  readonly from: string;
  readonly reason: string;
}

export interface UndeliveredMail extends Finding {
  readonly to: string;
  readonly code: string;
}

export interface UnhandledEvent extends Finding {
  /** The type of the event. */
  readonly event: string;
  readonly state: string;
}

export interface FailedStep extends Finding {
  readonly error: string;
}

export interface Findings {
  /** Mail that a workflow refuses. */
  readonly deadLetters: readonly DeadLetter[];
  /** Mail of workflows that can never be delivered. */
  readonly undelivered: readonly UndeliveredMail[];
  /** Steps in which the machine threw. */
  readonly failedSteps: readonly FailedStep[];
  /** What the machine has no transition for in its state. */
  readonly unhandled: readonly UnhandledEvent[];
  /** Answers, ENDs and the like that nobody waits for any more: acknowledged, and nothing comes of them. */
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
