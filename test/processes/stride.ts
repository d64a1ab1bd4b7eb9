/**
 * Of how many places where something can go wrong one is tried: the long tests try each, the others one of twelve, and
 * chance says which.
 */
export const STRIDE = Number(process.env['MAILROOM_STRIDE'] ?? 12);

/** The same where there are few places, or each is tried in many ways. */
export const SHORT_STRIDE = Math.ceil(STRIDE / 4);

const OFFSET = Math.floor(Math.random() * STRIDE);

/** Whether the `n`th place is one of those that are tried. */
export function isTried(n: number, stride = STRIDE): boolean {
  return (n + OFFSET) % stride === 0;
}
