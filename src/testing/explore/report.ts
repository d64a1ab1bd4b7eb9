import type { End, Exploration, Violation } from './explore.ts';

/** A system does not end as `assertEnds` requires. The message has the shortest way to each fault. */
export class ExplorationFailed extends Error {
  /** The name of the class. */
  override readonly name = 'ExplorationFailed';
}

/** Formats an exploration for people: counts, ends and findings, with the way to each. */
export function formatExploration(exploration: Exploration): string {
  const { states, transitions, depth, isComplete, cutOff, ends, neverSent } = exploration;
  const more = isComplete ? '' : `; NOT COMPLETE: ${cutOff}`;
  const lines = [`${states} states, ${transitions} transitions, depth ${depth}${more}`];
  for (const { summary, count, path } of ends) lines.push(`end (${count}×): ${summary}`, ...indented(path));
  const { violations, endless, failedSteps, undelivered, deadLetters, unhandled, late } = exploration;
  const found: readonly (readonly [string, readonly (Violation & { workflow?: string })[]])[] = [
    ['violated', violations],
    ['endless', endless],
    ['step fails', failedSteps],
    ['undelivered', undelivered],
    ['dead letter', deadLetters],
    ['unhandled', unhandled],
    ['late', late],
  ];
  for (const [title, findings] of found) {
    for (const { what, workflow, count, path } of findings) {
      const where = workflow === undefined ? '' : ` by ${workflow}`;
      lines.push(`${title}${where} (${count}×): ${what}`, ...indented(path));
    }
  }
  for (const one of neverSent) lines.push(`never sent: ${one}`);
  return `${lines.join('\n')}\n`;
}

/**
 * Passes if a system always ends as wanted: every end is wanted, every wanted summary is reached, an end can be reached from
 * every situation, no step fails, no invariant is violated, and the exploration is complete.
 *
 * @param exploration What `explore` returned.
 * @param wanted The summaries of the wanted ends, where a RegExp stands for all that it matches; or a function that says of an end
 * whether it is wanted.
 * @throws `ExplorationFailed`, with the shortest way to each fault.
 */
export function assertEnds(
  exploration: Exploration,
  wanted: readonly (string | RegExp)[] | ((end: End) => boolean),
): void {
  const { ends, violations, endless, failedSteps, isComplete, cutOff, states, neverSent } = exploration;
  const isWanted = ({ summary }: End, one: string | RegExp): boolean =>
    typeof one === 'string' ? one === summary : new RegExp(one.source, one.flags.replaceAll(/[gy]/g, '')).test(summary);
  const faults: string[] = [];
  for (const end of ends) {
    if (typeof wanted === 'function' ? wanted(end) : wanted.some((one) => isWanted(end, one))) continue;
    faults.push(`It ends in a way that is not wanted: ${end.summary}`, ...indented(end.path));
  }
  // What was not looked at may end so.
  if (typeof wanted !== 'function' && isComplete) {
    const missing = wanted.filter((one) => !ends.some((end) => isWanted(end, one)));
    faults.push(...missing.map((one) => `It never ends so: ${String(one)}`));
  }
  for (const { what, path } of violations) faults.push(`An invariant is violated: ${what}`, ...indented(path));
  for (const { what, path } of endless) faults.push(`It may never end: ${what}`, ...indented(path));
  for (const { what, path } of failedSteps) faults.push(`A step fails: ${what}`, ...indented(path));
  if (!isComplete) faults.push(`Only ${states} states were looked at; ${cutOff}.`);
  if (faults.length === 0) return;
  // No fault by itself, but often why it ends otherwise.
  faults.push(...neverSent.map((one) => `Never sent, because nobody was there to get it: ${one}`));
  throw new ExplorationFailed(`${faults.join('\n')}\n`);
}

function indented(path: readonly string[]): string[] {
  return path.length === 0 ? ['    (at once)'] : path.map((line) => `    ${line}`);
}
