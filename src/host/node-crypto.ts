import type * as Crypto from 'node:crypto';

let loaded: typeof Crypto | undefined;

/** `node:crypto`, loaded when it is first needed: that takes 3 to 6 ms, and a command that reads or sends one message can do without. */
export function nodeCrypto(): typeof Crypto {
  return (loaded ??= process.getBuiltinModule('node:crypto'));
}
