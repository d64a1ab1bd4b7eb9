import { folded } from '../poll-tally.ts';

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
