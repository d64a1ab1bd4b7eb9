import fs from 'node:fs';
import path from 'node:path';
import type { Message } from '../../src/message/message.ts';
import type { Draft } from '../../src/room/draft.ts';
import type { Algorithm } from '../../src/signing/keys.ts';

export const VECTORS = path.join(import.meta.dirname, '..', '..', 'fixtures', 'vectors');

export interface MessageCase {
  readonly what: string;
  readonly name: string;
  readonly reader: string;
  readonly bytesBase64: string;
  /** `accepted`, or the reason of the refusal. */
  readonly verdict: string;
}

export interface MessageVectors {
  readonly roomId: string;
  readonly nowMs: number;
  /** The limits for every reader, whatever a room's own limits say. */
  readonly ceilings: { readonly messageBytes: number; readonly jsonDepth: number };
  readonly cases: readonly MessageCase[];
}

interface KeyVectors {
  readonly 'hmac-sha256': { readonly roomId: string; readonly roomKey: string };
  readonly ed25519: {
    readonly actors: readonly {
      readonly address: string;
      readonly privateKeyPem: string;
      readonly publicKeyPem: string;
    }[];
  };
}

interface Judged {
  readonly are: readonly string[];
  readonly areNot: readonly string[];
}

interface NameVectors {
  readonly addresses: Judged;
  readonly types: Judged;
  readonly messageNames: readonly {
    readonly name: string;
    readonly means: { readonly id: string; readonly from: string } | null;
  }[];
  readonly claims: {
    readonly names: readonly {
      readonly fileName: string;
      readonly means: { readonly name: string; readonly attempt: number; readonly untilMs: number } | null;
    }[];
  };
}

interface IdVectors {
  readonly ids: readonly { readonly id: string; readonly timeMs: number; readonly day: string }[];
  readonly areNot: readonly string[];
  readonly made: readonly { readonly atMs: number }[];
  readonly clockSkewMsMax: number;
  readonly restarted: readonly { readonly atMs: number }[];
}

interface OrderVectors {
  readonly perSenderMax: number;
  readonly listing: readonly string[];
  readonly drained: readonly string[];
  readonly early: {
    readonly nowMs: number;
    readonly clockSkewMsMax: number;
    readonly listing: readonly string[];
    readonly early: readonly string[];
  };
  readonly nearest: readonly {
    readonly wanted: string;
    readonly among: readonly string[];
    readonly nearest: string | null;
  }[];
}

interface ReplyVectors {
  readonly roomId: string;
  readonly question: Pick<Message, 'id' | 'from'>;
  readonly answerId: string;
  readonly cases: readonly {
    readonly algorithm: Algorithm;
    readonly draft: Draft;
    readonly path: string;
    readonly text: string;
  }[];
}

interface CounterVectors {
  readonly limit: number;
  readonly windowMs: number;
  readonly nowMs: number;
  readonly cases: readonly {
    readonly what: string;
    readonly files: readonly { readonly name: string; readonly bytesBase64: string }[];
    readonly says: unknown;
  }[];
}

/** The committed vectors. */
export function readVectors() {
  return {
    keys: read<KeyVectors>('keys'),
    messages: {
      'hmac-sha256': read<MessageVectors>('messages-hmac-sha256'),
      ed25519: read<MessageVectors>('messages-ed25519'),
    },
    names: read<NameVectors>('names'),
    ids: read<IdVectors>('ids'),
    orders: read<OrderVectors>('orders'),
    counters: read<CounterVectors>('counters'),
    replies: read<ReplyVectors>('replies'),
  };
}

// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- it names the shape of a file
function read<T>(name: string): T {
  return JSON.parse(fs.readFileSync(path.join(VECTORS, `${name}.json`), 'utf8')) as T;
}

/** Puts the keys of the vectors in their place in a room. */
export function layOutKeys(roomDirectory: string, algorithm: Algorithm): void {
  const { keys } = readVectors();
  const directory = path.join(roomDirectory, 'keys');
  fs.mkdirSync(path.join(directory, 'pub'), { recursive: true });
  if (algorithm === 'hmac-sha256') {
    fs.writeFileSync(path.join(directory, 'room.key'), `${keys['hmac-sha256'].roomKey}\n`);
    return;
  }
  for (const { address, privateKeyPem, publicKeyPem } of keys.ed25519.actors) {
    fs.writeFileSync(path.join(directory, `${address}.key`), privateKeyPem);
    fs.writeFileSync(path.join(directory, 'pub', address), publicKeyPem);
  }
}
