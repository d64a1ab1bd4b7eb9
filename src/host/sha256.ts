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
 * The SHA-256 of some bytes, or of a text in UTF-8. The first 64 KiB of a process are hashed by a small WebAssembly
 * module, because loading node:crypto takes as long as everything else in a mail command.
 */
export function sha256(data: Uint8Array | string): Buffer {
  return hashInWasm(data) ?? nodeCrypto().hash('sha256', data, 'buffer');
}

/** The same in hex. */
export function sha256Hex(data: Uint8Array | string): string {
  return hashInWasm(data)?.toString('hex') ?? nodeCrypto().hash('sha256', data, 'hex');
}

let bytesLeft = BYTES_WITHOUT_CRYPTO;
let wasm: Wasm | undefined;

/** The digest; undefined if node:crypto has to compute it. */
function hashInWasm(data: Uint8Array | string): Buffer | undefined {
  if (bytesLeft <= 0) return undefined;
  const bytes = typeof data === 'string' ? Buffer.from(data) : data;
  bytesLeft -= bytes.length + CALL_BYTES;
  if (bytesLeft <= 0) return undefined;
  try {
    wasm ??= instantiate();
  } catch {
    // Node was started without WebAssembly (--jitless), or there is no room for its memory (ulimit -v).
    bytesLeft = 0;
    return undefined;
  }
  const { memory, digest } = wasm;
  if (bytes.length > memory.length - MESSAGE_AT - PADDING_BYTES_MAX) return undefined;
  memory.set(bytes, MESSAGE_AT);
  digest(bytes.length);
  return Buffer.from(memory.subarray(DIGEST_AT, DIGEST_AT + DIGEST_BYTES));
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
