/**
 * Whether the characters from `from` to `to` are all there and are hex digits in lower case. All that ask share one short expression:
 * V8 keeps no code of expressions, and compiles one anew in each process, and once more when it is used again. In a command that takes
 * longer than to look at its texts; to look at each character in a loop that was not compiled yet takes longer still.
 */
export function isHex(text: string, from: number, to: number): boolean {
  return to <= text.length && !NOT_HEX.test(text.slice(from, to));
}

const NOT_HEX = /[^0-9a-f]/;
