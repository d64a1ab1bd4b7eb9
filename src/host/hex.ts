/**
 * Whether the characters from `from` to `to` are all there and are hex digits in lower case. By hand, because an expression that
 * is used twice is compiled twice, which takes a command longer than to look at all its texts.
 */
export function isHex(text: string, from: number, to: number): boolean {
  if (to > text.length) return false;
  for (let at = from; at < to; at++) {
    const code = text.charCodeAt(at);
    const isDigit = code >= DIGIT_0 && code <= DIGIT_9;
    if (!isDigit && (code < LETTER_A || code > LETTER_F)) return false;
  }
  return true;
}

const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
const LETTER_A = 0x61;
const LETTER_F = 0x66;
