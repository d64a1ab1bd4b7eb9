import type { KeyObject } from 'node:crypto';
import { RoomRefused } from '../errors.ts';
import type { FileSystem } from '../host/file-system.ts';
import { ensureDirectory, publishFile, readText, stagedPath } from '../host/files.ts';
import { isHex } from '../host/hex.ts';
import type { Host } from '../host/host.ts';
import { nodeCrypto } from '../host/node-crypto.ts';
import { sha256Hex } from '../host/sha256.ts';
import { isActorAddress } from '../message/address.ts';
import { actorLayout, type RoomLayout } from '../message/layout.ts';
import { type Algorithm, createHmacKey, KEY_ID_BYTES, type SigningKey, TAG, type VerifyingKey } from './keys.ts';

const ROOM_KEY_CHARS = 64;

/** The keys of a room, read on first use and cached. */
export interface Keyring {
  readonly algorithm: Algorithm;
  /** The key an actor signs with. Throws `RoomRefused` if there is none that can be read. */
  signerOf(address: string): SigningKey;
  /** The key that would verify a signature by this sender; undefined if the room has no such key. */
  verifierOf(sender: string, keyId: string): VerifyingKey | undefined;
  /**
   * Makes the next verdict on this sender rest on what is on disk now, not on a cached key. Throws `RoomRefused` if no
   * key can be read at all.
   */
  reread(sender: string): void;
  /** Makes the key pair of a new actor, if the room's algorithm needs one. A public key never changes after that. */
  enrol(address: string): Promise<void>;
}

interface KeyringOptions {
  readonly host: Pick<Host, 'files' | 'randomBytes'>;
  readonly layout: RoomLayout;
  readonly roomId: string;
}

export function openKeyring(options: KeyringOptions & { algorithm: Algorithm }): Keyring {
  return options.algorithm === 'hmac-sha256' ? openSharedKeyring(options) : openEd25519Keyring(options);
}

/** HMAC: one secret for the whole room, from which a key per actor is derived. */
function openSharedKeyring({ host, layout, roomId }: KeyringOptions): Keyring {
  const keys = new Map<string, SigningKey>();
  let roomKey: Buffer | undefined;
  const keyOf = (address: string): SigningKey => {
    let key = keys.get(address);
    if (!key) {
      roomKey ??= readRoomKey(host.files, layout);
      key = createHmacKey({ roomKey, roomId, address });
      // Anyone who can put a file into a mailbox can name a sender, so the cache is bounded.
      if (keys.size >= KEYS_KEPT_MAX) keys.clear();
      keys.set(address, key);
    }
    return key;
  };
  return {
    algorithm: 'hmac-sha256',
    signerOf: keyOf,
    verifierOf: (sender, keyId) => {
      const key = keyOf(sender);
      return key.keyId === keyId ? key : undefined;
    },
    reread: () => {
      const onDisk = readRoomKey(host.files, layout);
      if (roomKey?.equals(onDisk)) return;
      roomKey = onDisk;
      keys.clear();
    },
    enrol: async () => {},
  };
}

const KEYS_KEPT_MAX = 10_000;

function readRoomKey(files: FileSystem, layout: RoomLayout): Buffer {
  const text = readText(files, layout.roomKey);
  const hex = text?.endsWith('\n') ? text.slice(0, -1) : text;
  if (hex?.length === ROOM_KEY_CHARS && isHex(hex, 0, ROOM_KEY_CHARS)) return Buffer.from(hex, 'hex');
  throw new RoomRefused(
    `The room's key ${layout.roomKey} ${text === undefined ? 'cannot be read' : 'is not 64 hex digits'}.`,
    { hint: 'Without it nothing can be signed or verified. Restore it from a backup, or check who owns the file.' },
  );
}

/** Ed25519: each actor's private key is a file of its own; everyone reads the public ones. */
function openEd25519Keyring({ host, layout }: KeyringOptions): Keyring {
  const { files } = host;
  const signers = new Map<string, SigningKey>();
  const verifiers = new Map<string, VerifyingKey>();
  const readSigner = (address: string): SigningKey => {
    const path = actorLayout(layout, address).privateKey;
    return createEd25519Key(parsePrivateKey(path, readPrivateKey(files, { path, address })));
  };
  return {
    algorithm: 'ed25519',
    signerOf: (address) => {
      const signer = signers.get(address) ?? readSigner(address);
      signers.set(address, signer);
      return signer;
    },
    verifierOf: (sender, keyId) => {
      const verifier = verifiers.get(sender) ?? readVerifier(files, layout, sender);
      if (verifier) verifiers.set(sender, verifier);
      return verifier?.keyId === keyId ? verifier : undefined;
    },
    reread: (sender) => {
      verifiers.delete(sender);
      if (files.lstat(layout.publicKeys)) return;
      throw new RoomRefused(`The directory of the room's public keys, ${layout.publicKeys}, is missing.`, {
        hint: 'Without it nothing can be verified. Restore it from a backup.',
      });
    },
    enrol: (address) => enrolEd25519({ host, layout, address }),
  };
}

function readPrivateKey(files: FileSystem, { path, address }: { path: string; address: string }): string {
  const pem = readText(files, path);
  if (pem !== undefined) return pem;
  throw new RoomRefused(`The private key ${path} of ${address} cannot be read.`, {
    hint: `Only its owner may sign as ${address}; join under an address of your own.`,
  });
}

function parsePrivateKey(path: string, pem: string): KeyObject {
  const refused = (cause?: unknown): RoomRefused =>
    new RoomRefused(`The private key ${path} is not an Ed25519 key in PEM.`, {
      cause,
      hint: 'Restore it from a backup.',
    });
  let key: KeyObject;
  try {
    key = nodeCrypto().createPrivateKey(pem);
  } catch (cause) {
    throw refused(cause);
  }
  if (key.asymmetricKeyType !== 'ed25519') throw refused();
  return key;
}

/** Whoever put the file there named the sender, so any fault of the key counts as a missing key. */
export function readVerifier(files: FileSystem, layout: RoomLayout, sender: string): VerifyingKey | undefined {
  // Nobody joins under a reserved address, so nobody has a key for it.
  if (!isActorAddress(sender)) return undefined;
  const pem = readText(files, actorLayout(layout, sender).publicKey);
  if (pem === undefined) return undefined;
  try {
    const key = nodeCrypto().createPublicKey(pem);
    return key.asymmetricKeyType === 'ed25519' ? createEd25519Verifier(key) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The private key is written before the public one is published: an address without a public key can still be enrolled.
 */
async function enrolEd25519(options: Omit<KeyringOptions, 'roomId'> & { address: string }): Promise<void> {
  const { host, layout, address } = options;
  const { files } = host;
  const { privateKey: privatePath, publicKey: publicPath } = actorLayout(layout, address);
  if (files.lstat(publicPath)) return;
  ensureDirectory(files, layout.publicKeys);
  const whole = { mode: 0o600, durable: true };
  const staged = (): string => stagedPath(layout.tmp, host.randomBytes);
  const fresh = nodeCrypto()
    .generateKeyPairSync('ed25519')
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString();
  const isFresh = await publishFile(files, {
    ...whole,
    path: privatePath,
    staged: staged(),
    bytes: Buffer.from(fresh),
  });
  // If a private key exists but cannot be read, no other public key may be published: it would stay for ever.
  const pem = isFresh ? fresh : readPrivateKey(files, { path: privatePath, address });
  const publicPem = nodeCrypto()
    .createPublicKey(parsePrivateKey(privatePath, pem))
    .export({ type: 'spki', format: 'pem' })
    .toString();
  await publishFile(files, { ...whole, path: publicPath, staged: staged(), bytes: Buffer.from(publicPem) });
}

/** Ed25519 (RFC 8032); the key id is the first 16 hex digits of the SHA-256 of the raw public key. */
export function createEd25519Verifier(publicKey: KeyObject): VerifyingKey {
  const keyId = ed25519KeyId(publicKey);
  return {
    keyId,
    algorithm: 'ed25519',
    verify: (signed, value) =>
      value.length === 128 && nodeCrypto().verify(null, tagged(signed), publicKey, Buffer.from(value, 'hex')),
  };
}

export function createEd25519Key(privateKey: KeyObject): SigningKey {
  const verifier = createEd25519Verifier(nodeCrypto().createPublicKey(privateKey));
  return {
    ...verifier,
    sign: (signed) => ({
      keyId: verifier.keyId,
      value: nodeCrypto().sign(null, tagged(signed), privateKey).toString('hex'),
    }),
  };
}

function ed25519KeyId(publicKey: KeyObject): string {
  const raw = publicKey.export({ format: 'jwk' }).x ?? '';
  return sha256Hex(Buffer.from(raw, 'base64url')).slice(0, KEY_ID_BYTES * 2);
}

function tagged(signed: Uint8Array): Buffer {
  return Buffer.concat([TAG, signed]);
}
