/**
 * Of how many places where something can go wrong one is tried: the long tests try each, the others one of twelve, and
 * chance says which.
 */
export const STRIDE = Number(process.env['MAILROOM_STRIDE'] ?? 12);

const OFFSET = Math.floor(Math.random() * STRIDE);

/** Whether the `n`th place is one of those that are tried. */
export function isTried(n: number, stride = STRIDE): boolean {
  return (n + OFFSET) % stride === 0;
}
