import { cut, type DeliveryFailed } from 'agent-mailroom/workflow';

/** A text as it is typed into a shell: clauses, some of which begin with a name and a colon. */
export interface Clauses<TName extends string> {
  /** What stands behind this name, as often as it comes. */
  readonly named: (name: TName) => string[];
  /** The other clauses, as they stand. */
  readonly rest: readonly string[];
}

/**
 * Divides a text at semicolons and ends of lines: `sqlite because one file is enough; evidence: bench/db.md`. Only the
 * given names are names, whatever their capitals; a hyphen may stand for a space in them.
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

/** What somebody has said, short and on one line, for the answer that says what is wrong with it. */
export function echo(text: string): string {
  return JSON.stringify(cut(text, { charsMax: ECHO_CHARS_MAX }));
}

/** A message of a machine that can never be delivered to somebody. */
export interface Undelivered {
  /** An address, or `all` for a broadcast that reached nobody. */
  readonly to: string;
  /** Of the message. */
  readonly type: string;
  /** A stable error code, such as ACTOR_NOT_FOUND. */
  readonly code: string;
}

/** What a failed delivery says, an entry for each recipient; nothing for any other event. */
export function undelivered(event: DeliveryFailed | { readonly type: string }): Undelivered[] {
  if (!isFailure(event)) return [];
  return event.to.split(', ').map((to) => ({ to, type: event.messageType, code: event.code }));
}

function isFailure(event: DeliveryFailed | { readonly type: string }): event is DeliveryFailed {
  return event.type === 'mailroom.delivery-failed';
}

/** Without what nobody hears: spaces at the ends, and more than one between words. */
export function plain(text: string): string {
  return text
    .normalize('NFC')
    .trim()
    .replaceAll(/[^\S\n]+/gu, ' ');
}

/** Equal for texts that people would call the same. */
export function folded(text: string): string {
  return plain(text).toLowerCase();
}
