import { stripVTControlCharacters } from 'node:util';
import type { EventRules, FinalFailure, Find, OutputRules, When } from './preset.ts';

/** The output of a program, in terms that do not depend on the program. */
export interface ProgramOutput {
  /** Its answer; empty if there is none. */
  readonly reply: string;
  readonly session?: string;
  /** Why it failed, in its own words. */
  readonly failure?: string;
  /** Why its output is incomplete, if it reports no failure itself. */
  readonly incomplete?: string;
  /** It reported the end of its turn: the answer is complete, whatever happens to the process. */
  readonly isEnded: boolean;
  /** It reported, often enough, a failure that no retry can fix. */
  readonly final?: FinalFailure;
  /** The tools that it was not allowed to use, by name. */
  readonly denied: readonly string[];
}

/** How to read the output of a program. */
export interface ReadRules {
  readonly output: OutputRules;
  readonly finalFailures: readonly FinalFailure[];
}

type OutputEvent = Readonly<Record<string, unknown>>;

const LINE_FEED = 0x0a;

/** Reads the whole stdout of a program. Never throws: malformed output is no answer. */
export function readOutput(stdout: string, rules: ReadRules): ProgramOutput {
  const reader = new OutputReader(rules);
  reader.write(Buffer.from(stdout));
  return reader.end();
}

/** The same, piece by piece while the program writes; each byte is read once. */
export class OutputReader {
  readonly #rules: ReadRules;
  /** The pieces of the incomplete line, or of the text. */
  #rest: Buffer[] = [];
  readonly #events: EventState;

  constructor(rules: ReadRules) {
    this.#rules = rules;
    this.#events = newState(rules);
  }

  /** Takes the next piece. It is not copied, so the caller must not overwrite it. */
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
   * The state after the complete lines so far. `progress` grows with every event except retries and warnings. `isEnded` is
   * true if no other turn will follow.
   */
  soFar(): Pick<ProgramOutput, 'isEnded' | 'final'> & { readonly progress: number } {
    const { isEnded, isBusy, final, progress } = this.#events;
    return { isEnded: isEnded && !isBusy, progress, ...(final === undefined ? {} : { final }) };
  }

  /** The whole output, when nothing more will come; the last line may lack its line feed. */
  end(): ProgramOutput {
    const { output } = this.#rules;
    if (output.format === 'jsonl') {
      this.#takeLine(output);
      return outputOf(this.#events, output);
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

/** Whether the text is safe to pass to a program as a session id: neither an option nor a path. */
export function isSession(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(text);
}

/** The state after the events so far. */
interface EventState {
  events: number;
  progress: number;
  session: string | undefined;
  /** The texts between dividers. */
  texts: string[];
  failure: string | undefined;
  trouble: string | undefined;
  isEnded: boolean;
  /** A task runs in the background, after which another turn begins. */
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
  return { events: 0, progress: 0, texts: [''], isEnded: false, isBusy: false, reports, denied: [], ...none };
}

/** The event of a line. A line that starts with white space was printed for people, whatever it contains. */
function eventIn(line: string): OutputEvent | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line) as OutputEvent;
  } catch {
    return undefined;
  }
}

function takeEvent(state: EventState, event: OutputEvent, rules: EventRules): void {
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
  const { texts } = state;
  const last = texts.length - 1;
  if (kind === 'reply') texts[last] = text ?? '';
  else if (kind === 'part') texts[last] += text ?? '';
  else if (kind === 'divider') texts.push('');
  else if (kind === 'failure') state.failure = text || state.trouble || 'it reports a failure without a reason';
  else state.trouble = text ?? state.trouble;
}

function replyOf({ texts }: EventState): string {
  return texts.findLast((text) => text.trim() !== '')?.trim() ?? '';
}

/** Of several turns the last answered one counts: a later turn that was cut off does not undo that answer. */
function outputOf(state: EventState, { mustEnd }: EventRules): ProgramOutput {
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
    ? 'it wrote no JSON lines, although it was started with JSON output'
    : 'its output ends before the end of its turn';
}

function fits(event: OutputEvent, when: When): boolean {
  return Object.entries(when).every(([path, value]) => {
    const found = valueAt(event, path);
    if (!(value instanceof RegExp)) return found === value;
    return (typeof found === 'string' || typeof found === 'number') && value.test(String(found));
  });
}

function textsOf(event: OutputEvent, { when, at }: Find): string[] {
  return fits(event, when) ? [textAt(event, at) ?? []].flat() : [];
}

function textAt(event: OutputEvent, paths: readonly string[]): string | undefined {
  return paths.map((path) => valueAt(event, path)).find((value) => typeof value === 'string');
}

function namesAt(event: OutputEvent, { at, name }: { at: string; name: string }): string[] {
  return listAt(event, at).flatMap((one) => textAt(one, [name]) ?? []);
}

function listAt(event: OutputEvent, path: string): readonly OutputEvent[] {
  const list = valueAt(event, path);
  return Array.isArray(list) ? (list as OutputEvent[]) : [];
}

function valueAt(event: OutputEvent, path: string): unknown {
  let value: unknown = event;
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[name];
  }
  return value;
}
