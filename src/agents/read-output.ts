import { stripVTControlCharacters } from 'node:util';
import type { EventRule, Find, OutputRules, When } from './presets.ts';

/** What a program said, in terms that do not depend on which one it was. */
export interface Said {
  /** Its answer; empty when there is none. */
  readonly reply: string;
  readonly session?: string;
  /** Why it failed, as it says itself. */
  readonly failure?: string;
  /** Why what it wrote is not all that it would have, when it does not say itself that it failed. */
  readonly incomplete?: string;
}

type Event = Readonly<Record<string, unknown>>;

/** Reads what a program wrote to stdout. Never throws: what makes no sense is no answer. */
export function readOutput(stdout: string, rules: OutputRules): Said {
  if (rules.format === 'text') return { reply: stripVTControlCharacters(stdout).trim() };
  const events = eventsIn(stdout);
  const session = events.flatMap((event) => textsOf(event, rules.session)).find(isSession);
  const collected = collect(events, rules.events);
  const isComplete =
    rules.completes.length === 0 || events.some((event) => rules.completes.some((when) => fits(event, when)));
  const { reply, failure, trouble } = collected;
  return {
    reply: reply.trim(),
    ...(session === undefined ? {} : { session }),
    ...(failure === undefined ? {} : { failure }),
    ...(isComplete || failure !== undefined ? {} : { incomplete: trouble ?? unfinished(events) }),
  };
}

/** Whether the text can be given to a program as the id of a session: it is no option and no path. */
export function isSession(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(text);
}

function eventsIn(stdout: string): Event[] {
  return stdout.split('\n').flatMap((line) => {
    if (!line.trimStart().startsWith('{')) return [];
    try {
      return [JSON.parse(line) as Event];
    } catch {
      return [];
    }
  });
}

interface Collected {
  readonly reply: string;
  readonly failure: string | undefined;
  readonly trouble: string | undefined;
}

function collect(events: readonly Event[], rules: readonly EventRule[]): Collected {
  let failure: string | undefined;
  let trouble: string | undefined;
  // What was said between two dividers.
  const said = [''];
  for (const event of events) {
    const rule = rules.find(({ when }) => fits(event, when));
    if (!rule) continue;
    const text = textAt(event, rule.at);
    const last = said.length - 1;
    if (rule.kind === 'reply') said[last] = text ?? '';
    else if (rule.kind === 'part') said[last] += text ?? '';
    else if (rule.kind === 'divider') said.push('');
    else if (rule.kind === 'failure') failure = text || 'it says that it failed, and not why';
    else trouble = text ?? trouble;
  }
  return { reply: said.findLast((text) => text.trim() !== '') ?? '', failure, trouble };
}

function unfinished(events: readonly Event[]): string {
  return events.length === 0
    ? 'it wrote no JSON lines, which it was started for'
    : 'its output ends before it says that it is done';
}

function fits(event: Event, when: When): boolean {
  return Object.entries(when).every(([path, value]) => at(event, path) === value);
}

function textsOf(event: Event, finds: readonly Find[]): string[] {
  return finds.flatMap(({ when, at: paths }) => (fits(event, when) ? (textAt(event, paths) ?? []) : []));
}

function textAt(event: Event, paths: readonly string[]): string | undefined {
  return paths.map((path) => at(event, path)).find((value) => typeof value === 'string');
}

function at(event: Event, path: string): unknown {
  let value: unknown = event;
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[name];
  }
  return value;
}
