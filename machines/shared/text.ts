import { cut, type DeliveryFailed } from 'agent-mailroom/workflow';

/** A text as it is typed into a shell: clauses, some of which begin with a name and a colon. */
export interface Clauses<TName extends string> {
  /** The values of all clauses with this name. */
  readonly named: (name: TName) => string[];
  /** The clauses without a known name, unchanged. */
  readonly rest: readonly string[];
}

/**
 * Splits a text at semicolons and line ends: `sqlite because one file is enough; evidence: bench/db.md`. Only the given names
 * are recognised, in any case; a hyphen may stand for a space in them.
 */
export function readClauses<const TName extends string>(text: string, names: readonly TName[]): Clauses<TName> {
  const clauses = text
    .split(/[;\n]/u)
    .map((clause) => clause.trim())
    .filter((clause) => clause !== '');
  const read = clauses.map((clause) => {
    const [, before = '', value = ''] = /^([a-z][a-z -]*):(.*)$/isu.exec(clause) ?? [];
    const name = names.find((one) => one === folded(before).replaceAll('-', ' '));
    return { clause, name, value: value.trim() };
  });
  return {
    named: (name) => read.filter((one) => one.name === name && one.value !== '').map(({ value }) => value),
    rest: read.filter(({ name }) => name === undefined).map(({ clause }) => clause),
  };
}

const ECHO_CHARS_MAX = 80;

/** Received text, shortened to one line, for a reply that says what is wrong with it. */
export function echo(text: string): string {
  return JSON.stringify(cut(text, { charsMax: ECHO_CHARS_MAX }));
}

/** A message of a machine that can never be delivered to one recipient. */
export interface Undelivered {
  /** An address, or `all` for a broadcast that reached nobody. */
  readonly to: string;
  /** Type of the message. */
  readonly type: string;
  /** A stable error code, such as ACTOR_NOT_FOUND. */
  readonly code: string;
}

/** One entry per recipient of a failed delivery; empty for any other event. */
export function undelivered(event: DeliveryFailed | { readonly type: string }): Undelivered[] {
  if (!isFailure(event)) return [];
  return event.to.split(', ').map((to) => ({ to, type: event.messageType, code: event.code }));
}

function isFailure(event: DeliveryFailed | { readonly type: string }): event is DeliveryFailed {
  return event.type === 'mailroom.delivery-failed';
}

/** NFC, trimmed, and with runs of spaces collapsed; line ends are kept. */
export function plain(text: string): string {
  return text
    .normalize('NFC')
    .trim()
    .replaceAll(/[^\S\n]+/gu, ' ');
}

/** `plain` in lower case: equal for texts that differ only in case and spaces. */
export function folded(text: string): string {
  return plain(text).toLowerCase();
}
