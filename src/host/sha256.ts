import { nodeCrypto } from './node-crypto.ts';
import { SHA256_MODULE } from './sha256-module.ts';

/** Where the message begins in the memory, and where the digest is afterwards (`sha256.wat`). */
const MESSAGE_AT = 1024;
const DIGEST_AT = 288;
const DIGEST_BYTES = 32;
const PADDING_BYTES_MAX = 72;
/** Hashing this much in WebAssembly takes as long as loading node:crypto, which then hashes many times faster. */
const BYTES_WITHOUT_CRYPTO = 64 * 1024;
/** The fixed cost of each hash, as bytes. */
const CALL_BYTES = 64;

interface Wasm {
  readonly memory: Uint8Array;
  readonly digest: (length: number) => void;
}

/**
 * The SHA-256 of some bytes, or of a text in UTF-8, and of `more` bytes behind them. The first 64 KiB of a process are hashed by a small WebAssembly
 * module, because loading node:crypto takes as long as everything else in a mail command.
 */
export function sha256(data: Uint8Array | string, more: Uint8Array = NOTHING): Buffer {
  const hashed = hashInWasm(data, more);
  if (hashed) return hashed;
  const whole = more.length === 0 ? data : Buffer.concat([typeof data === 'string' ? Buffer.from(data) : data, more]);
  return nodeCrypto().hash('sha256', whole, 'buffer');
}

const NOTHING = new Uint8Array(0);

/** The same in hex. */
export function sha256Hex(data: Uint8Array | string): string {
  return hashInWasm(data, NOTHING)?.toString('hex') ?? nodeCrypto().hash('sha256', data, 'hex');
}

let bytesLeft = BYTES_WITHOUT_CRYPTO;
let wasm: Wasm | undefined;

/** The digest; undefined if node:crypto has to compute it. */
function hashInWasm(data: Uint8Array | string, more: Uint8Array): Buffer | undefined {
  if (bytesLeft <= 0) return undefined;
  const bytes = typeof data === 'string' ? Buffer.from(data) : data;
  const length = bytes.length + more.length;
  bytesLeft -= length + CALL_BYTES;
  if (bytesLeft <= 0) return undefined;
  try {
    wasm ??= instantiate();
  } catch {
    // Node was started without WebAssembly (--jitless), or there is no room for its memory (ulimit -v).
    bytesLeft = 0;
    return undefined;
  }
  const { memory, digest } = wasm;
  if (length > memory.length - MESSAGE_AT - PADDING_BYTES_MAX) return undefined;
  memory.set(bytes, MESSAGE_AT);
  memory.set(more, MESSAGE_AT + bytes.length);
  digest(length);
  // What copies an array into a buffer is not compiled yet in a process that has only just started.
  const hash = Buffer.allocUnsafe(DIGEST_BYTES);
  hash.set(memory.subarray(DIGEST_AT, DIGEST_AT + DIGEST_BYTES));
  return hash;
}

/** The part of the global `WebAssembly` used here; its types come with the DOM's, which this library does without. */
interface WebAssemblyApi {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: Readonly<Record<string, unknown>> };
}

function instantiate(): Wasm {
  const { Module, Instance } = (globalThis as unknown as { readonly WebAssembly: WebAssemblyApi }).WebAssembly;
  const { exports } = new Instance(new Module(Buffer.from(SHA256_MODULE, 'base64')));
  const { memory, digest } = exports as { memory: { readonly buffer: ArrayBuffer }; digest: Wasm['digest'] };
  return { memory: new Uint8Array(memory.buffer), digest };
}
