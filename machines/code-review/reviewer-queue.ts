export interface Reviewer {
  readonly address: string;
  readonly skills: readonly string[];
}

/**
 * The order in which reviewers are asked: those first who know most of what is wanted, and among equals in a ring that
 * begins at the offset. The author is never among them, and nobody is twice.
 */
export function queueOf(
  reviewers: readonly Reviewer[],
  { author, wanted, offset }: { readonly author: string; readonly wanted: readonly string[]; readonly offset: number },
): string[] {
  const others = reviewers.filter(
    ({ address }, at) => address !== author && reviewers.findIndex((one) => one.address === address) === at,
  );
  const first = others.length === 0 ? 0 : offset % others.length;
  const ring = [...others.slice(first), ...others.slice(0, first)];
  const known = ({ skills }: Reviewer): number => wanted.filter((skill) => includesFolded(skills, skill)).length;
  return ring.toSorted((a, b) => known(b) - known(a)).map(({ address }) => address);
}

function includesFolded(skills: readonly string[], skill: string): boolean {
  return skills.some((one) => one.toLowerCase() === skill.toLowerCase());
}
