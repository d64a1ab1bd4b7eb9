/** A number of at most 15 digits without an exponent is one that a double gives back as it was (IEEE 754, 5.12.2). */
const MAY_BE_INEXACT = /[\d.]{16}|\d[eE]/;
/** Strings stand here only so that what is in them is passed over. */
const STRING_OR_NUMBER = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*/g;
const DECIMAL = /^-?(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

/**
 * The first number of a JSON text that JavaScript would give back as another one, such as 12345678901234567890 or 1e400;
 * undefined when there is none. 0.1 is none: it comes back as it was. The text must be valid JSON.
 */
export function findInexactNumber(text: string): string | undefined {
  if (!MAY_BE_INEXACT.test(text)) return undefined;
  for (const [token] of text.matchAll(STRING_OR_NUMBER)) if (!token.startsWith('"') && !isExact(token)) return token;
  return undefined;
}

function isExact(token: string): boolean {
  const value = Number(token);
  return Number.isFinite(value) && decimalOf(token) === decimalOf(String(value));
}

/** One spelling for all that mean the same amount: the digits without zeros at either end, and the power of ten behind them. */
function decimalOf(token: string): string {
  const [, whole = '', fraction = '', exponent = '0'] = DECIMAL.exec(token) ?? [];
  const digits = (whole + fraction).replace(/^0+/, '');
  let length = digits.length;
  while (digits[length - 1] === '0') length -= 1;
  return length === 0
    ? '0'
    : `${digits.slice(0, length)}e${Number(exponent) - fraction.length + digits.length - length}`;
}
