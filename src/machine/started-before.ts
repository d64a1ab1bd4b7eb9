/**
 * Whether a child's incarnation was started before another one, by the same run of their parent: an incarnation is the effect
 * id of its start, `<the parent's incarnation>.<step>.<effect>`.
 */
export function isStartedBefore(one: string, other: string): boolean {
  const [first, second] = [placeOf(one), placeOf(other)];
  if (!first || !second || first.run !== second.run) return false;
  return first.step === second.step ? first.effect < second.effect : first.step < second.step;
}

function placeOf(incarnation: string): { run: string; step: number; effect: number } | undefined {
  const [, run, step, effect] = /^(.+)\.(\d+)\.(\d+)$/.exec(incarnation) ?? [];
  return run === undefined ? undefined : { run, step: Number(step), effect: Number(effect) };
}
