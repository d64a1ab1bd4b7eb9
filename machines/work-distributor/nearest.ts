const DISTANCE_MAX = 3;
/** A name that shares hardly a letter is no suggestion, however short both are. */
const DISTANCE_SHARE_MAX = 0.6;

/** The candidate most like `wanted`, for a did-you-mean; undefined when none is near. */
export function nearest(wanted: string, candidates: readonly string[]): string | undefined {
  const ranked = candidates
    .map((candidate) => ({ candidate, distance: editDistance(wanted, candidate) }))
    .filter(({ candidate, distance }) => {
      const share = distance / Math.max(wanted.length, candidate.length);
      return distance <= DISTANCE_MAX && share < DISTANCE_SHARE_MAX;
    });
  return ranked.toSorted((a, b) => a.distance - b.distance)[0]?.candidate;
}

/** Levenshtein's: insert, delete and replace each count one. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, replaced));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
