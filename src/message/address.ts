import { InvalidInput } from '../errors.ts';
import { echo } from './cut.ts';

export const ADDRESS_CHARS_MAX = 120;
/** The pseudo-recipient of a broadcast. No actor can have it. */
export const EVERYONE = 'all';
/** The sender of the runtime's own control mail. No actor can join under it. */
export const SYSTEM = 'system';

/**
 * Whether the text has the form of an address: parts of `[a-z0-9][a-z0-9_-]*` joined with dots, at most 120 characters.
 */
export function isAddress(text: string): boolean {
  if (text.length > ADDRESS_CHARS_MAX) return false;
  // By hand, because each message asks, and an expression for it takes long to compile.
  let isBegun = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    const isLetterOrDigit = (code >= 0x61 && code <= 0x7a) || (code >= 0x30 && code <= 0x39);
    if (!isLetterOrDigit && (!isBegun || (code !== DOT && code !== DASH && code !== UNDERSCORE))) return false;
    isBegun = code !== DOT;
  }
  return isBegun;
}

const DOT = 0x2e;
const DASH = 0x2d;
const UNDERSCORE = 0x5f;

/** Whether an actor can have this address. */
export function isActorAddress(text: string): boolean {
  return isAddress(text) && text !== EVERYONE && text !== SYSTEM;
}

/** Throws `InvalidInput` unless an actor can have this address. */
export function assertAddress(text: string): void {
  if (text === EVERYONE || text === SYSTEM) {
    throw new InvalidInput(`The address "${text}" is reserved.`, { hint: 'Choose another name, for example agent-1.' });
  }
  if (isAddress(text)) return;
  throw new InvalidInput(
    `${echo(text, ADDRESS_CHARS_MAX)} is not an address: expected parts of a-z, 0-9, "_" and "-" that begin with a letter or digit, joined with ".", at most ${ADDRESS_CHARS_MAX} characters (got ${text.length}).`,
    { hint: 'Choose a name such as agent-1 or team.reviewer.' },
  );
}

/**
 * Names of devices on Windows, where no file can have such a name, even with a dot and more text behind it ("Naming
 * Files, Paths, and Namespaces", Microsoft). The other forbidden names are not addresses anyway: `CONIN$`, `COM¹` and
 * the like, a dot or space at the end, and characters that Windows forbids.
 */
const DEVICE = /^(?:con|prn|aux|nul|com[1-9]|lpt[1-9])(?=\.|$)/;

/**
 * Whether no file on Windows can have this address as its name. An actor that has already joined under one keeps it.
 */
export function isDeviceName(address: string): boolean {
  return DEVICE.test(address);
}

/**
 * Checks that a new actor can have this address: 1 to 120 characters, parts of `[a-z0-9][a-z0-9_-]*` joined with dots.
 *
 * @throws `InvalidInput` for a malformed or reserved address, or one that cannot be a file name on Windows.
 */
export function assertNewAddress(text: string): void {
  assertAddress(text);
  const device = DEVICE.exec(text)?.[0];
  if (device === undefined) return;
  throw new InvalidInput(
    `The address "${text}" cannot be a file name on Windows, where "${device}" is a device, and a room may be copied there.`,
    { hint: `Choose another name, for example ${newAddressLike(text)}.` },
  );
}

/** The address itself if a new actor can have it, else the nearest allowed one: `con-1.build` for `con.build`. */
export function newAddressLike(text: string): string {
  const device = DEVICE.exec(text)?.[0];
  return device === undefined ? text : `${device}-1${text.slice(device.length)}`;
}
