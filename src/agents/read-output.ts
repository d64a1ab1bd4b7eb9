import { stripVTControlCharacters } from 'node:util';
import type { EventRules, FinalFailure, Find, OutputRules, When } from './preset.ts';

/** What a program said, in terms that do not depend on which one it was. */
export interface Said {
  /** Its answer; empty when there is none. */
  readonly reply: string;
  readonly session?: string;
  /** Why it failed, as it says itself. */
  readonly failure?: string;
  /** Why what it wrote is not all that it would have, when it does not say itself that it failed. */
  readonly incomplete?: string;
  /** It reported the end of its turn: whatever happens to its process, nothing of the answer is missing. */
  readonly isEnded: boolean;
  /** It reported, often enough, what no retry heals. */
  readonly final?: FinalFailure;
  /** The tools that it was not allowed to use, by name. */
  readonly denied: readonly string[];
}

/** How to read the output of a program. */
export interface ReadRules {
  readonly output: OutputRules;
  readonly finalFailures: readonly FinalFailure[];
}

type Event = Readonly<Record<string, unknown>>;

const LINE_FEED = 0x0a;

/** Reads all that a program wrote to stdout. Never throws: what makes no sense is no answer. */
export function readOutput(stdout: string, rules: ReadRules): Said {
  const reader = new OutputReader(rules);
  reader.write(Buffer.from(stdout));
  return reader.end();
}

/** The same, piece by piece while the program writes: each byte is looked at once. */
export class OutputReader {
  readonly #rules: ReadRules;
  /** The pieces of what is not complete yet: a line, or a text. */
  #rest: Buffer[] = [];
  readonly #events: EventState;

  constructor(rules: ReadRules) {
    this.#rules = rules;
    this.#events = newState(rules);
  }

  /** The pieces are not copied: the caller must not write over them. */
  write(bytes: Buffer): void {
    const { output } = this.#rules;
    let start = 0;
    if (output.format === 'jsonl') {
      for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED, start)) {
        this.#rest.push(bytes.subarray(start, end));
        this.#takeLine(output);
        start = end + 1;
      }
    }
    if (start < bytes.length) this.#rest.push(bytes.subarray(start));
  }

  /**
   * What the whole lines so far say; `progress` grows with every event but retries and warnings. It has ended when no other
   * turn is to follow.
   */
  soFar(): Pick<Said, 'isEnded' | 'final'> & { readonly progress: number } {
    const { isEnded, isBusy, final, progress } = this.#events;
    return { isEnded: isEnded && !isBusy, progress, ...(final === undefined ? {} : { final }) };
  }

  /** What it said in all, when nothing more will come: the last line may lack its line feed. */
  end(): Said {
    const { output } = this.#rules;
    if (output.format === 'jsonl') {
      this.#takeLine(output);
      return saidOf(this.#events, output);
    }
    const text = Buffer.concat(this.#rest).toString('utf8');
    return { reply: stripVTControlCharacters(text).trim(), isEnded: false, denied: [] };
  }

  #takeLine(rules: EventRules): void {
    const event = eventIn(Buffer.concat(this.#rest).toString('utf8'));
    this.#rest = [];
    if (event) takeEvent(this.#events, event, rules);
  }
}

/** Whether the text can be given to a program as the id of a session: it is no option and no path. */
export function isSession(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(text);
}

/** What the events so far amount to. */
interface EventState {
  events: number;
  progress: number;
  session: string | undefined;
  /** What was said between two dividers. */
  said: string[];
  failure: string | undefined;
  trouble: string | undefined;
  isEnded: boolean;
  /** Something runs in the background, after which it begins another turn. */
  isBusy: boolean;
  /** The answer of the last turn that ended with one. */
  answer: string | undefined;
  /** How often each final failure has been reported. */
  readonly reports: { readonly failure: FinalFailure; count: number }[];
  final?: FinalFailure;
  readonly denied: string[];
}

function newState({ finalFailures }: ReadRules): EventState {
  const reports = finalFailures.map((failure) => ({ failure, count: 0 }));
  const none = { session: undefined, failure: undefined, trouble: undefined, answer: undefined };
  return { events: 0, progress: 0, said: [''], isEnded: false, isBusy: false, reports, denied: [], ...none };
}

/** A line that begins with white space is part of something that was printed for people, whatever stands in it. */
function eventIn(line: string): Event | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line) as Event;
  } catch {
    return undefined;
  }
}

function takeEvent(state: EventState, event: Event, rules: EventRules): void {
  const rule = rules.events.find(({ when }) => fits(event, when));
  state.events += 1;
  if (rule?.kind !== 'trouble') state.progress += 1;
  state.session ??= rules.session.flatMap((find) => textsOf(event, find)).find(isSession);
  if (rules.begins.some((when) => fits(event, when))) {
    state.isEnded = false;
    state.failure = undefined;
  }
  if (rule) takeText(state, rule.kind, textAt(event, rule.at));
  if (rules.ends.some((when) => fits(event, when))) {
    state.isEnded = true;
    if (state.failure === undefined) state.answer = replyOf(state) || state.answer;
  }
  if (rules.running && fits(event, rules.running.when)) state.isBusy = listAt(event, rules.running.at).length > 0;
  for (const report of state.reports) {
    const { event: wanted } = report.failure;
    if (wanted && fits(event, wanted.when) && ++report.count >= wanted.times) state.final ??= report.failure;
  }
  if (rules.denied && fits(event, rules.denied.when)) state.denied.push(...namesAt(event, rules.denied));
}

function takeText(state: EventState, kind: EventRules['events'][number]['kind'], text: string | undefined): void {
  const { said } = state;
  const last = said.length - 1;
  if (kind === 'reply') said[last] = text ?? '';
  else if (kind === 'part') said[last] += text ?? '';
  else if (kind === 'divider') said.push('');
  else if (kind === 'failure') state.failure = text || state.trouble || 'it says that it failed, and not why';
  else state.trouble = text ?? state.trouble;
}

function replyOf({ said }: EventState): string {
  return said.findLast((text) => text.trim() !== '')?.trim() ?? '';
}

/** Of several turns the last that was answered counts: what it cut off later has been answered before. */
function saidOf(state: EventState, { mustEnd }: EventRules): Said {
  const { events, session, trouble, final, denied, answer } = state;
  const isCutOff = answer !== undefined && !(state.isEnded && state.failure === undefined);
  const failure = isCutOff ? undefined : state.failure;
  const isEnded = isCutOff || state.isEnded;
  const isComplete = isEnded || !mustEnd || failure !== undefined;
  return {
    reply: isCutOff ? answer : replyOf(state),
    ...(session === undefined ? {} : { session }),
    ...(failure === undefined ? {} : { failure }),
    ...(isComplete ? {} : { incomplete: trouble ?? unfinished(events) }),
    isEnded,
    ...(final === undefined ? {} : { final }),
    denied,
  };
}

function unfinished(events: number): string {
  return events === 0
    ? 'it wrote no JSON lines, which it was started for'
    : 'its output ends before it says that it is done';
}

function fits(event: Event, when: When): boolean {
  return Object.entries(when).every(([path, value]) => {
    const found = valueAt(event, path);
    if (!(value instanceof RegExp)) return found === value;
    return (typeof found === 'string' || typeof found === 'number') && value.test(String(found));
  });
}

function textsOf(event: Event, { when, at }: Find): string[] {
  return fits(event, when) ? [textAt(event, at) ?? []].flat() : [];
}

function textAt(event: Event, paths: readonly string[]): string | undefined {
  return paths.map((path) => valueAt(event, path)).find((value) => typeof value === 'string');
}

function namesAt(event: Event, { at, name }: { at: string; name: string }): string[] {
  return listAt(event, at).flatMap((one) => textAt(one, [name]) ?? []);
}

function listAt(event: Event, path: string): readonly Event[] {
  const list = valueAt(event, path);
  return Array.isArray(list) ? (list as Event[]) : [];
}

function valueAt(event: Event, path: string): unknown {
  let value: unknown = event;
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[name];
  }
  return value;
}
