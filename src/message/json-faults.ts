import { echo } from './cut.ts';
/**
 * What `JSON.parse` accepts but a signed document must not contain, because two readers could understand it
 * differently: an object with a duplicate key, a key `__proto__`, nesting beyond `depthMax`, a `\u` escape that is half
 * a surrogate pair. Returns one phrase, or undefined if there is no fault. The text must be valid JSON already.
 */
export function findJsonFault(text: string, depthMax: number): string | undefined {
  const stack: (Set<string> | undefined)[] = [];
  let keyExpected = false;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case BRACE_OPEN:
      case BRACKET_OPEN: {
        const isObject = text.charCodeAt(at) === BRACE_OPEN;
        if (stack.length === depthMax) return `it is nested more than ${depthMax} deep`;
        stack.push(isObject ? new Set() : undefined);
        keyExpected = isObject;
        break;
      }
      case BRACE_CLOSE:
      case BRACKET_CLOSE:
        stack.pop();
        keyExpected = false;
        break;
      case COMMA:
        keyExpected = stack.at(-1) !== undefined;
        break;
      case QUOTE: {
        const end = endOfString(text, at);
        const hasEscape = text.slice(at, end).includes('\\');
        if (hasEscape && hasHalfSurrogate(text.slice(at, end))) return 'a string has half of a surrogate pair';
        if (keyExpected) {
          const key = hasEscape ? (JSON.parse(text.slice(at, end)) as string) : text.slice(at + 1, end - 1);
          if (key === '__proto__') return 'it has the key "__proto__"';
          const keys = stack.at(-1);
          if (keys?.has(key)) return `it has the key ${echo(key, 40)} twice`;
          keys?.add(key);
          keyExpected = false;
        }
        at = end - 1;
        break;
      }
    }
  }
  return undefined;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const BRACKET_OPEN = 0x5b;
const BACKSLASH = 0x5c;
const BRACKET_CLOSE = 0x5d;
const BRACE_OPEN = 0x7b;
const BRACE_CLOSE = 0x7d;

/** The index after the closing quote of the string that opens at `start`. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  for (;;) {
    const quote = text.indexOf('"', at);
    if (quote < 0) return text.length;
    let backslashes = 0;
    while (text.charCodeAt(quote - 1 - backslashes) === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return quote + 1;
    at = quote + 1;
  }
}

function hasHalfSurrogate(quoted: string): boolean {
  if (!/\\u[dD][89abAB]|\\u[dD][c-fC-F]/.test(quoted)) return false;
  return !(JSON.parse(quoted) as string).isWellFormed();
}
